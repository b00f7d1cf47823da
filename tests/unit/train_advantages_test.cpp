// Advantages over groups against numbers worked by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "rlaif/train/advantages.hpp"

namespace rlaif::train {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using Numbers = std::vector<double>;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
// Of numbers that are given to as many digits as the tests write, and of 1e-4 beside a deviation.
auto near(double value) { return DoubleNear(value, 1e-4 * std::max(1.0, std::fabs(value)) / 2); }
auto exactly(double value) { return DoubleNear(value, 1e-12); }

// `right` responses of 8 are worth 1, the others 0: what a right one and a wrong one get.
std::pair<double, double> of_eight(int right, Numbers (*advantages)(std::span<const double>)) {
  Numbers rewards(8, 0.0);
  std::fill(rewards.begin(), rewards.begin() + right, 1.0);
  const Numbers all = advantages(rewards);
  return {all.front(), all.back()};
}

TEST(LeaveOneOut, IsTheRewardLessTheMeanOfTheOthers) {
  EXPECT_THAT(leave_one_out_advantages(Numbers{2, 1, 0.5, 0.5}),
              ElementsAre(exactly(4.0 / 3.0), exactly(0.0), exactly(-2.0 / 3.0), exactly(-2.0 / 3.0)));
  // Baselines 2.5, 2, 1.5.
  EXPECT_THAT(leave_one_out_advantages(Numbers{1, 2, 3}), ElementsAre(exactly(-1.5), exactly(0.0), exactly(1.5)));
}

TEST(LeaveOneOut, IsTheGroupMeansAdvantageTimesGOverGLess1) {
  const Numbers rewards{0.3, -1.0, 2.5, 0.75, 0.1};
  const Numbers left_out = leave_one_out_advantages(rewards), mean = group_mean_advantages(rewards);
  for (std::size_t i = 0; i < rewards.size(); ++i) EXPECT_NEAR(left_out[i], 5.0 / 4.0 * mean[i], 1e-12);
}

TEST(LeaveOneOut, ARewardThatCouldNotBeHadLeavesTheBaselinesAndGets0) {
  // Baselines 3, none, 1.
  EXPECT_THAT(leave_one_out_advantages(Numbers{1, kMissing, 3}), ElementsAre(exactly(-2.0), 0.0, exactly(2.0)));
  EXPECT_THAT(leave_one_out_advantages(Numbers{kMissing, 5, kMissing}), ElementsAre(0.0, 0.0, 0.0));
  EXPECT_THAT(leave_one_out_advantages(Numbers{4}), ElementsAre(0.0));
}

TEST(Group, IsInSampleDeviations) {
  EXPECT_THAT(group_advantages(Numbers{1, 0, 0, 0}), ElementsAre(DoubleNear(1.5, 5e-4), DoubleNear(-0.5, 2e-4),
                                                                 DoubleNear(-0.5, 2e-4), DoubleNear(-0.5, 2e-4)));
}

TEST(Group, OneRightAnswerOfEight) {
  const auto [right, wrong] = of_eight(1, group_advantages);
  // s = .353553, beside which 1e-4 takes off .00028 of it.
  EXPECT_NEAR(right, 2.4749 * 0.353553 / 0.353653, 1e-4);
  EXPECT_NEAR(wrong, -0.3536 * 0.353553 / 0.353653, 1e-4);
  EXPECT_THAT(of_eight(1, group_mean_advantages), ::testing::Pair(exactly(0.875), exactly(-0.125)));
  EXPECT_THAT(of_eight(1, leave_one_out_advantages), ::testing::Pair(exactly(1.0), near(-0.1429)));
}

TEST(Group, FourRightAnswersOfEight) {
  const auto [right, wrong] = of_eight(4, group_advantages);
  EXPECT_NEAR(right, 0.9354 * 0.534522 / 0.534622, 1e-4);
  EXPECT_NEAR(wrong, -0.9354 * 0.534522 / 0.534622, 1e-4);
  EXPECT_THAT(of_eight(4, group_mean_advantages), ::testing::Pair(exactly(0.5), exactly(-0.5)));
  EXPECT_THAT(of_eight(4, leave_one_out_advantages), ::testing::Pair(near(0.5714), near(-0.5714)));
}

TEST(Group, SevenRightAnswersOfEightMirrorOne) {
  const auto one = of_eight(1, group_advantages), seven = of_eight(7, group_advantages);
  EXPECT_NEAR(seven.first, -one.second, 1e-12);
  EXPECT_NEAR(seven.second, -one.first, 1e-12);
}

TEST(Group, NearTiesAreBlownUpWhereTheMeanAloneLeavesThemSmall) {
  const Numbers rewards{0.50, 0.51, 0.49, 0.50, 0.52, 0.48, 0.50, 0.50};
  // s = .01195: .02 are 1.673 deviations, less by the 1e-4 beside it.
  const Numbers scaled = group_advantages(rewards), mean = group_mean_advantages(rewards);
  EXPECT_NEAR(scaled[4], 1.673 * 0.011952 / 0.012052, 1e-3);
  EXPECT_NEAR(scaled[5], -1.673 * 0.011952 / 0.012052, 1e-3);
  EXPECT_NEAR(scaled[0], 0.0, 1e-12);
  EXPECT_NEAR(mean[4], 0.02, 1e-12);
}

// Seven times .95 have a deviation of 0; the mean square less the squared mean rounds to a little more or less, and who
// divides by its root gets advantages of -2075 (NeMo-RL issue 4158).
TEST(Group, EqualRewardsHaveAdvantagesOf0WhateverRounds) {
  for (const double reward : {0.95, 0.1, 1.0 / 3.0, 1e6 + 0.1}) {
    for (const double advantage : group_advantages(Numbers(7, reward)))
      EXPECT_NEAR(advantage, 0.0, 7.0 * reward * std::numeric_limits<double>::epsilon() / 1e-4);
  }
  const Numbers all = group_advantages(Numbers{0, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95});
  EXPECT_NEAR(all[0], -2.4749, 1e-3);
  EXPECT_NEAR(all[1], 0.3536, 1e-3);
}

TEST(Group, NoAdvantageIsBeyondTheRootOfGLess1) {
  const Numbers rewards{-1e9, 3, 3.1, 2.9, 3, 3, 3, 3};
  for (const double advantage : group_advantages(rewards)) EXPECT_LE(std::fabs(advantage), std::sqrt(7.0));
}

TEST(Group, AFailedScoreLeavesMeanAndDeviation) {
  const Numbers with = group_advantages(Numbers{1, kMissing, 0, 0.5}), without = group_advantages(Numbers{1, 0, 0.5});
  EXPECT_EQ((Numbers{with[0], with[2], with[3]}), without);
  EXPECT_EQ(with[1], 0.0);
}

TEST(Group, TheAdvantagesOfAllHaveAMeanOf0) {
  const Numbers rewards{0.2, kMissing, -1.4, 2.0, 0.7};
  for (auto* advantages : {group_advantages, group_mean_advantages, leave_one_out_advantages}) {
    const Numbers all = advantages(rewards);
    EXPECT_NEAR(std::accumulate(all.begin(), all.end(), 0.0), 0.0, 1e-12);
  }
}

TEST(Baseline, IsTakenOffWhatIsThere) {
  EXPECT_THAT(baseline_advantages(Numbers{1, kMissing, -0.5}, 0.25), ElementsAre(0.75, 0.0, -0.75));
  EXPECT_THAT(baseline_advantages(Numbers{1, 2}, kMissing), ElementsAre(0.0, 0.0));
}

TEST(SilentGroups, AreThoseOfEqualRewards) {
  EXPECT_TRUE(is_silent(Numbers{0.3, 0.3, 0.3}));
  EXPECT_TRUE(is_silent(Numbers{0.3, kMissing, 0.3}));
  EXPECT_FALSE(is_silent(Numbers{0.3, 0.3, 0.31}));
  EXPECT_FALSE(is_silent(Numbers{0.3})) << "one response is no group";
  EXPECT_FALSE(is_silent(Numbers{kMissing, kMissing}));
}

// p^G + (1 - p)^G over all groups of right and wrong answers.
TEST(SilentGroups, AreAsManyAsChanceSays) {
  const auto share = [](double p, int size) {
    double sum = 0.0;
    for (unsigned answers = 0; answers < (1U << size); ++answers) {
      Numbers rewards;
      double probability = 1.0;
      for (int i = 0; i < size; ++i) {
        const bool right = (answers >> i & 1U) != 0;
        rewards.push_back(right ? 1.0 : 0.0);
        probability *= right ? p : 1.0 - p;
      }
      if (is_silent(rewards)) sum += probability;
    }
    return sum;
  };
  EXPECT_NEAR(share(0.9, 4), 0.656, 5e-4);
  EXPECT_NEAR(share(0.9, 8), 0.430, 5e-4);
  EXPECT_NEAR(share(0.9, 16), 0.185, 5e-4);
  EXPECT_NEAR(share(0.5, 4), 0.125, 5e-4);
  EXPECT_NEAR(share(0.5, 8), 0.0078, 5e-5);
  EXPECT_NEAR(share(0.5, 16), 0.00003, 5e-6);
}

}  // namespace
}  // namespace rlaif::train
