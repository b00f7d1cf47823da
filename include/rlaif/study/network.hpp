// Networks of a study, and what adapters over them have in common.
//   ModelOptions network;  bind_model(table, "model", network, "the policy");  table.set("model.num_layers", {"6"});
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/model/adapter_options.hpp"

namespace rlaif::study {

// A network: a Hugging Face folder, or random weights of these sizes.
struct ModelOptions {
  std::filesystem::path folder;
  std::int64_t hidden_size = 128, num_layers = 3, num_heads = 4, num_kv_heads = 4, intermediate_size = 352;
  std::int64_t max_positions = 256;
  bool tied_embeddings = true;
};
// `whose` network the section describes: "the policy".
void bind_model(OptionTable& table, const std::string& section, ModelOptions& options, const std::string& whose);

// Low-rank adapters of one stage; rank 0 trains all weights.
struct LowRankOptions {
  int rank = 0;
  double alpha = 32.0;
};
// What the adapters of a study have in common, so that models over one base can share its lower layers.
struct LoraOptions {
  std::vector<std::string> targets{"all"};
  std::int64_t first_layer = 0;

  model::AdapterOptions adapter(const LowRankOptions& of) const;
};
void bind_lora(OptionTable& table, LoraOptions& options);

}  // namespace rlaif::study
