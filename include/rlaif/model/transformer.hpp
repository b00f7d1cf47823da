// Decoder transformers: one body of code whose ModelConfig says which norms, positions, biases and activation it has.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/model/adapter.hpp"
#include "rlaif/model/config.hpp"
#include "rlaif/model/layout.hpp"
#include "rlaif/model/ops.hpp"
#include "rlaif/model/tensor.hpp"

namespace rlaif::model {

// y = x W^T + bias. The bias is undefined where there is none.
struct Linear {
  torch::Tensor weight_OI;  // [out, in]
  torch::Tensor bias_O;     // [out]
};

// RMS norm, or layer norm where ModelConfig::norm says so; only the latter has a bias.
struct Norm {
  torch::Tensor weight_d;
  torch::Tensor bias_d;
};

struct Layer {
  Norm input_norm;
  Linear qkv;                              // [(H + 2 KV) D, d]: queries, keys, values one below the other
  torch::Tensor query_norm_D, key_norm_D;  // RMS norm of every head before rotation; undefined where there is none
  Linear output;                           // [d, H D]
  Norm post_norm;
  Linear up;    // [2 F, d]: gate and up where gated, else [F, d]
  Linear down;  // [d, F]
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
  // Weights undefined in value; on torch::kMeta shapes alone, which take no memory.
  Transformer(const ModelConfig& config, torch::Device device = torch::kCPU);
  Transformer(Transformer&&) = default;
  Transformer& operator=(Transformer&&) = default;
  Transformer(const Transformer&) = delete;
  Transformer clone() const;  // a deep copy of the weights that shares nothing and has no adapter
  // Another model over the very same weight tensors, without adapter: no memory of its own.
  Transformer share() const;
  // Shares what the adapter leaves alone and holds W + scale B A of its own elsewhere. Without adapter: share().
  Transformer merged() const;
  // Writes the adapter's present values into `into`, which merged() made. Where there is no adapter nothing is done.
  void merge_into(Transformer& into) const;

  // Embeddings N(0, 1/sqrt(d)), linears N(0, 1/sqrt(fan-in)), residual outputs (attention output, down) further
  // divided by sqrt(2 L), norms 1. Keyed by (seed, parameter, element): the same on any machine.
  void initialize(std::uint64_t seed);

  // Training: all tokens of all sequences, with gradients where enabled. Returns the states after the final norm,
  // [N, d].
  torch::Tensor hidden_states(const PackedSequences& batch) const;
  // Its parts, for models that share their lower layers: states before layer `first`, through layers [first, last),
  // and the final norm. hidden_states = final_states(run_layers(embed(batch), batch, 0, L)).
  torch::Tensor embed(const PackedSequences& batch) const;
  torch::Tensor run_layers(torch::Tensor x_Nd, const PackedSequences& batch, std::int64_t first,
                           std::int64_t last) const;
  torch::Tensor final_states(const torch::Tensor& x_Nd) const;
  // Output projection of some states: [M, d] -> [M, V].
  torch::Tensor logits(const torch::Tensor& hidden_Md) const;

  // Inference: no gradients. Writes the rows' keys and values into the cache and returns states after the final
  // norm for all rows, [size, d]; valid until the next call.
  KvCache make_cache(std::int64_t slots, std::int64_t capacity) const;
  torch::Tensor extend(const CacheRows& rows, KvCache& cache) const;
  // Copies the first `length` positions of a slot to others: a shared prefix is computed once.
  void copy_prefix(KvCache& cache, std::int64_t from_slot, std::int64_t to_slot, std::int64_t length) const;

  const ModelConfig& config() const { return config_; }
  // What the tokenizer and chat format in use say of the ids: which end a response, and which name no token (rows that
  // only pad the vocabulary), so that they are never drawn. Copies and views of the model keep both.
  void set_tokens(EndTokens end_tokens, std::vector<TokenId> nameless_tokens);
  const std::vector<TokenId>& nameless_tokens() const { return nameless_tokens_; }  // in increasing order
  torch::Device device() const { return embedding_Vd.device(); }
  // Weights in canonical order; fused names such as "layers.0.qkv". The tensors are the parameters themselves.
  std::vector<NamedTensor> parameters() const;
  // What training changes: the adapter's where there is one, else all weights, or none of a frozen model.
  std::vector<NamedTensor> trainable_parameters() const;

  torch::Tensor embedding_Vd;
  torch::Tensor positions_Pd;  // learned positions; undefined where there are none
  std::vector<Layer> layers;
  Norm final_norm;
  torch::Tensor output_Vd;  // the embedding itself where tied

  std::shared_ptr<Adapter> adapter;     // low-rank updates used by hidden_states, never by extend; null: none
  bool frozen = false;                  // the weights belong to another model; share() sets it
  bool checkpoint_activations = false;  // training keeps a layer's input alone and computes the layer again going back

 private:
  struct Uninitialized {};
  Transformer(const ModelConfig& config, Uninitialized) : config_(config) {}
  AttentionShape attention_shape(std::size_t l) const;
  torch::Tensor apply_norm(const torch::Tensor& x_Nd, const Norm& norm) const;
  torch::Tensor run_layer(std::size_t l, const torch::Tensor& x_Nd, const PackedSequences& batch) const;

  ModelConfig config_;
  RotaryTable rotary_;
  std::vector<TokenId> nameless_tokens_;
};

// A transformer with one number per token: reward (read at the last token) or value (read at every token).
struct ScalarModel {
  Transformer body;
  torch::Tensor head_1d;  // [1, d]
  double offset = 0.0;    // subtracted from scores: centres a reward model
  double scale = 1.0;     // then divided by: its standard deviation on the training data

  // Head initialised N(0, 1/(d+1)) in variance (Huang et al. 2403.17031), body copied.
  static ScalarModel from_body(const Transformer& body, std::uint64_t seed);
  ScalarModel clone() const;
  // Head as above over shared weights: the body is base.share(), to be given an adapter of its own.
  static ScalarModel over(const Transformer& base, std::uint64_t seed);
  // (hidden . head - offset) / scale, [N].
  torch::Tensor values_N(const torch::Tensor& hidden_Nd) const;
  std::vector<NamedTensor> parameters() const;            // the body's, then "head"
  std::vector<NamedTensor> trainable_parameters() const;  // the body's, then "head"
};

}  // namespace rlaif::model
