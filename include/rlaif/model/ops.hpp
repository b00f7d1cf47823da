// Differentiable operations of the transformer, each as one autograd node. On the CPU in float32 they run own kernels;
// on other devices and types, and as the oracle in tests, the compositions of torch operations named *_reference.
// Derivatives are of first order only.
#pragma once

#include <cstdint>
#include <span>

#include "rlaif/model/adapter.hpp"
#include "rlaif/model/layout.hpp"
#include "rlaif/model/tensor.hpp"

namespace rlaif::model {

// x / sqrt(mean(x^2) + eps) * weight. x: [N, d], weight: [d]. Zhang & Sennrich 2019.
torch::Tensor rms_norm(const torch::Tensor& x_Nd, const torch::Tensor& weight_d, double eps);
torch::Tensor rms_norm_reference(const torch::Tensor& x_Nd, const torch::Tensor& weight_d, double eps);

// (x - mean) / sqrt(variance + eps) * weight + bias. x: [N, d], weight, bias: [d]. Ba et al. 1607.06450.
torch::Tensor layer_norm(const torch::Tensor& x_Nd, const torch::Tensor& weight_d, const torch::Tensor& bias_d,
                         double eps);

// swiglu: [N, 2F] -> [N, F]; the others element by element (Hendrycks & Gimpel 1606.08415).
torch::Tensor activate(const torch::Tensor& x_NU, Activation activation);

// silu(gate) * up with gate = x[:, :F], up = x[:, F:]. x: [N, 2F] -> [N, F]. Shazeer 2020.
torch::Tensor swiglu(const torch::Tensor& x_N2F);
torch::Tensor swiglu_reference(const torch::Tensor& x_N2F);

// Cosines and sines of rotary embeddings, [max_positions, D/2] each, float32. Su et al. 2021; the two halves of a
// head are rotated against each other, as in Hugging Face's Llama.
struct RotaryTable {
  torch::Tensor cos_PD2, sin_PD2;
};
RotaryTable rotary_table(std::int64_t max_positions, std::int64_t head_dim, double theta, torch::Device device);
// The same with the model's scaling (linear: Chen et al. 2306.15595; YaRN: Peng et al. 2309.00071, its attention factor
// multiplied in; llama3 as in Llama 3.1). Pairs that the model does not rotate have the angle 0.
RotaryTable rotary_table(const ModelConfig& config, torch::Device device);

struct AttentionShape {
  std::int64_t num_heads, num_kv_heads, head_dim;
  std::int64_t window = 0;  // tokens attended to, the token itself included; 0: all
};
// RMS norm of every query and key head. qkv: [N, (H + 2 KV) D], weights: [D]; values pass through.
torch::Tensor norm_heads(const torch::Tensor& qkv_NE, const torch::Tensor& query_weight_D,
                         const torch::Tensor& key_weight_D, double eps, const AttentionShape& shape);

// Rotary embedding and causal attention within each sequence, scale 1/sqrt(D), grouped heads.
// qkv: [N, (H + 2 KV) D], queries first, then keys, then values -> [N, H D].
torch::Tensor rotary_attention(const torch::Tensor& qkv_NE, const PackedSequences& layout, const RotaryTable& rotary,
                               const AttentionShape& shape);
torch::Tensor rotary_attention_reference(const torch::Tensor& qkv_NE, const PackedSequences& layout,
                                         const RotaryTable& rotary, const AttentionShape& shape);

// The same over a cache, for inference: stores the rows' keys and values at (slot, position), then every row attends to
// positions 0 ... its own of its slot. qkv: [R, (H + 2 KV) D], slots, positions: [R], keys: [S, KV, D, C] (rotated),
// values: [S, KV, C, D] with at least 16 readable floats after the last row, out: [R, H D], written. CPU, float32.
void cached_attention(const torch::Tensor& qkv_RE, std::span<const std::int32_t> slots_R,
                      std::span<const std::int32_t> positions_R, const RotaryTable& rotary, const AttentionShape& shape,
                      torch::Tensor keys_SKDC, torch::Tensor values_SKCD, torch::Tensor out_RA);
// Any device; slots and positions are int64 tensors there.
torch::Tensor cached_attention_reference(const torch::Tensor& qkv_RE, const torch::Tensor& slots_R,
                                         const torch::Tensor& positions_R, const RotaryTable& rotary,
                                         const AttentionShape& shape, torch::Tensor keys_SKDC,
                                         torch::Tensor values_SKCD);

// Rows of a table: table[ids]. table: [V, d], ids: int64 [N] -> [N, d].
torch::Tensor gather_rows(const torch::Tensor& table_Vd, const torch::Tensor& ids_N);
torch::Tensor gather_rows_reference(const torch::Tensor& table_Vd, const torch::Tensor& ids_N);

// x W^T + bias + residual + low-rank update, each of the last three where given. x: [N, in], W: [out, in],
// bias: [out], residual: [N, out]. Any device. Gradients are computed for those inputs alone that require them: a
// frozen W costs nothing in the backward pass but the product with dy.
torch::Tensor project(const torch::Tensor& x_NI, const torch::Tensor& weight_OI, const torch::Tensor& bias_O = {},
                      const torch::Tensor& residual_NO = {}, const LowRank* low_rank = nullptr);

}  // namespace rlaif::model
