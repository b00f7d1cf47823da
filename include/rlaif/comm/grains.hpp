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

// Elements [begin, end) of a vector that is shared out over ranks.
struct Shard {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};
// The shard of a rank: contiguous, in the order of ranks, whole cache lines of floats but for the last; some may be empty.
Shard shard_of(std::size_t length, int rank, int ranks);
// Collective. Every rank has its own shard of `values`; afterwards all have all of it.
void share_shards(const Communicator& comm, std::span<float> values);
// Collective. The shards of all ranks, one after another, in `whole` on the root; elsewhere `whole` may be empty.
void collect_shards(const Communicator& comm, std::span<const float> mine, std::span<float> whole);
// Collective. Rank 0 changes `state` by calling f, then rank 1 goes on from there, and so on; every rank ends with what
// the last one left. For sums over shards in the very order in which one rank would add.
void in_rank_order(const Communicator& comm, std::span<double> state, const std::function<void()>& f);

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
  // As reduce for this rank's shard of `out` alone, whose bits are the same; the rest is left as it is. Half the traffic.
  void reduce_scatter(std::span<float> out);

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
  void check_complete(std::span<float> out) const;
  void recycle();
  void sum_chunks(std::span<const Shard> chunks, std::span<float> out);

  std::vector<Partial> partials_;
  std::vector<std::vector<float>> spare_;  // buffers of earlier steps
  std::vector<float> received_;
};

// One row of statistics per grain, gathered in grain order on every rank: own_rows has range.count() rows of
// `width` doubles; returns G x width, row-major.
std::vector<double> gather_grain_rows(const Communicator& comm, int grains, std::span<const double> own_rows,
                                      std::size_t width);

}  // namespace rlaif::comm
