#include "rlaif/comm/grains.hpp"

#include <algorithm>
#include <bit>
#include <climits>
#include <utility>

#include "mpi_handle.hpp"
#include "rlaif/core/error.hpp"
#include "waiting.hpp"

namespace rlaif::comm {
namespace {

constexpr int partial_tag = 2;
constexpr int result_tag = 3;
constexpr int shard_tag = 4;
constexpr int order_tag = 5;

int root_level(int grains) { return std::bit_width(static_cast<unsigned>(grains - 1)); }

GrainRange covered(TreeNode node, int grains) {
  const auto clip = [&](std::int64_t grain) { return static_cast<int>(std::min<std::int64_t>(grain, grains)); };
  return {clip(std::int64_t{node.index} << node.level), clip((std::int64_t{node.index} + 1) << node.level)};
}

TreeNode parent(TreeNode node) { return {node.level + 1, node.index / 2}; }
TreeNode left_child(TreeNode node) { return {node.level - 1, node.index * 2}; }
TreeNode right_child(TreeNode node) { return {node.level - 1, node.index * 2 + 1}; }
TreeNode sibling(TreeNode node) { return {node.level, node.index ^ 1}; }

void collect_nodes(TreeNode node, GrainRange range, int grains, std::vector<TreeNode>& out) {
  const GrainRange here = covered(node, grains);
  if (here.count() == 0 || here.begin >= range.end || here.end <= range.begin) return;
  if (range.begin <= here.begin && here.end <= range.end) {
    out.push_back(node);
    return;
  }
  collect_nodes(left_child(node), range, grains, out);
  collect_nodes(right_child(node), range, grains, out);
}

// The only addition of this file: out[i] = left[i] + right[i]; out may be left.
void add_vectors(const float* left, const float* right, float* out, std::size_t n) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) out[i] = left[i] + right[i];
}

struct Leaf {
  TreeNode node;
  float* values;
  int owner;  // the rank that summed it
};

// Sums the leaves under `node` along the tree, taking them from the front of `leaves` (they are in order).
// Inner sums overwrite their left operand; the last one goes to `out`.
float* sum_tree(TreeNode node, int grains, std::span<Leaf>& leaves, std::size_t n, float* out) {
  RLAIF_CHECK(!leaves.empty(), "the partial sums do not cover the tree");
  if (leaves.front().node == node) {
    float* values = leaves.front().values;
    leaves = leaves.subspan(1);
    return values;
  }
  RLAIF_CHECK(node.level > 0, "a grain is missing from the partial sums");
  float* left = sum_tree(left_child(node), grains, leaves, n, nullptr);
  if (covered(right_child(node), grains).count() == 0) return left;
  float* right = sum_tree(right_child(node), grains, leaves, n, nullptr);
  float* sum = out != nullptr ? out : left;
  add_vectors(left, right, sum, n);
  return sum;
}

// Every rank has its own chunk of `out`; afterwards it has all of them.
void share_chunks(const Communicator::Handle& h, std::span<const Shard> chunks, std::span<float> out) {
  const auto of = [&](int rank) -> const Shard& { return chunks[static_cast<std::size_t>(rank)]; };
  std::vector<MPI_Request> requests;
  for (int hop = 1; hop < h.size; ++hop) {
    const int from = (h.rank + h.size - hop) % h.size;
    RLAIF_MPI(MPI_Irecv(out.data() + of(from).begin, static_cast<int>(of(from).size()), MPI_FLOAT, from, result_tag,
                        h.comm, &requests.emplace_back()));
  }
  for (int hop = 1; hop < h.size; ++hop)
    RLAIF_MPI(MPI_Isend(out.data() + of(h.rank).begin, static_cast<int>(of(h.rank).size()), MPI_FLOAT,
                        (h.rank + hop) % h.size, result_tag, h.comm, &requests.emplace_back()));
  wait_all(requests, "an exchange of gradients");
}

