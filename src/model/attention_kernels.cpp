// Attention over short rows. Scores of up to four query rows are computed sixteen positions at a time from keys that are
// stored position-last, so that no sum runs across a vector; sums over positions then run along the head's columns.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels.hpp"
#include "vector.hpp"

namespace rlaif::model::kernels {
namespace {

constexpr std::int64_t block_rows = 4;  // query rows worked on together

RLAIF_INLINE std::int64_t padded(std::int64_t n) { return (n + lanes - 1) / lanes * lanes; }

// Reused memory of this thread, on vector boundaries: taken in pieces, given back all at once.
class Scratch {
 public:
  void reset(std::int64_t floats) {
    if (static_cast<std::int64_t>(memory_.size()) < floats + lanes)
      memory_.resize(static_cast<std::size_t>(floats + lanes));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    next_ = memory_.data() + ((64 - address % 64) % 64) / sizeof(float);
  }
  // `floats` is rounded up to whole vectors.
  float* take(std::int64_t floats) {
    float* const piece = next_;
    next_ += padded(floats);
    return piece;
  }

 private:
  std::vector<float> memory_;
  float* next_ = nullptr;
};
Scratch& scratch() {
  static thread_local Scratch instance;
  return instance;
}

// scores[r, j] = sum over d of rows[r, d] * transposed[d, j] for Vectors * 16 positions from j.
template <int Rows, int Vectors>
RLAIF_INLINE void score_tile(const float* rows, std::int64_t row_stride, std::int64_t head_dim,
                             const float* transposed, std::int64_t stride, float* scores, std::int64_t score_stride) {
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
RLAIF_INLINE void score_rows(const float* rows, std::int64_t row_stride, std::int64_t head_dim,
                             const float* transposed, std::int64_t stride, std::int64_t length, float* scores,
                             std::int64_t score_stride) {
  constexpr int wide = Rows == 1 ? 4 : 2;
  std::int64_t j = 0;
  for (; j + wide * lanes <= length; j += wide * lanes)
    score_tile<Rows, wide>(rows, row_stride, head_dim, transposed + j, stride, scores + j, score_stride);
  for (; j < length; j += lanes)
    score_tile<Rows, 1>(rows, row_stride, head_dim, transposed + j, stride, scores + j, score_stride);
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

// out[j, c] += sum over r of weights[r, j] * rows[r, c]
template <int Rows>
RLAIF_INLINE void spread_rows(const float* weights, std::int64_t weight_stride, const float* rows,
                              std::int64_t row_stride, std::int64_t length, std::int64_t columns, float* out,
                              std::int64_t out_stride) {
  for (std::int64_t c = 0; c < columns; c += lanes) {
    Vec x[Rows];
    for (int r = 0; r < Rows; ++r) x[r] = load(rows + r * row_stride + c);
    for (std::int64_t j = 0; j < length; ++j) {
      Vec acc = load(out + j * out_stride + c);
      for (int r = 0; r < Rows; ++r) acc += weights[r * weight_stride + j] * x[r];
      store(out + j * out_stride + c, acc);
    }
  }
}

// out = x rotated by the angles of one position, times scale. Halves are rotated against each other.
RLAIF_INLINE void rotate(const float* x, const float* cosine, const float* sine, std::int64_t head_dim, float scale,
                         float* __restrict out) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const float a = x[i] * scale, b = x[half + i] * scale;
    out[i] = a * cosine[i] - b * sine[i];
    out[half + i] = b * cosine[i] + a * sine[i];
  }
}
RLAIF_INLINE void rotate_back(const float* x, const float* cosine, const float* sine, std::int64_t head_dim,
                              float scale, float* __restrict out) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const float a = x[i] * scale, b = x[half + i] * scale;
    out[i] = a * cosine[i] + b * sine[i];
    out[half + i] = b * cosine[i] - a * sine[i];
  }
}

RLAIF_INLINE void copy(const float* from, float* to, std::int64_t n) {
  std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
}
RLAIF_INLINE void clear(float* to, std::int64_t n) { std::memset(to, 0, static_cast<std::size_t>(n) * sizeof(float)); }

// Up to four query rows against one run of keys and values.
struct Block {
  const float* queries;           // [rows, columns], rotated and scaled, padding columns 0
  std::int64_t lengths[block_rows];  // positions each row attends to
  const float* keys;              // [head_dim, key_stride]
  std::int64_t key_stride;
  const float* values;            // [longest, value_stride]
  std::int64_t value_stride;
  std::int64_t value_columns;     // whole vectors that may be read from a row of values
  float* probabilities;           // [rows, probability_stride], written
  std::int64_t probability_stride;
};

