// Differences of results, against numbers worked by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/evaluate/difference.hpp"

namespace rlaif::evaluate {
namespace {

TEST(Difference, HalfWidthsOfIndependentIntervalsAddAsSquares) {
  // b - a = 0.7 - 0.5; below: b reaches 0.3 down, a 0.4 up -> 0.5; above: b reaches 0.12 up, a 0.05 down -> 0.13.
  const Interval d = independent_difference({0.5, 0.45, 0.9}, {0.7, 0.4, 0.82});
  EXPECT_NEAR(d.value, 0.2, 1e-15);
  EXPECT_NEAR(d.low, 0.2 - 0.5, 1e-15);
  EXPECT_NEAR(d.high, 0.2 + 0.13, 1e-15);
  EXPECT_FALSE(tells_apart(d));
}

TEST(Difference, OneThatIsTheSameOnEveryPromptIsSureHoweverMuchPromptsDiffer) {
  Grouped a, b;
  for (int prompt = 0; prompt < 40; ++prompt) {
    a["prompt " + std::to_string(prompt)] = {prompt * 3.0, 2.0};
    b["prompt " + std::to_string(prompt)] = {prompt * 3.0 + 0.5, 2.0};  // a mean that is 0.25 larger
  }
  const Interval d = paired_difference(a, b, 7);
  EXPECT_NEAR(d.value, 0.25, 1e-12);
  EXPECT_NEAR(d.low, 0.25, 1e-12);
  EXPECT_NEAR(d.high, 0.25, 1e-12);
  EXPECT_TRUE(tells_apart(d));
}

TEST(Difference, PromptsWithMoreDrawsCountMore) {
  const Grouped a{{"x", {0.0, 1.0}}, {"y", {0.0, 3.0}}}, b{{"x", {1.0, 1.0}}, {"y", {0.0, 3.0}}};
  EXPECT_DOUBLE_EQ(paired_difference(a, b, 0).value, 0.25);
}

TEST(Difference, IsOfTheSameGroupsByName) {
  EXPECT_TRUE(have_same_groups({{"x", {1, 1}}}, {{"x", {5, 2}}}));
  EXPECT_FALSE(have_same_groups({{"x", {1, 1}}}, {{"y", {1, 1}}}));
  EXPECT_FALSE(have_same_groups({{"x", {1, 1}}}, {{"x", {1, 1}}, {"y", {1, 1}}}));
}

TEST(Difference, AnIntervalThatTouchesNothingIsNotToldApart) {
  EXPECT_TRUE(tells_apart({0.1, 0.01, 0.2}));
  EXPECT_TRUE(tells_apart({-0.1, -0.2, -0.01}));
  EXPECT_FALSE(tells_apart({0.1, 0.0, 0.2}));
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(tells_apart({none, none, none}));
  EXPECT_TRUE(std::isnan(paired_difference({}, {}, 0).value));
}

}  // namespace
}  // namespace rlaif::evaluate
