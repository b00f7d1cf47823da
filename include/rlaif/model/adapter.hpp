// Low-rank adapters (Hu et al. 2106.09685): W + (alpha / rank) B A on chosen projections, W itself frozen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rlaif/model/adapter_options.hpp"
#include "rlaif/model/config.hpp"
#include "rlaif/model/tensor.hpp"

namespace rlaif::model {

// The update of one (fused) linear layer: part p adds scale * B[p] A[p] x to the rows [row_begin[p], + rows[p]).
struct LowRank {
  std::vector<std::string> targets;           // one a part
  std::vector<std::int64_t> row_begin, rows;  // of the fused weight
  torch::Tensor a_RI;                         // [parts * rank, in], parts one below the other
  torch::Tensor b_Or;                         // [sum of rows, rank]
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