template <int Rows>
RLAIF_INLINE std::int64_t probabilities_of(const Block& b, std::int64_t head_dim, std::int64_t columns) {
  std::int64_t longest = 0;
  for (int r = 0; r < Rows; ++r) longest = std::max(longest, b.lengths[r]);
  const std::int64_t length = padded(longest);
  score_rows<Rows>(b.queries, columns, head_dim, b.keys, b.key_stride, length, b.probabilities, b.probability_stride);
  for (int r = 0; r < Rows; ++r) softmax_row(b.probabilities + r * b.probability_stride, b.lengths[r], length);
  return longest;
}

template <int Rows>
RLAIF_INLINE void attend(const Block& b, std::int64_t head_dim, std::int64_t columns, float* out) {
  const std::int64_t longest = probabilities_of<Rows>(b, head_dim, columns);
  weigh_rows<Rows>(b.probabilities, b.probability_stride, b.values, b.value_stride, longest, b.value_columns, out,
                   columns);
}

// The number of rows is a template argument further down, so that sums stay in registers.
#define RLAIF_BY_ROWS(rows, call) \
  switch (rows) {                 \
    case 1: call(1); break;       \
    case 2: call(2); break;       \
    case 3: call(3); break;       \
    default: call(4);             \
  }

// Keys (rotated) and values of one key/value head of one sequence.
struct SequenceHead {
  float* keys_transposed;    // [head_dim, stride]
  float* values;             // [stride, columns]
  float* keys;               // [stride, columns], backward only
  float* values_transposed;  // [head_dim, stride], backward only
};

RLAIF_INLINE void gather_head(const float* k, const float* v, std::int64_t row, std::int64_t length,
                              std::int64_t stride, const std::int64_t* positions, const Rotation& rotation,
                              std::int64_t head_dim, std::int64_t columns, bool backward, const SequenceHead& head,
                              float* rotated) {
  clear(head.keys_transposed, head_dim * stride);
  clear(head.values, stride * columns);
  if (backward) {
    clear(head.keys, stride * columns);
    clear(head.values_transposed, head_dim * stride);
  }
  const std::int64_t half = head_dim / 2;
  for (std::int64_t j = 0; j < length; ++j) {
    rotate(k + j * row, rotation.cosine + positions[j] * half, rotation.sine + positions[j] * half, head_dim, 1.0F,
           rotated);
    for (std::int64_t d = 0; d < head_dim; ++d) head.keys_transposed[d * stride + j] = rotated[d];
    copy(v + j * row, head.values + j * columns, head_dim);
    if (backward) {
      copy(rotated, head.keys + j * columns, head_dim);
      for (std::int64_t d = 0; d < head_dim; ++d) head.values_transposed[d * stride + j] = v[j * row + d];
    }
  }
}

RLAIF_INLINE std::int64_t longest_sequence(const PackedRows& packed) {
  std::int64_t longest = 0;
  for (std::int64_t s = 0; s < packed.sequences; ++s)
    longest = std::max(longest, packed.offsets[s + 1] - packed.offsets[s]);
  return longest;
}

}  // namespace

RLAIF_CLONES
void attention_forward(const float* qkv, const PackedRows& packed, const Rotation& rotation, const HeadShape& shape,
                       float* out) {
  const std::int64_t head_dim = shape.head_dim, columns = padded(head_dim), half = head_dim / 2;
  const std::int64_t row = shape.row(), group = shape.heads / shape.kv_heads, out_row = shape.heads * head_dim;
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
  const std::int64_t room = padded(longest_sequence(packed));
  Scratch& memory = scratch();
  memory.reset(room * (head_dim + columns) + block_rows * (2 * columns + room) + columns);
  const SequenceHead head{memory.take(head_dim * room), memory.take(room * columns), nullptr, nullptr};
  float* const queries = memory.take(block_rows * columns);
  float* const results = memory.take(block_rows * columns);
  float* const probabilities = memory.take(block_rows * room);
  float* const rotated = memory.take(columns);
  clear(queries, block_rows * columns);

  for (std::int64_t s = 0; s < packed.sequences; ++s) {
    const std::int64_t begin = packed.offsets[s], length = packed.offsets[s + 1] - begin, stride = padded(length);
    const std::int64_t* const positions = packed.positions + begin;
    for (std::int64_t g = 0; g < shape.kv_heads; ++g) {
      const float* const k = qkv + begin * row + (shape.heads + g) * head_dim;
      gather_head(k, k + shape.kv_heads * head_dim, row, length, stride, positions, rotation, head_dim, columns, false,
                  head, rotated);
      for (std::int64_t h = g * group; h < (g + 1) * group; ++h) {
        for (std::int64_t i = 0; i < length; i += block_rows) {
          const std::int64_t rows = std::min(block_rows, length - i);
          Block block{queries, {}, head.keys_transposed, stride, head.values, columns, columns, probabilities, room};
          for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t angle = positions[i + r] * half;
            rotate(qkv + (begin + i + r) * row + h * head_dim, rotation.cosine + angle, rotation.sine + angle,
                   head_dim, scale, queries + r * columns);
            block.lengths[r] = i + r + 1;
          }
#define RLAIF_CALL(n) attend<n>(block, head_dim, columns, results)
          RLAIF_BY_ROWS(rows, RLAIF_CALL)
#undef RLAIF_CALL
          for (std::int64_t r = 0; r < rows; ++r)
            copy(results + r * columns, out + (begin + i + r) * out_row + h * head_dim, head_dim);
        }
      }
    }
  }
}

