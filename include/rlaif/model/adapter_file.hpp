// Adapter folders as the PEFT library has them: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/model/transformer.hpp"

namespace rlaif::model {

// Whether a folder holds an adapter rather than a model.
bool is_adapter_folder(const std::filesystem::path& folder);
// What the adapter says it was made over: a folder or a name; empty where it does not say.
std::string adapter_base(const std::filesystem::path& folder);

// Families whose projections are layers of their own in checkpoints (llama, mistral, qwen2, qwen3); others are refused with
// Error(input), as the library's adapters of fused layers are other updates than ours. LoRA of one rank and one set of
// targets on layers first ... last; rank-stabilised scales are read too. Dropout concerns training elsewhere and is ignored.
// All else that would change what is computed is refused by name and field: DoRA, biases, patterns of ranks or alphas,
// further trained modules, an adapter of another base (layers or shapes that do not match), targets that match nothing.
//
// Sets the adapter of a causal model. Weights are read in float32.
void load_adapter(const std::filesystem::path& folder, Transformer& model);
// `base` is what adapter_config.json names as base_model_name_or_path.
void save_adapter(const std::filesystem::path& folder, const Transformer& model, const std::string& base);

// The same for sequence classification with one label: the head is saved and read as the module "score"; offset and scale
// stand in adapter_config.json as "rlaif_score_offset" and "rlaif_score_scale" (0 and 1 where absent).
void load_scalar_adapter(const std::filesystem::path& folder, ScalarModel& model);
void save_scalar_adapter(const std::filesystem::path& folder, const ScalarModel& model, const std::string& base);

}  // namespace rlaif::model
