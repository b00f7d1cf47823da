// Shapes and constants of a decoder transformer, as in a Hugging Face config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "rlaif/core/types.hpp"

namespace rlaif::model {

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
  double norm_eps = 1e-5;
  bool tied_embeddings = true;
  TokenId bos_token = -1, eos_token = -1, pad_token = -1;  // -1: none

  std::int64_t num_parameters() const;  // without heads
  // Throws Error(input) naming `source` and the field that does not fit.
  void validate(const std::string& source) const;
  bool operator==(const ModelConfig&) const = default;
};

ModelConfig read_config(const std::filesystem::path& config_json);

}  // namespace rlaif::model