// A long vector is exchanged in rounds, which bounds messages and receive buffers: at most this many floats a round.
std::size_t round_floats(const Communicator::Handle& h) {
  constexpr std::size_t longest = std::size_t{1} << 24;
  return std::max<std::size_t>(std::min(longest, h.max_message_bytes / sizeof(float)), 1);
}

// Chunks of consecutive pieces of the vector: in every round all ranks have something to do, and a whole result.
template <class Round>
void for_pieces(const Communicator::Handle& h, std::size_t length, Round round) {
  const std::size_t step = round_floats(h);
  std::vector<Shard> chunks(static_cast<std::size_t>(h.size));
  for (std::size_t at = 0; at < length; at += step) {
    const auto offsets = chunk_offsets(std::min(step, length - at), h.size);
    for (std::size_t r = 0; r < chunks.size(); ++r) chunks[r] = {at + offsets[r], at + offsets[r + 1]};
    round(chunks);
  }
}

// Chunks of the ranks' shards.
template <class Round>
void for_shard_pieces(const Communicator::Handle& h, std::size_t length, Round round) {
  const std::size_t step = std::max<std::size_t>(round_floats(h) / static_cast<std::size_t>(h.size), 1);
  const auto offsets = chunk_offsets(length, h.size);
  std::vector<Shard> chunks(static_cast<std::size_t>(h.size));
  bool more = true;
  for (std::size_t at = 0; more; at += step) {
    more = false;
    for (std::size_t r = 0; r < chunks.size(); ++r) {
      const std::size_t begin = std::min(offsets[r] + at, offsets[r + 1]);
      chunks[r] = {begin, std::min(begin + step, offsets[r + 1])};
      more = more || chunks[r].end < offsets[r + 1];
    }
    round(chunks);
  }
}

}  // namespace

GrainRange grains_of(int rank, int ranks, int grains) {
  RLAIF_CHECK(ranks > 0 && rank >= 0 && rank < ranks && grains >= 0, "a rank among ranks and a count of grains");
  const int each = grains / ranks;
  const int extra = grains % ranks;
  const int begin = rank * each + std::min(rank, extra);
  return {begin, begin + each + (rank < extra ? 1 : 0)};
}

std::vector<TreeNode> tree_nodes(GrainRange range, int grains) {
  std::vector<TreeNode> nodes;
  if (range.count() > 0) collect_nodes({root_level(grains), 0}, range, grains, nodes);
  return nodes;
}

GrainSum::GrainSum(const Communicator& comm, int grains, std::size_t length)
    : comm_(comm), grains_(grains), length_(length), range_(grains_of(comm.rank(), comm.size(), grains)) {
  RLAIF_CHECK(grains > 0, "a batch has at least one grain");
}

void GrainSum::add(int grain, std::span<const float> values) {
  const int expected = partials_.empty() ? range_.begin : covered(partials_.back().node, grains_).end;
  RLAIF_CHECK(grain == expected && grain < range_.end, "own grains are added in order, each once");
  RLAIF_CHECK(values.size() == length_, "a grain has the length the sum was made for");

  TreeNode node{0, grain};
  // A grain whose left neighbour in the tree stands ready is added without a copy.
  if (!partials_.empty() && node.index % 2 == 1 && partials_.back().node == sibling(node)) {
    Partial& left = partials_.back();
    add_vectors(left.values.data(), values.data(), left.values.data(), length_);
    left.node = parent(node);
  } else {
    std::vector<float> copy;
    if (!spare_.empty()) {
      copy = std::move(spare_.back());
      spare_.pop_back();
    }
    copy.assign(values.begin(), values.end());
    partials_.push_back({node, std::move(copy)});
  }
  merge_up();
}

