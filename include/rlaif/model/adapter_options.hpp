// Which low-rank adapter a model gets: the part of adapters that a deck states. No tensors here.
//
//   AdapterOptions options{.rank = 8, .targets = {"q_proj", "v_proj"}};
//   options.validate(config);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rlaif/model/config.hpp"

namespace rlaif::model {

// Names of projections as in Hugging Face's Llama, whatever the family calls its own.
inline const std::vector<std::string>& projection_names() {
  static const std::vector<std::string> names{"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                              "gate_proj", "up_proj", "down_proj"};
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

}  // namespace rlaif::model
