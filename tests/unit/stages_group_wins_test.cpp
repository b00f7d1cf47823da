#include "../../src/stages/rewards/group_wins.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace rlaif::stages {
namespace {

TEST(GroupWins, AreMeansOverTheOthersAndAddUpToHalfTheGroup) {
  // Pairs (0,1), (0,2), (1,2) of a group of three, then the one pair of a group of two.
  const std::vector<double> preferred{0.9, 0.8, 0.6, 0.25};
  const std::vector<std::size_t> sizes{3, 2};
  const std::vector<double> wins = wins_in_groups(preferred, sizes);
  const std::vector<double> expected{0.85, 0.35, 0.30, 0.25, 0.75};
  ASSERT_EQ(wins.size(), expected.size());
  for (std::size_t i = 0; i < wins.size(); ++i) EXPECT_NEAR(wins[i], expected[i], 1e-12) << i;
  EXPECT_NEAR(wins[0] + wins[1] + wins[2], 1.5, 1e-12);
  EXPECT_NEAR(wins[3] + wins[4], 1.0, 1e-12);
}

TEST(GroupWins, APairWithoutAVerdictLeavesBothMeans) {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::size_t> sizes{3};
  const std::vector<double> wins = wins_in_groups(std::vector<double>{missing, 0.8, 0.6}, sizes);
  EXPECT_NEAR(wins[0], 0.8, 1e-12);
  EXPECT_NEAR(wins[1], 0.6, 1e-12);
  EXPECT_NEAR(wins[2], 0.3, 1e-12);
  for (const double win : wins_in_groups(std::vector<double>{missing, missing, missing}, sizes))
    EXPECT_TRUE(std::isnan(win));
}

}  // namespace
}  // namespace rlaif::stages
