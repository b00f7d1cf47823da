// Attention over a cache: mostly one query row a slot and key/value head. Scores are computed sixteen positions at a time
// from keys that are stored position-last, so that no sum runs across a vector; sums over positions run along the
// head's columns. Up to four rows share each load.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "attention_common.hpp"
#include "rlaif/core/loop_versions.hpp"

namespace rlaif::model::kernels {
namespace {

constexpr int block_rows = 4;  // query rows worked on together

// scores[r, j] = sum over d of rows[r, d] * transposed[d, j] for Vectors * 16 positions from j.
template <int Rows, int Vectors>
RLAIF_INLINE void score_tile(const float* rows, std::int64_t row_stride, std::int64_t head_dim, const float* transposed,
                             std::int64_t stride, float* scores, std::int64_t score_stride) {
  Vec acc[Rows][Vectors] = {};
  for (std::int64_t d = 0; d < head_dim; ++d) {
    Vec k[Vectors];
    for (int v = 0; v < Vectors; ++v) k[v] = load(transposed + d * stride + v * lanes);
    for (int r = 0; r < Rows; ++r)
      for (int v = 0; v < Vectors; ++v) acc[r][v] += rows[r * row_stride + d] * k[v];
  }
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) store(scores + r * score_stride + v * lanes, acc[r][v]);
}

// `length` is padded to whole vectors.
template <int Rows>
RLAIF_INLINE void score_rows(const float* rows, std::int64_t row_stride, std::int64_t head_dim, const float* transposed,
                             std::int64_t stride, std::int64_t length, float* scores, std::int64_t score_stride) {
  constexpr int wide = Rows == 1 ? 4 : 2;  // sums in flight hide the latency of each
  std::int64_t j = 0;
  for (; j + wide * lanes <= length; j += wide * lanes)
    score_tile<Rows, wide>(rows, row_stride, head_dim, transposed + j, stride, scores + j, score_stride);
  const auto tail = [&](auto vectors) __attribute__((always_inline)) {
    score_tile<Rows, decltype(vectors)::value>(rows, row_stride, head_dim, transposed + j, stride, scores + j,
                                               score_stride);
  };
  switch ((length - j) / lanes) {
    case 3: tail(std::integral_constant<int, std::min(3, wide)>{}); break;
    case 2: tail(std::integral_constant<int, std::min(2, wide)>{}); break;
    case 1: tail(std::integral_constant<int, 1>{}); break;
    default: break;
  }
}

// Softmax over the first `length` of `padded_length` scores, in place; the rest becomes 0.
RLAIF_INLINE void softmax_row(float* s, std::int64_t length, std::int64_t padded_length) {
  for (std::int64_t j = length; j < padded_length; ++j) s[j] = -std::numeric_limits<float>::infinity();
  Vec highest = load(s);
  for (std::int64_t j = lanes; j < padded_length; j += lanes) {
    const Vec v = load(s + j);
    highest = v > highest ? v : highest;
  }
  const Vec top = splat(maximum(highest));
  Vec total{};
  for (std::int64_t j = 0; j < padded_length; j += lanes) {
    const Vec e = exponential(load(s + j) - top);
    total += e;
    store(s + j, e);
  }
  const Vec scale = splat(1.0F / sum(total));
  for (std::int64_t j = 0; j < padded_length; j += lanes) store(s + j, load(s + j) * scale);
}

// out[r, c] = sum over j < length of weights[r, j] * rows[j, c], Vectors * 16 columns from c.
template <int Rows, int Vectors>
RLAIF_INLINE void weigh_tile(const float* weights, std::int64_t weight_stride, const float* rows,
                             std::int64_t row_stride, std::int64_t length, float* out, std::int64_t out_stride) {
  constexpr int chains = Rows == 1 ? 4 : 1;  // independent sums that hide the latency of one row
  Vec acc[chains][Rows][Vectors] = {};
  std::int64_t j = 0;
  for (; j + chains <= length; j += chains)
    for (int i = 0; i < chains; ++i)
      for (int v = 0; v < Vectors; ++v) {
        const Vec x = load(rows + (j + i) * row_stride + v * lanes);
        for (int r = 0; r < Rows; ++r) acc[i][r][v] += weights[r * weight_stride + j + i] * x;
      }
  for (; j < length; ++j)
    for (int v = 0; v < Vectors; ++v)
      for (int r = 0; r < Rows; ++r)
        acc[0][r][v] += weights[r * weight_stride + j] * load(rows + j * row_stride + v * lanes);
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) {
      for (int i = 1; i < chains; ++i) acc[0][r][v] += acc[i][r][v];
      store(out + r * out_stride + v * lanes, acc[0][r][v]);
    }
}

// `columns` is padded to whole vectors.
template <int Rows>
RLAIF_INLINE void weigh_rows(const float* weights, std::int64_t weight_stride, const float* rows,
                             std::int64_t row_stride, std::int64_t length, std::int64_t columns, float* out,
                             std::int64_t out_stride) {
  std::int64_t c = 0;
  for (; c + 2 * lanes <= columns; c += 2 * lanes)
    weigh_tile<Rows, 2>(weights, weight_stride, rows + c, row_stride, length, out + c, out_stride);
  for (; c < columns; c += lanes)
    weigh_tile<Rows, 1>(weights, weight_stride, rows + c, row_stride, length, out + c, out_stride);
}