namespace {

// Buffers of the backward pass of one block of query rows.
struct BackwardBlock {
  float* queries;      // [rows, columns]
  float* dout;         // [rows, columns]
  float* dqueries;     // [rows, columns]
  float* dprobabilities;  // [rows, room]
  float* dkeys;        // [stride, columns]
  float* dvalues;      // [stride, columns]
};

template <int Rows>
RLAIF_INLINE void attend_backward(const Block& b, const SequenceHead& head, const BackwardBlock& g,
                                  std::int64_t head_dim, std::int64_t columns) {
  const std::int64_t longest = probabilities_of<Rows>(b, head_dim, columns), length = padded(longest);
  spread_rows<Rows>(b.probabilities, b.probability_stride, g.dout, columns, longest, columns, g.dvalues, columns);
  score_rows<Rows>(g.dout, columns, head_dim, head.values_transposed, b.key_stride, length, g.dprobabilities,
                   b.probability_stride);
  for (int r = 0; r < Rows; ++r) {
    const float* const p = b.probabilities + r * b.probability_stride;
    float* const dp = g.dprobabilities + r * b.probability_stride;
    Vec acc{};
    for (std::int64_t j = 0; j < length; j += lanes) acc += load(p + j) * load(dp + j);
    const Vec mean = splat(sum(acc));
    for (std::int64_t j = 0; j < length; j += lanes) store(dp + j, load(p + j) * (load(dp + j) - mean));
  }
  weigh_rows<Rows>(g.dprobabilities, b.probability_stride, head.keys, columns, longest, columns, g.dqueries, columns);
  spread_rows<Rows>(g.dprobabilities, b.probability_stride, g.queries, columns, longest, columns, g.dkeys, columns);
}

}  // namespace

