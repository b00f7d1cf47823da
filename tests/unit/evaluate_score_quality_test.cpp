#include "rlaif/evaluate/score_quality.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace rlaif::evaluate {
namespace {

using Values = std::vector<double>;

TEST(RanksTest, EqualValuesShareTheMeanOfTheirPlaces) {
  EXPECT_EQ(ranks(Values{3.0, 1.0, 2.0}), (Values{3.0, 1.0, 2.0}));
  EXPECT_EQ(ranks(Values{5.0, 5.0, 1.0, 5.0}), (Values{3.0, 3.0, 1.0, 3.0}));
  EXPECT_TRUE(ranks(Values{}).empty());
}

// Ranks 1 2 3 4 5 against 2 1 4 3 5: sum of squared differences 4, 1 - 6 * 4 / (5 * 24) = 0.8.
TEST(SpearmanTest, OrdersAlone) {
  EXPECT_NEAR(spearman(Values{1, 2, 3, 4, 5}, Values{20, 10, 40, 30, 500}), 0.8, 1e-15);
  EXPECT_NEAR(spearman(Values{1, 2, 3}, Values{-1, -8, -9}), -1.0, 1e-15);
  // With ties: ranks 1.5 1.5 3 and 1 2 3 have means 2, products 0.5 + 0 + 1 = 1.5, squares 1.5 and 2.
  EXPECT_NEAR(spearman(Values{7, 7, 9}, Values{1, 2, 3}), 1.5 / std::sqrt(3.0), 1e-15);
  EXPECT_TRUE(std::isnan(spearman(Values{1, 1}, Values{1, 2})));
  EXPECT_TRUE(std::isnan(spearman(Values{}, Values{})));
}

// Prompt 1: right and one tie of scores; prompt 2: wrong; prompt 3: worth the same, left out. Of four pairs
// (1 + .5 + 1 + 0) / 4.
TEST(ScoreQualityTest, CountsPairsOfAPromptThatAreWorthDifferently) {
  const std::vector<ScoredResponse> responses{{1, 8, 1.0}, {1, 2, -1.0}, {1, 2, 0.0}, {2, 3, 1.0},
                                              {2, 9, 0.5}, {3, 1, 1.0},  {3, 5, 1.0}};
  const ScoreQuality quality = score_quality(responses, 3, 7, 100);
  EXPECT_EQ(quality.responses, 7);
  EXPECT_NEAR(quality.within_prompt.value, 2.5 / 4.0, 1e-12);
  EXPECT_NEAR(quality.silent, 0.25, 1e-12);
  EXPECT_LE(quality.spearman.low, quality.spearman.value);
  EXPECT_GE(quality.spearman.high, quality.spearman.value);
}

// In order of score 1 2 2 3 5 8 9 in bins of 2, 2 and 3.
TEST(ScoreQualityTest, TellsWhatEachPartOfTheScaleIsWorth) {
  const std::vector<ScoredResponse> responses{{1, 8, 1.0}, {1, 2, -1.0}, {1, 2, 0.0}, {2, 3, 1.0},
                                              {2, 9, 0.5}, {3, 1, 1.0},  {3, 5, 1.0}};
  const auto bins = score_quality(responses, 3, 7, 10).reliability;
  ASSERT_EQ(bins.size(), 3u);
  EXPECT_EQ(bins[0].responses, 2);
  EXPECT_NEAR(bins[0].score, 1.5, 1e-12);
  EXPECT_NEAR(bins[0].known, 0.0, 1e-12);
  EXPECT_NEAR(bins[1].score, 2.5, 1e-12);
  EXPECT_NEAR(bins[1].known, 0.5, 1e-12);
  EXPECT_NEAR(bins[2].score, 22.0 / 3.0, 1e-12);
  EXPECT_NEAR(bins[2].known, 2.5 / 3.0, 1e-12);
}

}  // namespace
}  // namespace rlaif::evaluate
