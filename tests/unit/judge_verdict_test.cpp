#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {
namespace {

constexpr double not_given = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(CombineOrders, AveragesAndKeepsBoth) {
  const Verdict verdict = combine_orders(0.9, 0.4);
  EXPECT_EQ(verdict.status, VerdictStatus::ok);
  EXPECT_DOUBLE_EQ(verdict.p_first, 0.65);
  EXPECT_DOUBLE_EQ(verdict.p_first_by_order[0], 0.9);
  EXPECT_DOUBLE_EQ(verdict.p_first_by_order[1], 0.4);
}

TEST(CombineOrders, WhatIsNoProbabilityIsAStatusAndNoScore) {
  for (const auto& [a, b] : {std::pair(not_given, 0.5), {0.5, not_given}, {infinity, 0.5}, {0.2, -0.1}, {1.1, 0.2}})
    EXPECT_EQ(combine_orders(a, b).status, VerdictStatus::not_a_number);
  EXPECT_EQ(single_order(not_given).status, VerdictStatus::not_a_number);
}

TEST(SingleOrder, LeavesTheOtherOrderUnasked) {
  const Verdict verdict = single_order(0.25);
  EXPECT_EQ(verdict.status, VerdictStatus::ok);
  EXPECT_DOUBLE_EQ(verdict.p_first, 0.25);
  EXPECT_TRUE(std::isnan(verdict.p_first_by_order[1]));
}

TEST(TwoWaySoftmax, IsTheShareOfTheFirst) {
  EXPECT_DOUBLE_EQ(two_way_softmax(std::log(0.06), std::log(0.02)), 0.75);
  EXPECT_DOUBLE_EQ(two_way_softmax(-3.0, -3.0), 0.5);
  EXPECT_DOUBLE_EQ(two_way_softmax(0.0, -infinity), 1.0);
  EXPECT_DOUBLE_EQ(two_way_softmax(-2000.0, 0.0), 0.0);
  EXPECT_TRUE(std::isnan(two_way_softmax(not_given, 0.0)));
  EXPECT_TRUE(std::isnan(two_way_softmax(-infinity, -infinity)));
}

TEST(SamePosition, HoldsWhereThePlaceDecidesAndNotTheContent) {
  EXPECT_TRUE(same_position_in_both_orders(combine_orders(0.8, 0.3)));   // shown first wins twice
  EXPECT_TRUE(same_position_in_both_orders(combine_orders(0.1, 0.6)));   // shown second wins twice
  EXPECT_FALSE(same_position_in_both_orders(combine_orders(0.8, 0.7)));  // the first completion wins twice
  EXPECT_FALSE(same_position_in_both_orders(combine_orders(0.2, 0.4)));
  EXPECT_FALSE(same_position_in_both_orders(combine_orders(0.5, 0.4)));
}

}  // namespace
}  // namespace rlaif::judge
