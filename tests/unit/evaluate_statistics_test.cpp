#include "rlaif/evaluate/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "rlaif/core/rng.hpp"

namespace rlaif::evaluate {
namespace {

TEST(Bootstrap, OfTwoGroupsReachesFromOneToTheOther) {
  const std::vector<double> values{0, 1};  // each alone makes a quarter of the resamples
  const Interval interval = bootstrap_mean(values, 1);
  EXPECT_EQ(interval.value, 0.5);
  EXPECT_EQ(interval.low, 0.0);
  EXPECT_EQ(interval.high, 1.0);
}

TEST(Bootstrap, OfAConstantHasNoWidth) {
  const std::vector<double> values(7, 0.25);
  const Interval interval = bootstrap_mean(values, 1);
  EXPECT_EQ(interval.value, 0.25);
  EXPECT_EQ(interval.low, 0.25);
  EXPECT_EQ(interval.high, 0.25);
}

TEST(Bootstrap, AgreesWithTheNormalApproximation) {
  std::vector<double> values(400, 0.0);
  std::fill(values.begin(), values.begin() + 100, 1.0);
  // Standard error sqrt(.25 * .75 / 400) = .02165; 1.96 of it are .0424.
  const Interval interval = bootstrap_mean(values, 3);
  EXPECT_EQ(interval.value, 0.25);
  EXPECT_NEAR(interval.low, 0.25 - 0.0424, 0.005);
  EXPECT_NEAR(interval.high, 0.25 + 0.0424, 0.005);
}

TEST(Bootstrap, IsKeyedBySeed) {
  std::vector<double> values(50);
  Rng rng(1, Stream::test);
  for (double& value : values) value = rng.normal();
  const Interval a = bootstrap_mean(values, 5), b = bootstrap_mean(values, 5), c = bootstrap_mean(values, 6);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low, c.low);
}

TEST(Bootstrap, CoversTheTruthAboutAsOftenAsItSays) {
  int covered = 0;
  constexpr int studies = 200;
  for (std::uint64_t study = 0; study < studies; ++study) {
    Rng rng(9, Stream::test, {study});
    std::vector<double> values(60);
    for (double& value : values) value = rng.normal();
    const Interval interval = bootstrap_mean(values, study, 400);
    covered += interval.low <= 0.0 && 0.0 <= interval.high;
  }
  EXPECT_GE(covered, 180);  // of 200; 190 expected, 3.2 standard deviations below
  EXPECT_LE(covered, 200);
}

TEST(Bootstrap, OfNothingIsNotANumber) {
  EXPECT_TRUE(std::isnan(bootstrap_mean({}, 1).value));
  EXPECT_TRUE(std::isnan(agreement({}, {})));
  EXPECT_TRUE(std::isnan(rate(std::vector<std::vector<std::optional<bool>>>{{std::nullopt}}, 1).value));
}

TEST(Bootstrap, ResamplesWithoutTheStatisticAreLeftOut) {
  // Three in four groups hold nothing; a resample of only those has no ratio.
  const std::vector<double> hits{1, 0, 0, 0}, counts{2, 0, 0, 0};
  const Interval interval = bootstrap_ratio(hits, counts, 1);
  EXPECT_EQ(interval.value, 0.5);
  EXPECT_EQ(interval.low, 0.5);
  EXPECT_EQ(interval.high, 0.5);
}

TEST(GroupedMeans, WeighValuesNotRows) {
  const std::vector<std::vector<double>> values{{1, 2, 3}, {10}};
  EXPECT_EQ(mean(values, 1).value, 4.0);
  EXPECT_EQ(mean(values, 1).low, 2.0);
  EXPECT_EQ(mean(values, 1).high, 10.0);
  const std::vector<std::vector<std::optional<bool>>> flags{{true, false, std::nullopt}, {std::nullopt}, {true, true}};
  EXPECT_EQ(rate(flags, 1).value, 0.75);
}

TEST(WinRate, CountsAllPairsOfAPromptAndHalvesTies) {
  const std::vector<std::vector<double>> a{{1.0, 0.0}, {0.7}}, b{{0.0, 0.5}, {0.7 + 1e-12}};
  // First prompt: 1 > 0, 1 > .5, 0 = 0, 0 < .5 give 2.5 of 4; second: a tie within rounding, .5 of 1.
  EXPECT_DOUBLE_EQ(win_rate(a, b, 1).value, 3.0 / 5.0);
  EXPECT_DOUBLE_EQ(win_rate(b, a, 1).value, 2.0 / 5.0);
  EXPECT_DOUBLE_EQ(win_rate(a, a, 1).value, 0.5);
}

TEST(WinRate, OfAPolicyAgainstItselfIsNearHalf) {
  std::vector<std::vector<double>> a(300), b(300);
  Rng rng(2, Stream::test);
  for (std::size_t prompt = 0; prompt < a.size(); ++prompt) {
    for (int sample = 0; sample < 4; ++sample) {
      a[prompt].push_back(rng.normal());
      b[prompt].push_back(rng.normal());
    }
  }
  const Interval interval = win_rate(a, b, 1);
  EXPECT_LT(interval.low, 0.5);
  EXPECT_GT(interval.high, 0.5);
  EXPECT_LT(interval.high - interval.low, 0.08);
}

TEST(Agreement, CountsSidesAndHalvesTies) {
  const std::vector<double> a{0.9, 0.2, 0.5, 0.7, 0.5}, b{0.6, 0.8, 0.9, 1.0, 0.5};
  EXPECT_DOUBLE_EQ(agreement(a, b), 3.0 / 5.0);  // 1, 0, .5, 1, .5
}

}  // namespace
}  // namespace rlaif::evaluate
