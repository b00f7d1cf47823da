// Model families: how their Hugging Face checkpoints name things and lay them out, and what their config.json says. A
// further family is one more entry. Not a public header.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config_reader.hpp"
#include "rlaif/model/config.hpp"

namespace rlaif::model {

// A linear layer of ours in a checkpoint: one or several layers whose rows are ours one below the other, or something
// that is laid out in another way.
struct LinearNames {
  std::vector<std::string> parts;
  bool transposed = false;   // [in, out]
  bool interleaved = false;  // rows are query, key and value of head 0, then of head 1, ...
};

// Names without ".weight" and ".bias". Those of a decoder layer follow `layer_prefix`, "{}" being the layer's number.
struct TensorNames {
  std::string base_prefix;  // checkpoints of the body alone lack it
  std::string embedding, positions, final_norm, score;
  std::vector<std::string> output;  // the first is written, all are read
  std::string layer_prefix;
  std::string input_norm, query_norm, key_norm, post_norm;
  LinearNames qkv, attention_output, up, down;
  std::vector<std::string> ignored_suffixes;  // buffers that old checkpoints carry
};

struct Family {
  std::string name;  // ModelConfig::architecture and model_type
  std::string causal_architecture, scalar_architecture;
  bool tied_by_default;  // where the config does not say
  TensorNames tensors;
  void (*read)(const ConfigReader& json, ModelConfig& config);  // all but the tokens and tied_embeddings
  Json (*write)(const ModelConfig& config);  // all but architectures, model_type, tokens, tying and the weights' type
};

const std::vector<Family>& families();
// nullptr where the name is not one of ours.
const Family* find_family(std::string_view name);
// "llama, ...": what error messages list.
std::string family_names();

}  // namespace rlaif::model
