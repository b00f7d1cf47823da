// Attention within packed sequences, forward and backward. Sixteen query rows of one head lie side by side in the lanes of
// a vector: scores, softmax and their gradients are then elementwise over keys, and no sum runs across a vector.
// Layouts of one block of query rows, i the row within the block: rows [i, columns], lanes [.., i].
#include <algorithm>
#include <cmath>
#include <limits>

#include "attention_common.hpp"
#include "rlaif/core/loop_versions.hpp"

namespace rlaif::model::kernels {
namespace {

constexpr std::int64_t tile = 8;  // sums in flight: hides their latency

// out[j, i] = sum over d of rows[j, d] * lanes_of[d, i] for `count` rows, a multiple of `tile`.
RLAIF_INLINE void dot_rows(const float* rows, std::int64_t row_stride, std::int64_t count, const float* lanes_of,
                           std::int64_t depth, float* out) {
  for (std::int64_t j = 0; j < count; j += tile) {
    Vec acc[tile] = {};
    for (std::int64_t d = 0; d < depth; ++d) {
      const Vec x = load(lanes_of + d * lanes);
      for (int t = 0; t < tile; ++t) acc[t] += rows[(j + t) * row_stride + d] * x;
    }
    for (int t = 0; t < tile; ++t) store(out + (j + t) * lanes, acc[t]);
  }
}

// out[i, c] = sum over j of weights[j, i] * rows[j, c] for Width columns; out is row-major.
template <int Width>
RLAIF_INLINE void weigh_columns(const float* weights, std::int64_t count, const float* rows, std::int64_t row_stride,
                                float* out, std::int64_t out_stride) {
  Vec acc[Width] = {};
  for (std::int64_t j = 0; j < count; ++j) {
    const Vec w = load(weights + j * lanes);
    for (int c = 0; c < Width; ++c) acc[c] += rows[j * row_stride + c] * w;
  }
  float turned[Width][lanes];
  for (int c = 0; c < Width; ++c) store(turned[c], acc[c]);
  for (std::int64_t i = 0; i < lanes; ++i)
    for (int c = 0; c < Width; ++c) out[i * out_stride + c] = turned[c][i];
}
// `depth` is even, as every head size is.
RLAIF_INLINE void weigh_rows(const float* weights, std::int64_t count, const float* rows, std::int64_t row_stride,
                             std::int64_t depth, float* out, std::int64_t out_stride) {
  std::int64_t c = 0;
  for (; c + tile <= depth; c += tile) weigh_columns<tile>(weights, count, rows + c, row_stride, out + c, out_stride);
  for (; c < depth; c += 2) weigh_columns<2>(weights, count, rows + c, row_stride, out + c, out_stride);
}

// out[j, c] += sum over i of weights[j, i] * rows[i, c] for whole vectors of columns; count is a multiple of 4.
RLAIF_INLINE void spread_rows(const float* weights, std::int64_t count, const float* rows, std::int64_t columns,
                              float* out) {
  constexpr int keys = 4;
  for (std::int64_t c = 0; c < columns; c += lanes)
    for (std::int64_t j = 0; j < count; j += keys) {
      Vec acc[keys];
      for (int t = 0; t < keys; ++t) acc[t] = load(out + (j + t) * columns + c);
      for (std::int64_t i = 0; i < lanes; ++i) {
        const Vec x = load(rows + i * columns + c);
        for (int t = 0; t < keys; ++t) acc[t] += weights[(j + t) * lanes + i] * x;
      }
      for (int t = 0; t < keys; ++t) store(out + (j + t) * columns + c, acc[t]);
    }
}

RLAIF_INLINE void turn(const float* rows, std::int64_t columns, std::int64_t depth, float* lanes_of) {
  for (std::int64_t i = 0; i < lanes; ++i)
    for (std::int64_t d = 0; d < depth; ++d) lanes_of[d * lanes + i] = rows[i * columns + d];
}

// Scores become probabilities, over keys j <= first + i for lane i. Scores of later keys become 0.
RLAIF_INLINE void causal_softmax(float* scores, std::int64_t first, std::int64_t count) {
  const IntVec lane{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const Vec never = splat(-std::numeric_limits<float>::infinity());
  for (std::int64_t j = first; j < count; ++j) {
    const IntVec allowed = lane - static_cast<std::int32_t>(j - first);
    store(scores + j * lanes, allowed < 0 ? never : load(scores + j * lanes));
  }
  Vec highest = load(scores);
  for (std::int64_t j = 1; j < count; ++j) {
    const Vec s = load(scores + j * lanes);
    highest = s > highest ? s : highest;
  }
  Vec total{};
  for (std::int64_t j = 0; j < count; ++j) {
    const Vec e = exponential(load(scores + j * lanes) - highest);
    total += e;
    store(scores + j * lanes, e);
  }
  const Vec scale = 1.0F / total;
  for (std::int64_t j = 0; j < count; ++j) store(scores + j * lanes, load(scores + j * lanes) * scale);
}

// Sizes and strides of one call.
struct Plan {
  std::int64_t head_dim, columns, half, row, group, out_row, room;
  float scale;
};
RLAIF_INLINE Plan plan_of(const PackedRows& packed, const HeadShape& shape) {
  std::int64_t longest = 0;
  for (std::int64_t s = 0; s < packed.sequences; ++s)
    longest = std::max(longest, packed.offsets[s + 1] - packed.offsets[s]);
  return {.head_dim = shape.head_dim,
          .columns = padded(shape.head_dim),
          .half = shape.head_dim / 2,
          .row = shape.row(),
          .group = shape.heads / shape.kv_heads,
          .out_row = shape.heads * shape.head_dim,
          .room = padded(longest),
          .scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim))};
}

// Rotated keys and values of one key/value head of one sequence, [room, columns]; rows behind the sequence are 0.
struct HeadRows {
  float* keys;
  float* values;
};
RLAIF_INLINE void gather_head(const Plan& plan, const float* k, const float* v, const std::int64_t* positions,
                              std::int64_t length, const Rotation& rotation, const HeadRows& head) {
  for (std::int64_t j = 0; j < length; ++j) {
    const std::int64_t angle = positions[j] * plan.half;
    rotate(k + j * plan.row, rotation.cosine + angle, rotation.sine + angle, plan.head_dim, 1.0F,
           head.keys + j * plan.columns);
    copy(v + j * plan.row, head.values + j * plan.columns, plan.head_dim);
  }
  const std::int64_t rest = (padded(length) - length) * plan.columns;
  clear(head.keys + length * plan.columns, rest);
  clear(head.values + length * plan.columns, rest);
}

// Up to sixteen query rows of one head.
struct QueryBlock {
  std::int64_t first, rows;  // within the sequence
  std::int64_t keys;         // the last row's keys, rounded up to whole tiles
  float* queries;            // [i, columns], rotated and scaled; rows not there are 0
  float* queries_in_lanes;   // [d, i]
  float* probabilities;      // [j, i]
};
RLAIF_INLINE void find_probabilities(const Plan& plan, const float* q, const std::int64_t* positions,
                                     const Rotation& rotation, const HeadRows& head, const QueryBlock& block) {
  for (std::int64_t i = 0; i < block.rows; ++i) {
    const std::int64_t angle = positions[block.first + i] * plan.half;
    rotate(q + (block.first + i) * plan.row, rotation.cosine + angle, rotation.sine + angle, plan.head_dim, plan.scale,
           block.queries + i * plan.columns);
  }
  clear(block.queries + block.rows * plan.columns, (lanes - block.rows) * plan.columns);
  turn(block.queries, plan.columns, plan.head_dim, block.queries_in_lanes);
  dot_rows(head.keys, plan.columns, block.keys, block.queries_in_lanes, plan.head_dim, block.probabilities);
  causal_softmax(block.probabilities, block.first, block.keys);
}

RLAIF_INLINE void set_rows(QueryBlock& block, std::int64_t first, std::int64_t length) {
  block.first = first;
  block.rows = std::min(lanes, length - first);
  block.keys = (first + block.rows + tile - 1) / tile * tile;
}

}  // namespace

