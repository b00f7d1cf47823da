#include "rlaif/study/network.hpp"

#include "rlaif/core/option_table.hpp"

namespace rlaif::study {

model::AdapterOptions LoraOptions::adapter(const LowRankOptions& of) const {
  model::AdapterOptions options;
  options.rank = of.rank;
  options.alpha = of.alpha;
  options.first_layer = first_layer;
  if (targets != std::vector<std::string>{"all"}) options.targets = targets;
  return options;
}

void bind_model(OptionTable& table, const std::string& section, ModelOptions& o, const std::string& whose) {
  table.add_input(section + ".folder", &o.folder, "",
                  "Hugging Face folder " + whose + " starts from; empty: random weights");
  table.add(section + ".hidden_size", &o.hidden_size, "", "width of " + whose).at_least(1).at_most(1 << 28);
  table.add(section + ".num_layers", &o.num_layers, "layers", "number of layers").at_least(1).at_most(10000);
  table.add(section + ".num_heads", &o.num_heads, "heads", "attention heads").at_least(1).at_most(1 << 28);
  table.add(section + ".num_kv_heads", &o.num_kv_heads, "heads", "key and value heads; divides num_heads")
      .at_least(1)
      .at_most(1 << 28);
  table.add(section + ".intermediate_size", &o.intermediate_size, "", "width of the feed-forward layer")
      .at_least(1)
      .at_most(1 << 28);
  table.add(section + ".max_positions", &o.max_positions, "tokens", "longest sequence, prompt and response together")
      .at_least(2)
      .at_most(1 << 22);
  table.add(section + ".tied_embeddings", &o.tied_embeddings, "", "one matrix for embedding and output");
}

void bind_lora(OptionTable& table, LoraOptions& o) {
  table.add("lora.targets", &o.targets, "",
            "projections with adapters, of q_proj k_proj v_proj o_proj gate_proj up_proj down_proj, or all");
  table
      .add("lora.first_layer", &o.first_layer, "layers",
           "layers below have no adapter and are computed once for all models of PPO")
      .at_least(0);
}

}  // namespace rlaif::study
