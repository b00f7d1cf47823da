// fp32 loops behind the operations of ops.hpp and Transformer::extend. Raw pointers, row-major, contiguous; nothing is
// checked here. Each loop is compiled for several instruction sets; instruction_set() says which version runs, and
// they differ in last bits: above the least set products and sums are fused.
// Not a public header.
#pragma once

#include <cstdint>

namespace rlaif::model::kernels {

// y[n, d] = x[n, d] * weight[d] / sqrt(mean over d of x^2 + eps)
void rms_norm_forward(const float* x, const float* weight, float* y, std::int64_t rows, std::int64_t d, float eps);
// dx is written, dweight is added to; either may be null where it is not wanted.
void rms_norm_backward(const float* dy, const float* x, const float* weight, float* dx, float* dweight,
                       std::int64_t rows, std::int64_t d, float eps);

// y[n, F] = silu(x[n, :F]) * x[n, F:]
void swiglu_forward(const float* x, float* y, std::int64_t rows, std::int64_t f);
void swiglu_backward(const float* dy, const float* x, float* dx, std::int64_t rows, std::int64_t f);

// table[ids[n], :] += rows[n, :]
void add_rows(const float* rows, const std::int64_t* ids, float* table, std::int64_t count, std::int64_t d);

// y = x W^T, or y += x W^T where `add`. x: [rows, in], W: [out, in], y: [rows, out].
struct Product {
  const float* x;
  std::int64_t rows, in;
  const float* weight;
  std::int64_t out;
  float* y;
  bool add;
};
// Whether `multiply` does this product: it has loops for up to most_multiplied_rows rows, for whole vectors of inputs,
// and for AVX2 at least.
inline constexpr std::int64_t most_multiplied_rows = 192;
bool multiply_fits(const Product& product);
void multiply(const Product& product);

struct HeadShape {
  std::int64_t heads, kv_heads, head_dim;
  std::int64_t row() const { return (heads + 2 * kv_heads) * head_dim; }  // queries, keys, values of one token
};

// Cosines and sines, [positions, head_dim / 2] each.
struct Rotation {
  const float* cosine;
  const float* sine;
};

// Packed sequences: sequence s is rows [offsets[s], offsets[s + 1]); positions has one entry a row.
struct PackedRows {
  const std::int64_t* offsets;
  std::int64_t sequences;
  const std::int64_t* positions;
};
void attention_forward(const float* qkv, const PackedRows& packed, const Rotation& rotation, const HeadShape& shape,
                       float* out);
// Probabilities are computed again from qkv, row by row: nothing of size T^2 is stored.
void attention_backward(const float* dout, const float* qkv, const PackedRows& packed, const Rotation& rotation,
                        const HeadShape& shape, float* dqkv);

// One layer of a KvCache: keys [slots, KV, D, stride] (positions last), values [slots, KV, stride, D].
// stride is a multiple of `lanes`, so that whole vectors of positions may be read.
inline constexpr std::int64_t lanes = 16;
struct CacheLayer {
  float* keys;
  float* values;
  std::int64_t stride;
};
// Rotates and stores the rows' keys and values, then attends from every row to positions 0 ... its own of its slot.
// Rows of one slot that stand next to each other are worked on together.
void attention_extend(const float* qkv, std::int64_t rows, const std::int32_t* slots, const std::int32_t* positions,
                      const Rotation& rotation, const HeadShape& shape, const CacheLayer& cache, float* out);

}  // namespace rlaif::model::kernels