RLAIF_VERSIONS(void, attention_forward,
               (const float* qkv, const PackedRows& packed, const Rotation& rotation, const HeadShape& shape,
                float* out),
               (qkv, packed, rotation, shape, out)) {
  const Plan plan = plan_of(packed, shape);
  const std::int64_t block_size = lanes * plan.columns;
  Scratch& memory = scratch();
  memory.reset(plan.room * (2 * plan.columns + lanes) + 3 * block_size);
  const HeadRows head{memory.take(plan.room * plan.columns), memory.take(plan.room * plan.columns)};
  QueryBlock block{0, 0, 0, memory.take(block_size), memory.take(block_size), memory.take(plan.room * lanes)};
  float* const results = memory.take(block_size);
  clear(block.queries, block_size);

  for (std::int64_t s = 0; s < packed.sequences; ++s) {
    const std::int64_t begin = packed.offsets[s], length = packed.offsets[s + 1] - begin;
    const std::int64_t* const positions = packed.positions + begin;
    const float* const tokens = qkv + begin * plan.row;
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const float* const k = tokens + (shape.heads + h / plan.group) * plan.head_dim;
      if (h % plan.group == 0)
        gather_head(plan, k, k + shape.kv_heads * plan.head_dim, positions, length, rotation, head);
      for (std::int64_t first = 0; first < length; first += lanes) {
        set_rows(block, first, length);
        find_probabilities(plan, tokens + h * plan.head_dim, positions, rotation, head, block);
        weigh_rows(block.probabilities, block.keys, head.values, plan.columns, plan.head_dim, results, plan.columns);
        for (std::int64_t i = 0; i < block.rows; ++i)
          copy(results + i * plan.columns, out + (begin + first + i) * plan.out_row + h * plan.head_dim, plan.head_dim);
      }
    }
  }
}

