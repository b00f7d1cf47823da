// Llama-style decoder: RMSNorm, rotary attention with grouped heads, SwiGLU, tied or untied output.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/model/config.hpp"
#include "rlaif/model/layout.hpp"
#include "rlaif/model/ops.hpp"

namespace rlaif::model {

using NamedTensor = std::pair<std::string, torch::Tensor>;

struct Layer {
  torch::Tensor input_norm_d;       // [d]
  torch::Tensor qkv_Ed;             // [(H + 2 KV) D, d]: q_proj, k_proj, v_proj stacked
  torch::Tensor output_dE;          // [d, H D]
  torch::Tensor post_norm_d;        // [d]
  torch::Tensor gate_up_2Fd;        // [2 F, d]: gate_proj, up_proj stacked
  torch::Tensor down_dF;            // [d, F]
};

// Keys and values of past tokens for a fixed number of slots. Storage is allocated once.
struct KvCache {
  // Per layer. Keys are already rotated and stand position-last, so that scores are computed for many positions at
  // once. The position axis C is `capacity` rounded up to whole vectors.
  std::vector<torch::Tensor> keys_SKDC, values_SKCD;
  std::int64_t slots = 0, capacity = 0;
  // Buffers of `extend`, kept from call to call.
  struct Workspace {
    torch::Tensor hidden, normed, qkv, attended, gate_up, activated;  // [rows or more, ...]
  };
  Workspace workspace;
};

// What `extend` processes: tokens in any mix of prefill and decode, each at its slot and position. Tokens of one
// slot stand in increasing position, and all earlier positions of the slot are in the cache or in the same call.
struct CacheRows {
  std::vector<TokenId> tokens;
  std::vector<std::int32_t> slots;
  std::vector<std::int32_t> positions;
  std::int64_t size() const { return static_cast<std::int64_t>(tokens.size()); }
};

class Transformer {
 public:
  Transformer(const ModelConfig& config, torch::Device device = torch::kCPU);  // weights undefined in value
  Transformer(Transformer&&) = default;
  Transformer& operator=(Transformer&&) = default;
  Transformer(const Transformer&) = delete;
  Transformer clone() const;  // a deep copy that shares nothing

  // Embeddings N(0, 1/sqrt(d)), linears N(0, 1/sqrt(fan-in)), residual outputs (attention output, down) further
  // divided by sqrt(2 L), norms 1. Keyed by (seed, parameter, element): the same on any machine.
  void initialize(std::uint64_t seed);

  // Training: all tokens of all sequences, with gradients where enabled. Returns the states after the final norm,
  // [N, d].
  torch::Tensor hidden_states(const PackedSequences& batch) const;
  // Output projection of some states: [M, d] -> [M, V].
  torch::Tensor logits(const torch::Tensor& hidden_Md) const;

  // Inference: no gradients. Writes the rows' keys and values into the cache and returns states after the final
  // norm for all rows, [size, d]; valid until the next call.
  KvCache make_cache(std::int64_t slots, std::int64_t capacity) const;
  torch::Tensor extend(const CacheRows& rows, KvCache& cache) const;
  // Copies the first `length` positions of a slot to others: a shared prefix is computed once.
  void copy_prefix(KvCache& cache, std::int64_t from_slot, std::int64_t to_slot, std::int64_t length) const;

  const ModelConfig& config() const { return config_; }
  torch::Device device() const { return embedding_Vd.device(); }
  // Canonical order; fused names such as "layers.0.qkv". The tensors are the parameters themselves.
  std::vector<NamedTensor> parameters() const;

  torch::Tensor embedding_Vd;
  std::vector<Layer> layers;
  torch::Tensor final_norm_d;
  torch::Tensor output_Vd;  // the embedding itself where tied

 private:
  ModelConfig config_;
  RotaryTable rotary_;
};

// A transformer with one number per token: reward (read at the last token) or value (read at every token).
struct ScalarModel {
  Transformer body;
  torch::Tensor head_1d;            // [1, d]
  double offset = 0.0;              // subtracted from scores: centres a reward model
  double scale = 1.0;               // then divided by: its standard deviation on the training data

  // Head initialised N(0, 1/(d+1)) in variance (Huang et al. 2403.17031), body copied.
  static ScalarModel from_body(const Transformer& body, std::uint64_t seed);
  ScalarModel clone() const;
  // (hidden . head - offset) / scale, [N].
  torch::Tensor values_N(const torch::Tensor& hidden_Nd) const;
  std::vector<NamedTensor> parameters() const;  // the body's, then "head"
};

}  // namespace rlaif::model
