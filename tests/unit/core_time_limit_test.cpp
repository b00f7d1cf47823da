#include "rlaif/core/time_limit.hpp"

#include <gtest/gtest.h>

namespace rlaif {
namespace {

TEST(TimeLimit, WithoutAnEndAWarningStopsAtOnce) {
  TimeLimit limit(std::nullopt);
  EXPECT_FALSE(limit.reached(false));
  EXPECT_TRUE(limit.reached(true));
}

TEST(TimeLimit, RunsUntilTwiceTheSlowestStepAndSavingNoLongerFit) {
  double now = 1000;
  TimeLimit limit(1100, [&] { return now; });
  EXPECT_FALSE(limit.reached(false));
  now = 1020;  // a step of 20 s: 40 s and 10 s of saving are wanted, 80 s are left
  EXPECT_FALSE(limit.reached(true));
  now = 1050;  // one of 30 s: 70 s are wanted, 50 s are left
  EXPECT_TRUE(limit.reached(true));
  TimeLimit quick(1100, [&] { return now; });
  for (now = 1000; now < 1087; now += 1) EXPECT_FALSE(quick.reached(now > 1020)) << now;
  now = 1089;
  EXPECT_TRUE(quick.reached(false));  // unasked too
}

TEST(TimeLimit, AWarningLongBeforeTheEndStopsAtOnce) {
  double now = 1000;
  TimeLimit limit(1000 + 601, [&] { return now; });
  EXPECT_TRUE(limit.reached(true));
  EXPECT_FALSE(limit.reached(false));
}

TEST(TimeLimit, AStepLongAgoIsForgotten) {
  double now = 0;
  TimeLimit limit(1000, [&] { return now; });
  EXPECT_FALSE(limit.reached(false));
  now = 300;  // loading a model
  EXPECT_FALSE(limit.reached(false));
  for (int step = 0; step < 50; ++step) EXPECT_FALSE(limit.reached(false)) << (now += 1);
  now = 900;  // with the 300 s still known this were too late
  TimeLimit fresh(1000, [&] { return now; });
  EXPECT_FALSE(fresh.reached(false));
}

}  // namespace
}  // namespace rlaif
