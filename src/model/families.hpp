// Model families and how their Hugging Face checkpoints name things. A further family is one more entry.
// Not a public header.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rlaif::model {

// Names of a decoder layer's tensors follow `layer_prefix`, "{}" being the layer's number. Where several names stand
// for one parameter, the parameter is their rows one below the other.
struct TensorNames {
  std::string embedding, final_norm, output, score;
  std::string layer_prefix;
  std::string input_norm, post_norm, attention_output, down;
  std::vector<std::string> qkv, gate_up;
  std::vector<std::string> ignored_suffixes;  // buffers that old checkpoints carry
};

struct Family {
  std::string name;  // ModelConfig::architecture and model_type
  std::string causal_architecture, scalar_architecture;
  TensorNames tensors;
};

const std::vector<Family>& families();
// nullptr where the name is not one of ours.
const Family* find_family(std::string_view name);
// "llama, ...": what error messages list.
std::string family_names();

}  // namespace rlaif::model
