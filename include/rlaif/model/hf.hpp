// Hugging Face model folders: config.json, model.safetensors, generation_config.json.
// (tokenizer.json is text's; the pipeline puts it beside them.)
#pragma once

#include <filesystem>

#include "rlaif/model/transformer.hpp"

namespace rlaif::model {

// LlamaForCausalLM. Every tensor must be there with the shape the config says, and none besides; else Error(input)
// naming file and tensor.
Transformer load_model(const std::filesystem::path& folder, torch::Device device = torch::kCPU);
void save_model(const std::filesystem::path& folder, const Transformer& model);

// LlamaForSequenceClassification with num_labels 1 ("score.weight"); offset and scale stand in config.json as
// "rlaif_score_offset" and "rlaif_score_scale" (0 and 1 where absent).
ScalarModel load_scalar_model(const std::filesystem::path& folder, torch::Device device = torch::kCPU);
void save_scalar_model(const std::filesystem::path& folder, const ScalarModel& model);

}  // namespace rlaif::model