namespace {

// Gradients of one head's keys and values, [room, columns], and of one block.
struct Gradients {
  float* keys;
  float* values;
  float* out;            // [i, columns]: the gradient that comes in
  float* out_in_lanes;   // [c, i]
  float* probabilities;  // [j, i], then of the scores
  float* queries;        // [i, columns]
};
RLAIF_INLINE void block_backward(const Plan& plan, const HeadRows& head, const QueryBlock& block, const Gradients& g) {
  turn(g.out, plan.columns, plan.head_dim, g.out_in_lanes);
  spread_rows(block.probabilities, block.keys, g.out, plan.columns, g.values);
  dot_rows(head.values, plan.columns, block.keys, g.out_in_lanes, plan.head_dim, g.probabilities);
  Vec mean{};
  for (std::int64_t j = 0; j < block.keys; ++j)
    mean += load(block.probabilities + j * lanes) * load(g.probabilities + j * lanes);
  for (std::int64_t j = 0; j < block.keys; ++j)
    store(g.probabilities + j * lanes,
          load(block.probabilities + j * lanes) * (load(g.probabilities + j * lanes) - mean));
  weigh_rows(g.probabilities, block.keys, head.keys, plan.columns, plan.head_dim, g.queries, plan.columns);
  spread_rows(g.probabilities, block.keys, block.queries, plan.columns, g.keys);
}

RLAIF_INLINE void write_head(const Plan& plan, const Gradients& g, const std::int64_t* positions, std::int64_t length,
                             const Rotation& rotation, float* dk, float* dv) {
  for (std::int64_t j = 0; j < length; ++j) {
    const std::int64_t angle = positions[j] * plan.half;
    rotate_back(g.keys + j * plan.columns, rotation.cosine + angle, rotation.sine + angle, plan.head_dim, 1.0F,
                dk + j * plan.row);
    copy(g.values + j * plan.columns, dv + j * plan.row, plan.head_dim);
  }
}

}  // namespace

RLAIF_VERSIONS(void, attention_backward,
               (const float* dout, const float* qkv, const PackedRows& packed, const Rotation& rotation,
                const HeadShape& shape, float* dqkv),
               (dout, qkv, packed, rotation, shape, dqkv)) {
  const Plan plan = plan_of(packed, shape);
  const std::int64_t block_size = lanes * plan.columns, head_rows = plan.room * plan.columns;
  Scratch& memory = scratch();
  memory.reset(4 * head_rows + 2 * plan.room * lanes + 5 * block_size);
  const HeadRows head{memory.take(head_rows), memory.take(head_rows)};
  QueryBlock block{0, 0, 0, memory.take(block_size), memory.take(block_size), memory.take(plan.room * lanes)};
  const Gradients grad{memory.take(head_rows),  memory.take(head_rows),         memory.take(block_size),
                       memory.take(block_size), memory.take(plan.room * lanes), memory.take(block_size)};
  clear(block.queries, block_size);
  clear(grad.out, block_size);

  for (std::int64_t s = 0; s < packed.sequences; ++s) {
    const std::int64_t begin = packed.offsets[s], length = packed.offsets[s + 1] - begin;
    const std::int64_t* const positions = packed.positions + begin;
    const float* const tokens = qkv + begin * plan.row;
    float* const dtokens = dqkv + begin * plan.row;
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const std::int64_t key_column = (shape.heads + h / plan.group) * plan.head_dim;
      const std::int64_t value_column = key_column + shape.kv_heads * plan.head_dim;
      if (h % plan.group == 0) {
        gather_head(plan, tokens + key_column, tokens + value_column, positions, length, rotation, head);
        clear(grad.keys, padded(length) * plan.columns);
        clear(grad.values, padded(length) * plan.columns);
      }
      for (std::int64_t first = 0; first < length; first += lanes) {
        set_rows(block, first, length);
        find_probabilities(plan, tokens + h * plan.head_dim, positions, rotation, head, block);
        for (std::int64_t i = 0; i < block.rows; ++i)
          copy(dout + (begin + first + i) * plan.out_row + h * plan.head_dim, grad.out + i * plan.columns,
               plan.head_dim);
        clear(grad.out + block.rows * plan.columns, (lanes - block.rows) * plan.columns);
        block_backward(plan, head, block, grad);
        for (std::int64_t i = 0; i < block.rows; ++i) {
          const std::int64_t angle = positions[first + i] * plan.half;
          rotate_back(grad.queries + i * plan.columns, rotation.cosine + angle, rotation.sine + angle, plan.head_dim,
                      plan.scale, dtokens + (first + i) * plan.row + h * plan.head_dim);
        }
      }
      if ((h + 1) % plan.group == 0)
        write_head(plan, grad, positions, length, rotation, dtokens + key_column, dtokens + value_column);
    }
  }
}

}  // namespace rlaif::model::kernels
