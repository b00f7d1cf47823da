// Differentiable operations of the transformer, each as one autograd node. On the CPU they run own fp32 kernels;
// on other devices, and as the oracle in tests, the compositions of torch operations named *_reference.
#pragma once

#include <torch/torch.h>

#include "rlaif/model/layout.hpp"

namespace rlaif::model {

// x / sqrt(mean(x^2) + eps) * weight. x: [N, d], weight: [d]. Zhang & Sennrich 2019.
torch::Tensor rms_norm(const torch::Tensor& x_Nd, const torch::Tensor& weight_d, double eps);
torch::Tensor rms_norm_reference(const torch::Tensor& x_Nd, const torch::Tensor& weight_d, double eps);

// silu(gate) * up with gate = x[:, :F], up = x[:, F:]. x: [N, 2F] -> [N, F]. Shazeer 2020.
torch::Tensor swiglu(const torch::Tensor& x_N2F);
torch::Tensor swiglu_reference(const torch::Tensor& x_N2F);

// Cosines and sines of rotary embeddings, [max_positions, D/2] each, float32. Su et al. 2021; the two halves of a
// head are rotated against each other, as in Hugging Face's Llama.
struct RotaryTable {
  torch::Tensor cos_PD2, sin_PD2;
};
RotaryTable rotary_table(std::int64_t max_positions, std::int64_t head_dim, double theta, torch::Device device);

struct AttentionShape {
  std::int64_t num_heads, num_kv_heads, head_dim;
};
// Rotary embedding and causal attention within each sequence, scale 1/sqrt(D), grouped heads.
// qkv: [N, (H + 2 KV) D], queries first, then keys, then values -> [N, H D].
torch::Tensor rotary_attention(const torch::Tensor& qkv_NE, const PackedSequences& layout, const RotaryTable& rotary,
                               const AttentionShape& shape);
torch::Tensor rotary_attention_reference(const torch::Tensor& qkv_NE, const PackedSequences& layout,
                                         const RotaryTable& rotary, const AttentionShape& shape);

}  // namespace rlaif::model
