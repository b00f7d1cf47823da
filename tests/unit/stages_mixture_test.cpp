#include "../../src/stages/makers/mixture.hpp"

#include <gtest/gtest.h>

namespace rlaif::stages {
namespace {

// 1 + 4.5 (U + 1): 9.325, 7.75, 5.5, 4.825 and 1 of .85, .5, 0, -.15 and -1; a half is rounded up.
TEST(ScoreOfUtilityTest, RoundsOntoTheScale) {
  EXPECT_EQ(mixture::score_of_utility(1.0), 10);
  EXPECT_EQ(mixture::score_of_utility(0.85), 9);
  EXPECT_EQ(mixture::score_of_utility(0.5), 8);
  EXPECT_EQ(mixture::score_of_utility(0.0), 6);
  EXPECT_EQ(mixture::score_of_utility(-0.15), 5);
  EXPECT_EQ(mixture::score_of_utility(-1.0), 1);
  EXPECT_EQ(mixture::score_of_utility(-1.8), 1);
}

}  // namespace
}  // namespace rlaif::stages
