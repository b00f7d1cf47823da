// Sums that do not depend on the number of ranks.
//
// A global batch is cut into a fixed number G of grains. Each grain's gradient is computed as a whole by one
// rank; the grains are summed along one fixed binary tree over 0..G-1. Ranks own contiguous grains, add up
// the complete subtrees they own, and exchange the rest. Floating-point addition happens in the same order on
// any number of ranks, so a run on 1, 2 or 3 ranks gives the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "rlaif/comm/communicator.hpp"

namespace rlaif::comm {

struct GrainRange {
  int begin = 0;
  int end = 0;  // exclusive
  int count() const { return end - begin; }
};

// The grains of a rank: contiguous, in rank order, sizes differ by at most one; empty for ranks beyond `grains`.
GrainRange grains_of(int rank, int ranks, int grains);

// A complete subtree of the summation tree: grains [index << level, (index + 1) << level), clipped to G.
struct TreeNode {
  int level = 0;
  int index = 0;
  bool operator==(const TreeNode&) const = default;
};
// The maximal subtrees that cover a range, left to right.
std::vector<TreeNode> tree_nodes(GrainRange range, int grains);

// Accumulates grain vectors of one length in tree order. Usage per step:
//   for each own grain g in order: fill a buffer, add(g, buffer);
//   reduce(out): collective; out = tree sum over all grains, the same bits on every rank.
// Memory: at most log2(G) + 1 vectors, and what reduce receives: of every other rank's partial sums this rank's
// share. The result is the same whether G is a power of two or not; NaN and infinities pass through.
// `comm` outlives the sum. Wrong use (a grain twice, out of order, left out) is a broken invariant.
class GrainSum {
 public:
  GrainSum(const Communicator& comm, int grains, std::size_t length);

  GrainRange own() const { return range_; }
  void add(int grain, std::span<const float> values);
  void reduce(std::span<float> out);

 private:
  const Communicator& comm_;
  int grains_;
  std::size_t length_;
  GrainRange range_;
  struct Partial {
    TreeNode node;
    std::vector<float> values;
  };
  void merge_up();
  void exchange(std::span<float> out);
  void exchange_piece(std::size_t at, std::span<float> out);

  std::vector<Partial> partials_;
  std::vector<std::vector<float>> spare_;  // buffers of earlier steps
  std::vector<float> received_;
};

// One row of statistics per grain, gathered in grain order on every rank: own_rows has range.count() rows of
// `width` doubles; returns G x width, row-major.
std::vector<double> gather_grain_rows(const Communicator& comm, int grains, std::span<const double> own_rows,
                                      std::size_t width);

}  // namespace rlaif::comm
