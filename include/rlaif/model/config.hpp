// Shapes and constants of a decoder transformer, as in a Hugging Face config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "rlaif/core/end_tokens.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::model {

enum class NormKind { rms, layer };
// swiglu is gated (two projections up); gelu_tanh is the approximation by tanh, gelu_new in Hugging Face's terms.
enum class Activation { swiglu, gelu, gelu_tanh };

// How rotary frequencies are stretched beyond the context a model was first trained with.
struct RopeScaling {
  enum class Kind { none, linear, llama3, yarn } kind = Kind::none;
  double factor = 1.0;
  std::int64_t original_positions = 0;                   // llama3, yarn
  double low_freq_factor = 1.0, high_freq_factor = 4.0;  // llama3
  double beta_fast = 32.0, beta_slow = 1.0;              // yarn
  double attention_factor = 0.0;                         // yarn; 0: 0.1 ln(factor) + 1
  bool operator==(const RopeScaling&) const = default;
};

struct ModelConfig {
  std::string architecture = "llama";  // the family; others are refused by name
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 128;        // d
  std::int64_t num_layers = 3;           // L
  std::int64_t num_heads = 4;            // H
  std::int64_t num_kv_heads = 4;         // KV; divides H
  std::int64_t head_dim = 32;            // D
  std::int64_t intermediate_size = 352;  // F
  std::int64_t max_positions = 256;      // context, tokens
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  // Dimensions of a head that are rotated, -1: all, 0: none. Where it is a part r of D, heads are kept in an order of
  // their own: i and i + D/2 are a rotated pair for i < r/2 (checkpoints have the r dimensions first).
  std::int64_t rotary_dims = -1;
  bool learned_positions = false;
  std::int64_t sliding_window = 0;      // tokens a token attends to, itself included; 0: all
  std::int64_t sliding_from_layer = 0;  // layers below attend to all
  NormKind norm = NormKind::rms;
  Activation activation = Activation::swiglu;
  bool parallel_residual = false;  // attention and feed-forward both read the layer's input
  bool qkv_bias = false, output_bias = false, mlp_bias = false;
  bool query_key_norm = false;
  double norm_eps = 1e-5;
  bool tied_embeddings = true;
  TokenId bos_token = -1, pad_token = -1;  // -1: none
  EndTokens end_tokens;                    // "eos_token_id": a number or a list

  bool gated() const { return activation == Activation::swiglu; }
  std::int64_t rotated() const { return rotary_dims < 0 ? head_dim : rotary_dims; }
  // Tokens that a layer's tokens attend to, 0: all.
  std::int64_t window(std::int64_t layer) const { return layer >= sliding_from_layer ? sliding_window : 0; }
  std::int64_t up_rows() const { return (gated() ? 2 : 1) * intermediate_size; }
  std::int64_t num_parameters() const;  // without heads
  // Throws Error(input) naming `source` and the field that does not fit.
  void validate(const std::string& source) const;
  bool operator==(const ModelConfig&) const = default;
};

// Of a Hugging Face config.json. Throws Error(input) naming the file and the field where the family, a field or its value
// is not covered: a field of unknown meaning is refused unless it is null or false.
ModelConfig read_config(const std::filesystem::path& config_json);

}  // namespace rlaif::model