void GrainSum::merge_up() {
  while (true) {
    Partial& last = partials_.back();
    const TreeNode node = last.node;
    if (node.level >= root_level(grains_)) return;
    const GrainRange above = covered(parent(node), grains_);
    const GrainRange here = covered(node, grains_);
    if (above.begin == here.begin && above.end == here.end) {
      last.node = parent(node);  // the right child is clipped away, there is nothing to add
    } else if (partials_.size() > 1 && node.index % 2 == 1 && partials_[partials_.size() - 2].node == sibling(node)) {
      Partial& left = partials_[partials_.size() - 2];
      add_vectors(left.values.data(), last.values.data(), left.values.data(), length_);
      left.node = parent(node);
      spare_.push_back(std::move(last.values));
      partials_.pop_back();
    } else {
      return;
    }
  }
}

void GrainSum::check_complete(std::span<float> out) const {
  RLAIF_CHECK(out.size() == length_, "the result has the length the sum was made for");
  const int end = partials_.empty() ? range_.begin : covered(partials_.back().node, grains_).end;
  RLAIF_CHECK(end == range_.end, "every own grain is added before reduce");
}

void GrainSum::recycle() {
  for (Partial& partial : partials_) spare_.push_back(std::move(partial.values));
  partials_.clear();
}

void GrainSum::reduce(std::span<float> out) {
  check_complete(out);
  const Communicator::Handle& h = comm_.handle();
  if (h.size == 1)
    std::copy(partials_.front().values.begin(), partials_.front().values.end(), out.begin());
  else
    for_pieces(h, length_, [&](std::span<const Shard> chunks) {
      sum_chunks(chunks, out);
      share_chunks(h, chunks, out);
    });
  recycle();
}

void GrainSum::reduce_scatter(std::span<float> out) {
  check_complete(out);
  const Communicator::Handle& h = comm_.handle();
  if (h.size == 1)
    std::copy(partials_.front().values.begin(), partials_.front().values.end(), out.begin());
  else
    for_shard_pieces(h, length_, [&](std::span<const Shard> chunks) { sum_chunks(chunks, out); });
  recycle();
}

// Rank r receives chunk r of every partial sum and adds them up along the tree, into its place in `out`.
void GrainSum::sum_chunks(std::span<const Shard> chunks, std::span<float> out) {
  const Communicator::Handle& h = comm_.handle();
  const auto chunk = [&](int rank) -> const Shard& { return chunks[static_cast<std::size_t>(rank)]; };
  const auto count = [&](int rank) { return static_cast<int>(chunk(rank).size()); };
  const std::size_t mine = chunk(h.rank).size();

  std::vector<Leaf> leaves;
  for (int r = 0; r < h.size; ++r) {
    const auto nodes = tree_nodes(grains_of(r, h.size, grains_), grains_);
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (r == h.rank)
        leaves.push_back({nodes[k], partials_[k].values.data() + chunk(r).begin, r});
      else
        leaves.push_back({nodes[k], nullptr, r});
    }
  }
  const std::size_t foreign = leaves.size() - partials_.size();
  received_.resize(std::max(received_.size(), foreign * mine));

  std::vector<MPI_Request> requests;
  float* slot = received_.data();
  for (Leaf& leaf : leaves) {
    if (leaf.owner == h.rank) continue;
    leaf.values = slot;
    slot += mine;
    RLAIF_MPI(
        MPI_Irecv(leaf.values, count(h.rank), MPI_FLOAT, leaf.owner, partial_tag, h.comm, &requests.emplace_back()));
  }
  // Each rank starts with its right neighbour, so that no rank is everybody's first target.
  for (int hop = 1; hop < h.size; ++hop) {
    const int to = (h.rank + hop) % h.size;
    for (const Partial& partial : partials_)
      RLAIF_MPI(MPI_Isend(partial.values.data() + chunk(to).begin, count(to), MPI_FLOAT, to, partial_tag, h.comm,
                          &requests.emplace_back()));
  }
  wait_all(requests, "an exchange of gradients");

  float* result = out.data() + chunk(h.rank).begin;
  std::span<Leaf> rest(leaves);
  const float* sum = sum_tree({root_level(grains_), 0}, grains_, rest, mine, result);
  if (sum != result) std::copy_n(sum, mine, result);
}

