// What progress says, in a log and on a terminal.
#include "rlaif/core/progress.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rlaif {
namespace {

TEST(Progress, ALogHasAPlainLine) {
  ProgressFacts facts{"sft", "step", "loss 2.31", 12, 40, 4.0, 3.0, false};
  EXPECT_EQ(plain_line(facts), "sft: 12/40 steps, 4/s, ETA 7.0s, loss 2.31");
  facts.is_last = true;
  EXPECT_EQ(plain_line(facts), "sft: 12/40 steps, 4/s, took 3.0s, loss 2.31");
}

TEST(Progress, ATerminalHasABarThatEndsAtItsEdge) {
  const ProgressFacts facts{"ppo-rlaif", "step", "reward 0.71, $0.42", 37, 80, 1.25, 29.6, false};
  EXPECT_EQ(live_line(facts, 200),
            "ppo-rlaif          [#########...........]  46 %  37/80 steps  1.25/s  ETA 34s  reward 0.71, $0.42");
  EXPECT_EQ(live_line(facts, 50), "ppo-rlaif          [#########...........]  46 %  ");
  // 29 of 50 are 58 %, which 100.0 * (29.0 / 50.0) falls short of.
  EXPECT_EQ(live_line({"x", "step", "", 29, 50, 1.0, 29.0, false}, 54),
            "x                  [###########.........]  58 %  29/5");
  EXPECT_EQ(live_line({"x", "block", "", 0, 0, 0.0, 0.0, true}, 200),
            "x                  [####################] 100 %  0/0 blocks  0/s  took 0.0s");
}

TEST(Progress, NothingIsToldOfTheTimeLeftWhereNothingIsDone) {
  EXPECT_TRUE(std::isnan(ProgressFacts({"x", "step", "", 0, 10, 0.0, 5.0, false}).eta_seconds()));
  EXPECT_DOUBLE_EQ(ProgressFacts({"x", "step", "", 4, 10, 2.0, 5.0, false}).eta_seconds(), 3.0);
}

TEST(Progress, DollarsAreToTheCentAndSmallOnesToTwoFigures) {
  EXPECT_EQ(format_usd(0.0), "$0.00");
  EXPECT_EQ(format_usd(12.345), "$12.35");
  EXPECT_EQ(format_usd(0.42), "$0.42");
  EXPECT_EQ(format_usd(0.0123), "$0.012");
  EXPECT_EQ(format_usd(0.00004567), "$0.000046");
}

}  // namespace
}  // namespace rlaif
