// Hugging Face model folders: config.json, model.safetensors, generation_config.json.
// (tokenizer.json is text's; the study puts it beside them.)
#pragma once

#include <filesystem>

#include "rlaif/model/transformer.hpp"

namespace rlaif::model {

// How weights are written; float32, bfloat16 and float16 are read. Computation is in float32.
enum class WeightType { float32, bfloat16 };

// Causal models of the families llama (also SmolLM), mistral, qwen2, qwen3, gpt_neox and gpt2, in one or many files.
// Every tensor must be there with the shape the config says, and none besides; else Error(input) naming file and
// tensor, before memory for the weights is taken. Weights are read one by one: there is no second copy of them. The
// config's end tokens are those of config.json, then those of generation_config.json.
Transformer load_model(const std::filesystem::path& folder, torch::Device device = torch::kCPU);
// Writes generation_config.json: where whoever serves the model begins and stops.
void save_generation_config(const std::filesystem::path& folder, const ModelConfig& config);
void save_model(const std::filesystem::path& folder, const Transformer& model, WeightType type = WeightType::float32);

// The families' models for sequence classification with num_labels 1 ("score.weight"); offset and scale stand in config.json as
// "rlaif_score_offset" and "rlaif_score_scale" (0 and 1 where absent).
// Throws Error(input) naming file and tensor also for a score with several outputs or a bias.
ScalarModel load_scalar_model(const std::filesystem::path& folder, torch::Device device = torch::kCPU);
void save_scalar_model(const std::filesystem::path& folder, const ScalarModel& model,
                       WeightType type = WeightType::float32);
// What is wrong with such a folder, as load_scalar_model would say it, from its config and the tensors' names and shapes
// alone: no weight is read.
void check_scalar_folder(const std::filesystem::path& folder);
// Whether this program trained the folder's reward model, whole or as an adapter: such a one has learned from prompt,
// completion and end token, and scores in units of its own training data.
bool is_own_reward_folder(const std::filesystem::path& folder);

}  // namespace rlaif::model