// Up to four query rows against one run of keys and values.
struct Block {
  const float* queries;              // [rows, columns], rotated and scaled, padding columns 0
  std::int64_t lengths[block_rows];  // positions each row attends to
  const float* keys;                 // [head_dim, key_stride]
  std::int64_t key_stride;
  const float* values;  // [longest, value_stride]
  std::int64_t value_stride;
  std::int64_t value_columns;  // whole vectors that may be read from a row of values
  float* probabilities;        // [rows, probability_stride], written
  std::int64_t probability_stride;
};

template <int Rows>
RLAIF_INLINE void attend(const Block& b, std::int64_t head_dim, std::int64_t columns, float* out) {
  std::int64_t longest = 0;
  for (int r = 0; r < Rows; ++r) longest = std::max(longest, b.lengths[r]);
  const std::int64_t length = padded(longest);
  score_rows<Rows>(b.queries, columns, head_dim, b.keys, b.key_stride, length, b.probabilities, b.probability_stride);
  for (int r = 0; r < Rows; ++r) softmax_row(b.probabilities + r * b.probability_stride, b.lengths[r], length);
  weigh_rows<Rows>(b.probabilities, b.probability_stride, b.values, b.value_stride, longest, b.value_columns, out,
                   columns);
}

// Asks for the part of a cache that is wanted next while the present one is worked on: a cache of many slots does not fit
// into the processor's near memory.
RLAIF_INLINE void prefetch(const float* keys, const float* values, std::int64_t length, std::int64_t stride,
                           std::int64_t head_dim) {
  constexpr int second_nearest = 2;  // the nearest memory has no room for both
  for (std::int64_t d = 0; d < head_dim; ++d)
    for (std::int64_t j = 0; j < length; j += lanes) __builtin_prefetch(keys + d * stride + j, 0, second_nearest);
  for (std::int64_t i = 0; i < length * head_dim; i += lanes) __builtin_prefetch(values + i, 0, second_nearest);
}

// The number of rows is a template argument, so that sums stay in registers.
RLAIF_INLINE void attend_rows(const Block& block, std::int64_t rows, std::int64_t head_dim, std::int64_t columns,
                              float* out) {
  if (rows == 1) return attend<1>(block, head_dim, columns, out);
  if (rows == 2) return attend<2>(block, head_dim, columns, out);
  if (rows == 3) return attend<3>(block, head_dim, columns, out);
  attend<block_rows>(block, head_dim, columns, out);
}

}  // namespace

RLAIF_VERSIONS(void, attention_extend,
               (const float* qkv, std::int64_t rows, const std::int32_t* slots, const std::int32_t* positions,
                const Rotation& rotation, const HeadShape& shape, const CacheLayer& cache, float* out),
               (qkv, rows, slots, positions, rotation, shape, cache, out)) {
  const std::int64_t head_dim = shape.head_dim, columns = padded(head_dim), half = head_dim / 2;
  const std::int64_t row = shape.row(), group = shape.heads / shape.kv_heads, out_row = shape.heads * head_dim;
  const std::int64_t head_size = head_dim * cache.stride;  // of one slot and key/value head
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
  Scratch& memory = scratch();
  memory.reset(block_rows * (2 * columns + cache.stride) + columns);
  float* const queries = memory.take(block_rows * columns);
  float* const results = memory.take(block_rows * columns);
  float* const probabilities = memory.take(block_rows * cache.stride);
  float* const rotated = memory.take(columns);

  for (std::int64_t first = 0, last = 0; first < rows; first = last) {
    for (last = first + 1; last < rows && slots[last] == slots[first];) ++last;
    const std::int64_t run = (last - first) * group;
    for (std::int64_t g = 0; g < shape.kv_heads; ++g) {
      const std::int64_t base = (slots[first] * shape.kv_heads + g) * head_size;
      float* const keys = cache.keys + base;
      float* const values = cache.values + base;
      for (std::int64_t n = first; n < last; ++n) {
        const float* const k = qkv + n * row + (shape.heads + g) * head_dim;
        const std::int64_t position = positions[n], angle = position * half;
        rotate(k, rotation.cosine + angle, rotation.sine + angle, head_dim, 1.0F, rotated);
        for (std::int64_t d = 0; d < head_dim; ++d) keys[d * cache.stride + position] = rotated[d];
        copy(k + shape.kv_heads * head_dim, values + position * head_dim, head_dim);
      }
      const std::int64_t next_row = g + 1 < shape.kv_heads ? first : last;
      if (next_row < rows && run <= block_rows) {
        const std::int64_t next = (slots[next_row] * shape.kv_heads + (g + 1) % shape.kv_heads) * head_size;
        prefetch(cache.keys + next, cache.values + next, positions[next_row] + 1, cache.stride, head_dim);
      }
      // A block holds rows of one slot and one key/value head: neighbouring positions, then heads of the group.
      for (std::int64_t i = 0; i < run; i += block_rows) {
        const std::int64_t count = std::min<std::int64_t>(block_rows, run - i);
        Block block{queries, {}, keys, cache.stride, values, head_dim, columns, probabilities, cache.stride};
        for (std::int64_t r = 0; r < count; ++r) {
          const std::int64_t n = first + (i + r) / group, h = g * group + (i + r) % group;
          const std::int64_t angle = positions[n] * half;
          rotate(qkv + n * row + h * head_dim, rotation.cosine + angle, rotation.sine + angle, head_dim, scale,
                 queries + r * columns);
          block.lengths[r] = positions[n] + 1;
        }
        attend_rows(block, count, head_dim, columns, results);
        for (std::int64_t r = 0; r < count; ++r) {
          const std::int64_t n = first + (i + r) / group, h = g * group + (i + r) % group;
          copy(results + r * columns, out + n * out_row + h * head_dim, head_dim);
        }
      }
    }
  }
}

}  // namespace rlaif::model::kernels
