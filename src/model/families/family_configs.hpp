// What each family's config.json says beside what all families say. Not a public header.
#pragma once

#include "config_reader.hpp"
#include "rlaif/model/config.hpp"

namespace rlaif::model {

void read_llama(const ConfigReader& json, ModelConfig& config);
void read_mistral(const ConfigReader& json, ModelConfig& config);
void read_qwen2(const ConfigReader& json, ModelConfig& config);
void read_qwen3(const ConfigReader& json, ModelConfig& config);
void read_gpt_neox(const ConfigReader& json, ModelConfig& config);
void read_gpt2(const ConfigReader& json, ModelConfig& config);

Json write_llama(const ModelConfig& config);
Json write_mistral(const ModelConfig& config);
Json write_qwen2(const ModelConfig& config);
Json write_qwen3(const ModelConfig& config);
Json write_gpt_neox(const ModelConfig& config);
Json write_gpt2(const ModelConfig& config);

}  // namespace rlaif::model
