#include <gtest/gtest.h>

#include "rlaif/comm/grains.hpp"

namespace rlaif::comm {
namespace {

TEST(Grains, AreCutIntoContiguousRangesWhoseSizesDifferByAtMostOne) {
  for (int grains : {1, 2, 3, 4, 5, 7, 8, 16}) {
    for (int ranks : {1, 2, 3, 5, 9}) {
      int next = 0;
      for (int r = 0; r < ranks; ++r) {
        const GrainRange range = grains_of(r, ranks, grains);
        EXPECT_EQ(range.begin, next);
        EXPECT_GE(range.count(), grains / ranks);
        EXPECT_LE(range.count(), (grains + ranks - 1) / ranks);
        next = range.end;
      }
      EXPECT_EQ(next, grains) << grains << " grains on " << ranks << " ranks";
    }
  }
}

TEST(Grains, RanksBeyondTheirNumberOwnNone) {
  EXPECT_EQ(grains_of(1, 5, 2).count(), 1);
  for (int r : {2, 3, 4}) EXPECT_EQ(grains_of(r, 5, 2).count(), 0);
}

using Nodes = std::vector<TreeNode>;

TEST(TreeNodes, CoverARangeByItsLargestSubtrees) {
  EXPECT_EQ(tree_nodes({0, 8}, 8), (Nodes{{3, 0}}));
  EXPECT_EQ(tree_nodes({0, 4}, 8), (Nodes{{2, 0}}));
  EXPECT_EQ(tree_nodes({0, 3}, 8), (Nodes{{1, 0}, {0, 2}}));
  EXPECT_EQ(tree_nodes({3, 6}, 8), (Nodes{{0, 3}, {1, 2}}));
  EXPECT_EQ(tree_nodes({6, 8}, 8), (Nodes{{1, 3}}));
  EXPECT_EQ(tree_nodes({1, 7}, 8), (Nodes{{0, 1}, {1, 1}, {1, 2}, {0, 6}}));
  EXPECT_TRUE(tree_nodes({4, 4}, 8).empty());
}

TEST(TreeNodes, AreClippedWhereTheGrainsAreNoPowerOfTwo) {
  EXPECT_EQ(tree_nodes({0, 1}, 1), (Nodes{{0, 0}}));
  EXPECT_EQ(tree_nodes({0, 3}, 3), (Nodes{{2, 0}}));
  EXPECT_EQ(tree_nodes({2, 3}, 3), (Nodes{{1, 1}}));  // grains 2..3, of which 3 is not there
  EXPECT_EQ(tree_nodes({4, 5}, 5), (Nodes{{2, 1}}));  // grains 4..7, of which 4 is there
  EXPECT_EQ(tree_nodes({3, 5}, 5), (Nodes{{0, 3}, {2, 1}}));
  EXPECT_EQ(tree_nodes({4, 6}, 6), (Nodes{{2, 1}}));
}

}  // namespace
}  // namespace rlaif::comm