RLAIF_CLONES
void attention_backward(const float* dout, const float* qkv, const PackedRows& packed, const Rotation& rotation,
                        const HeadShape& shape, float* dqkv) {
  const std::int64_t head_dim = shape.head_dim, columns = padded(head_dim), half = head_dim / 2;
  const std::int64_t row = shape.row(), group = shape.heads / shape.kv_heads, out_row = shape.heads * head_dim;
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
  const std::int64_t room = padded(longest_sequence(packed));
  Scratch& memory = scratch();
  memory.reset(room * (2 * head_dim + 4 * columns) + block_rows * (3 * columns + 2 * room) + columns);
  const SequenceHead head{memory.take(head_dim * room), memory.take(room * columns), memory.take(room * columns),
                          memory.take(head_dim * room)};
  const BackwardBlock grad{memory.take(block_rows * columns), memory.take(block_rows * columns),
                           memory.take(block_rows * columns), memory.take(block_rows * room),
                           memory.take(room * columns),       memory.take(room * columns)};
  float* const probabilities = memory.take(block_rows * room);
  float* const rotated = memory.take(columns);
  clear(grad.queries, block_rows * columns);
  clear(grad.dout, block_rows * columns);

  for (std::int64_t s = 0; s < packed.sequences; ++s) {
    const std::int64_t begin = packed.offsets[s], length = packed.offsets[s + 1] - begin, stride = padded(length);
    const std::int64_t* const positions = packed.positions + begin;
    for (std::int64_t g = 0; g < shape.kv_heads; ++g) {
      const std::int64_t key_column = (shape.heads + g) * head_dim, value_column = key_column + shape.kv_heads * head_dim;
      gather_head(qkv + begin * row + key_column, qkv + begin * row + value_column, row, length, stride, positions,
                  rotation, head_dim, columns, true, head, rotated);
      clear(grad.dkeys, stride * columns);
      clear(grad.dvalues, stride * columns);
      for (std::int64_t h = g * group; h < (g + 1) * group; ++h) {
        for (std::int64_t i = 0; i < length; i += block_rows) {
          const std::int64_t rows = std::min(block_rows, length - i);
          Block block{grad.queries, {}, head.keys_transposed, stride, head.values, columns, columns, probabilities, room};
          for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t angle = positions[i + r] * half;
            rotate(qkv + (begin + i + r) * row + h * head_dim, rotation.cosine + angle, rotation.sine + angle,
                   head_dim, scale, grad.queries + r * columns);
            copy(dout + (begin + i + r) * out_row + h * head_dim, grad.dout + r * columns, head_dim);
            block.lengths[r] = i + r + 1;
          }
#define RLAIF_CALL(n) attend_backward<n>(block, head, grad, head_dim, columns)
          RLAIF_BY_ROWS(rows, RLAIF_CALL)
#undef RLAIF_CALL
          for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t angle = positions[i + r] * half;
            rotate_back(grad.dqueries + r * columns, rotation.cosine + angle, rotation.sine + angle, head_dim, scale,
                        dqkv + (begin + i + r) * row + h * head_dim);
          }
        }
      }
      for (std::int64_t j = 0; j < length; ++j) {
        const std::int64_t angle = positions[j] * half;
        rotate_back(grad.dkeys + j * columns, rotation.cosine + angle, rotation.sine + angle, head_dim, 1.0F,
                    dqkv + (begin + j) * row + key_column);
        copy(grad.dvalues + j * columns, dqkv + (begin + j) * row + value_column, head_dim);
      }
    }
  }
}

RLAIF_CLONES
void attention_extend(const float* qkv, std::int64_t rows, const std::int32_t* slots, const std::int32_t* positions,
                      const Rotation& rotation, const HeadShape& shape, const CacheLayer& cache, float* out) {
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

  for (std::int64_t n = 0; n < rows; ++n) {
    const std::int64_t position = positions[n];
    for (std::int64_t g = 0; g < shape.kv_heads; ++g) {
      const std::int64_t base = (slots[n] * shape.kv_heads + g) * head_size;
      const float* const k = qkv + n * row + (shape.heads + g) * head_dim;
      rotate(k, rotation.cosine + position * half, rotation.sine + position * half, head_dim, 1.0F, rotated);
      float* const keys = cache.keys + base + position;
      for (std::int64_t d = 0; d < head_dim; ++d) keys[d * cache.stride] = rotated[d];
      copy(k + shape.kv_heads * head_dim, cache.values + base + position * head_dim, head_dim);
    }
  }
  // A block holds rows of one slot and one key/value head: neighbouring positions, then heads of the group.
  for (std::int64_t first = 0, last = 0; first < rows; first = last) {
    for (last = first + 1; last < rows && slots[last] == slots[first];) ++last;
    const std::int64_t run = (last - first) * group;
    for (std::int64_t g = 0; g < shape.kv_heads; ++g) {
      const std::int64_t base = (slots[first] * shape.kv_heads + g) * head_size;
      for (std::int64_t i = 0; i < run; i += block_rows) {
        const std::int64_t count = std::min(block_rows, run - i);
        Block block{queries, {}, cache.keys + base, cache.stride, cache.values + base, head_dim, columns,
                    probabilities, cache.stride};
        for (std::int64_t r = 0; r < count; ++r) {
          const std::int64_t n = first + (i + r) / group, h = g * group + (i + r) % group;
          const std::int64_t angle = positions[n] * half;
          rotate(qkv + n * row + h * head_dim, rotation.cosine + angle, rotation.sine + angle, head_dim, scale,
                 queries + r * columns);
          block.lengths[r] = positions[n] + 1;
        }
#define RLAIF_CALL(n) attend<n>(block, head_dim, columns, results)
        RLAIF_BY_ROWS(count, RLAIF_CALL)
#undef RLAIF_CALL
        for (std::int64_t r = 0; r < count; ++r) {
          const std::int64_t n = first + (i + r) / group, h = g * group + (i + r) % group;
          copy(results + r * columns, out + n * out_row + h * head_dim, head_dim);
        }
      }
    }
  }
}

}  // namespace rlaif::model::kernels
