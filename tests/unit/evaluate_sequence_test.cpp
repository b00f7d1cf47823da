#include "rlaif/evaluate/sequence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "rlaif/core/rng.hpp"

namespace rlaif::evaluate {
namespace {

TEST(ConfidenceSequence, OfNothingIsEverything) {
  const ConfidenceSequence sequence(0.05);
  EXPECT_FALSE(sequence.excludes(0.5));
  EXPECT_EQ(sequence.low(), 0.0);
  EXPECT_EQ(sequence.high(), 1.0);
}

// Against one half every bet is cut to the most that may be at risk: a win multiplies the capital by 3 / 2. Half of it
// reaches 20 with the tenth win: 1.5^9 / 2 = 19.2, 1.5^10 / 2 = 28.8.
TEST(ConfidenceSequence, TenWinsInARowExcludeAHalfAtFivePercent) {
  ConfidenceSequence wins(0.05), losses(0.05);
  for (int i = 0; i < 9; ++i) wins.add(1.0), losses.add(0.0);
  EXPECT_FALSE(wins.excludes(0.5));
  EXPECT_FALSE(losses.excludes(0.5));
  wins.add(1.0), losses.add(0.0);
  EXPECT_TRUE(wins.excludes(0.5));
  EXPECT_TRUE(losses.excludes(0.5));
  EXPECT_GT(wins.low(), 0.5);
  EXPECT_LT(losses.high(), 0.5);
  EXPECT_NEAR(wins.low(), 1.0 - losses.high(), 1e-8);
}

TEST(ConfidenceSequence, TiesSayNothing) {
  ConfidenceSequence sequence(0.05);
  for (int i = 0; i < 500; ++i) sequence.add(0.5);
  EXPECT_FALSE(sequence.excludes(0.5));
  EXPECT_LT(sequence.low(), 0.5);
  EXPECT_GT(sequence.high(), 0.5);
  EXPECT_GT(sequence.low(), 0.4);  // no variance: it narrows fast
}

// By the formulas of the paper over a grid of 200,000 means, in numpy.
TEST(ConfidenceSequence, AgreesWithAnIndependentReference) {
  ConfidenceSequence sequence(0.1);
  for (const double value :
       {1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 0.9, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5})
    sequence.add(value);
  EXPECT_NEAR(sequence.low(), 0.59903, 1e-5);
  EXPECT_NEAR(sequence.high(), 0.982815, 1e-5);
}

// A gambler who bets for 40 values is the other half of each side: by numpy likewise.
TEST(ConfidenceSequence, WithAHorizonAgreesWithAnIndependentReference) {
  ConfidenceSequence sequence(0.1, 40);
  for (const double value :
       {1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 0.9, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5})
    sequence.add(value);
  EXPECT_NEAR(sequence.low(), 0.598520, 1e-5);
  EXPECT_NEAR(sequence.high(), 0.992785, 1e-5);
}

// Studies of at most 500 prompts, looked at after every 25: how many end with a half excluded, and how many prompts they ask.
struct Simulated {
  int studies = 0, excluded = 0;
  std::int64_t prompts = 0;
};

Simulated simulate(double win_rate, double tie_rate, std::uint64_t key) {
  constexpr int most = 500, look_every = 25;
  Simulated all;
  for (std::uint64_t study = 0; study < 200; ++study, ++all.studies) {
    Rng rng(key, Stream::test, {study});
    ConfidenceSequence sequence(0.05, most);
    int asked = 0;
    while (asked < most && !sequence.excludes(0.5)) {
      for (int i = 0; i < look_every; ++i, ++asked) {
        const bool is_tie = rng.uniform() < tie_rate;
        const double win = rng.uniform() < win_rate ? 1.0 : 0.0;
        sequence.add(is_tie ? 0.5 : win);
      }
    }
    all.excluded += sequence.excludes(0.5);
    all.prompts += asked;
  }
  const std::string what =
      "at_" + std::to_string(std::lround(100 * win_rate)) + "_ties_" + std::to_string(std::lround(100 * tie_rate));
  ::testing::Test::RecordProperty(what + "_excluded", all.excluded);
  ::testing::Test::RecordProperty(what + "_prompts_a_study", static_cast<int>(all.prompts / all.studies));
  return all;
}

// 10 of 200 are allowed, with a standard deviation of 3.1: 19 is three of them above.
TEST(ConfidenceSequence, ErrsNoMoreOftenThanItSaysWhereNobodyIsBetter) {
  EXPECT_LE(simulate(0.5, 0.0, 1).excluded, 19);
  EXPECT_LE(simulate(0.5, 0.3, 2).excluded, 19);
}

TEST(ConfidenceSequence, SavesMostOfThePromptsWhereOneIsBetter) {
  const Simulated clear = simulate(0.7, 0.0, 3);
  EXPECT_GE(clear.excluded, 195);
  EXPECT_LT(clear.prompts, 200 * 150);  // of 200 * 500
  const Simulated close = simulate(0.6, 0.0, 4);
  EXPECT_GE(close.excluded, 180);
  EXPECT_LT(close.prompts, 200 * 300);
}

}  // namespace
}  // namespace rlaif::evaluate