Shard shard_of(std::size_t length, int rank, int ranks) {
  const auto offsets = chunk_offsets(length, ranks);
  const auto r = static_cast<std::size_t>(rank);
  return {offsets[r], offsets[r + 1]};
}

void share_shards(const Communicator& comm, std::span<float> values) {
  const Communicator::Handle& h = comm.handle();
  if (h.size == 1) return;
  for_shard_pieces(h, values.size(), [&](std::span<const Shard> chunks) { share_chunks(h, chunks, values); });
}

void collect_shards(const Communicator& comm, std::span<const float> mine, std::span<float> whole) {
  const Communicator::Handle& h = comm.handle();
  const std::size_t step = round_floats(h);
  std::vector<MPI_Request> requests;
  if (h.rank != 0) {
    for (std::size_t at = 0; at < mine.size(); at += step)
      RLAIF_MPI(MPI_Isend(mine.data() + at, static_cast<int>(std::min(step, mine.size() - at)), MPI_FLOAT, 0, shard_tag,
                          h.comm, &requests.emplace_back()));
    return wait_all(requests, "an exchange of gradients");
  }
  RLAIF_CHECK(mine.size() == shard_of(whole.size(), 0, h.size).size(), "the root's own shard of the whole");
  std::copy(mine.begin(), mine.end(), whole.begin());
  for (int from = 1; from < h.size; ++from) {
    const Shard shard = shard_of(whole.size(), from, h.size);
    for (std::size_t at = shard.begin; at < shard.end; at += step)
      RLAIF_MPI(MPI_Irecv(whole.data() + at, static_cast<int>(std::min(step, shard.end - at)), MPI_FLOAT, from,
                          shard_tag, h.comm, &requests.emplace_back()));
  }
  wait_all(requests, "an exchange of gradients");
}

void in_rank_order(const Communicator& comm, std::span<double> state, const std::function<void()>& f) {
  const Communicator::Handle& h = comm.handle();
  const int count = static_cast<int>(state.size());
  if (h.rank > 0) {
    const Waiting waiting("in_rank_order", false);
    RLAIF_MPI(MPI_Recv(state.data(), count, MPI_DOUBLE, h.rank - 1, order_tag, h.comm, MPI_STATUS_IGNORE));
  }
  f();
  if (h.rank + 1 < h.size) RLAIF_MPI(MPI_Send(state.data(), count, MPI_DOUBLE, h.rank + 1, order_tag, h.comm));
  comm.broadcast(std::as_writable_bytes(state), h.size - 1);
}

std::vector<double> gather_grain_rows(const Communicator& comm, int grains, std::span<const double> own_rows,
                                      std::size_t width) {
  const Communicator::Handle& h = comm.handle();
  const auto values_of = [&](int rank) {
    return static_cast<std::size_t>(grains_of(rank, h.size, grains).count()) * width;
  };
  RLAIF_CHECK(own_rows.size() == values_of(h.rank), "one row for every own grain");
  if (h.size == 1) return {own_rows.begin(), own_rows.end()};
  std::vector<double> rows(static_cast<std::size_t>(grains) * width);
  RLAIF_CHECK(rows.size() <= INT_MAX, "rows of statistics are few");
  std::vector<int> counts, offsets;
  int at = 0;
  for (int r = 0; r < h.size; ++r) {
    offsets.push_back(at);
    counts.push_back(static_cast<int>(values_of(r)));
    at += counts.back();
  }
  const Waiting waiting("gather_grain_rows");
  RLAIF_MPI(MPI_Allgatherv(own_rows.data(), counts[static_cast<std::size_t>(h.rank)], MPI_DOUBLE, rows.data(),
                           counts.data(), offsets.data(), MPI_DOUBLE, h.comm));
  return rows;
}

}  // namespace rlaif::comm
