// Small models of every family: what transformers computes for them is committed (tests/fixtures/model_families, made by
// make_model_fixture.py), their weights are made here by the formula that it used.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/model/layout.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {

inline std::map<std::string, torch::Tensor> tensors_of(const std::filesystem::path& file) {
  std::map<std::string, torch::Tensor> all;
  for (auto& [name, tensor] : read_safetensors(file).tensors) all[name] = tensor;
  return all;
}

// Token sequences from one tensor end to end and their lengths.
inline std::vector<std::vector<TokenId>> sequences_of(const torch::Tensor& tokens, const torch::Tensor& lengths) {
  const torch::Tensor all = tokens.flatten().to(torch::kInt32), sizes = lengths.to(torch::kInt64);
  std::vector<std::vector<TokenId>> sequences;
  const auto* token = all.const_data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < sizes.numel(); ++i) {
    sequences.emplace_back(token, token + sizes[i].item<std::int64_t>());
    token += sequences.back().size();
  }
  return sequences;
}

// What transformers computed, read from an expected.safetensors.
struct ExpectedOutputs {
  explicit ExpectedOutputs(const std::filesystem::path& file) : tensors(tensors_of(file)) {
    sequences = sequences_of(tensors.at("tokens"), tensors.at("lengths"));
    prompts = sequences_of(tensors.at("prompts"), tensors.at("prompt_lengths"));
    const torch::Tensor greedy = tensors.at("greedy");
    continuations = sequences_of(greedy, torch::full({greedy.size(0)}, greedy.size(1)));
  }
  std::map<std::string, torch::Tensor> tensors;  // "outputs": logits, "scores": of the scalar model
  std::vector<std::vector<TokenId>> sequences, prompts, continuations;
};

// Numbers in [-1, 1) of 24 bits by splitmix64 (Steele et al. 2014) over a FNV-1a hash of the name and the index.
inline torch::Tensor keyed_values(const std::string& name, std::int64_t count) {
  std::uint64_t key = 0xCBF29CE484222325;
  for (const char byte : name) key = (key ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  torch::Tensor values = torch::empty({count}, torch::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint64_t z = key + (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    values.data_ptr<double>()[i] = static_cast<double>(z >> 40) / 8388608.0 - 1.0;
  }
  return values;
}

inline torch::Tensor keyed_weight(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  torch::Tensor values = keyed_values(name, count);
  if (shape.size() > 1) {
    const std::int64_t smaller = std::min(shape[0], shape[1]);
    if (smaller > 1) values *= 3.0 / std::sqrt(static_cast<double>(smaller));
  } else {
    values *= 0.3;
    if (!name.ends_with(".bias")) values += 1.0;
  }
  return values.to(torch::kFloat).view(shape);
}

class FamilyFixture {
 public:
  explicit FamilyFixture(const std::string& name)
      : name(name),
        description(Json::parse(read_file(folder() / (name + ".json")))),
        expected(folder() / (name + ".safetensors")) {}

  static std::filesystem::path folder() {
    return std::filesystem::path(RLAIF_SOURCE_DIR) / "tests/fixtures/model_families";
  }
  static std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
      if (entry.path().extension() == ".json") all.push_back(entry.path().stem());
    std::sort(all.begin(), all.end());
    return all;
  }

  std::map<std::string, std::vector<std::int64_t>> shapes() const {
    std::map<std::string, std::vector<std::int64_t>> all;
    for (const auto& [key, shape] : description.at("tensors").items())
      all[key] = shape.get<std::vector<std::int64_t>>();
    return all;
  }
  std::vector<NamedTensor> weights() const {
    std::vector<NamedTensor> all;
    for (const auto& [key, shape] : shapes()) all.emplace_back(key, keyed_weight(key, shape));
    return all;
  }
  // A folder as transformers would write it.
  void write(const std::filesystem::path& to) const {
    std::filesystem::create_directories(to);
    write_file_atomic(to / "config.json", description.at("config").dump());
    write_safetensors(to / "model.safetensors", weights());
  }
  void write_scalar(const std::filesystem::path& to) const {
    std::filesystem::create_directories(to);
    Json config = description.at("config");
    config["architectures"] = Json::array({description.at("scalar_architecture")});
    write_file_atomic(to / "config.json", config.dump());
    auto tensors = weights();
    std::erase_if(tensors,
                  [](const NamedTensor& t) { return t.first == "lm_head.weight" || t.first == "embed_out.weight"; });
    const std::int64_t hidden = config.contains("n_embd") ? config["n_embd"] : config["hidden_size"];
    tensors.emplace_back("score.weight", keyed_weight("score.weight", {1, hidden}));
    write_safetensors(to / "model.safetensors", tensors);
  }

  std::string name;
  Json description;
  ExpectedOutputs expected;
};

}  // namespace rlaif::model
