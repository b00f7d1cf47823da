// Low-rank adapters (Hu et al. 2106.09685): W + (alpha / rank) B A on chosen projections, W itself frozen.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/model/config.hpp"

namespace rlaif::model {

using NamedTensor = std::pair<std::string, torch::Tensor>;

// Names of projections as in Hugging Face's Llama, whatever the family calls its own.
inline const std::vector<std::string>& projection_names() {
  static const std::vector<std::string> names{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
  return names;
}

struct AdapterOptions {
  int rank = 16;
  double alpha = 32.0;
  std::vector<std::string> targets = projection_names();
  std::int64_t first_layer = 0;  // layers below have no adapter: models over one base can share their states
  double scale() const { return alpha / rank; }
  bool operator==(const AdapterOptions&) const = default;
  // Throws Error(usage) naming what does not fit: rank, alpha, first_layer, a target this architecture lacks.
  void validate(const ModelConfig& config) const;
};

// The update of one (fused) linear layer: part p adds scale * B[p] A[p] x to the rows [row_begin[p], + rows[p]).
struct LowRank {
  std::vector<std::string> targets;            // one a part
  std::vector<std::int64_t> row_begin, rows;   // of the fused weight
  torch::Tensor a_RI;                          // [parts * rank, in], parts one below the other
  torch::Tensor b_Or;                          // [sum of rows, rank]
  double scale = 1.0;
  bool empty() const { return targets.empty(); }
};

class Adapter {
 public:
  // A: U(-1/sqrt(in), 1/sqrt(in)) keyed by seed (what PEFT's default amounts to); B: 0, so that nothing changes at first.
  Adapter(const ModelConfig& config, const AdapterOptions& options, std::uint64_t seed, torch::Device device);
  const AdapterOptions& options() const { return options_; }
  struct LayerParts {
    LowRank qkv, output, up, down;
    bool empty() const { return qkv.empty() && output.empty() && up.empty() && down.empty(); }
  };
  const LayerParts& layer(std::size_t l) const { return layers_[l]; }
  std::vector<NamedTensor> parameters() const;  // "layers.3.qkv.lora_a", ...
  Adapter clone() const;

 private:
  AdapterOptions options_;
  std::vector<LayerParts> layers_;
};

}  // namespace rlaif::model
