#include "rlaif/model/hf.hpp"

#include "../families/config_reader.hpp"
#include "../families/families.hpp"
#include "checkpoint.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"

#include "score_keys.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;

const Family& family_of(const ModelConfig& config) {
  const Family* const family = find_family(config.architecture);
  RLAIF_CHECK(family, "a model's family is known");
  return *family;
}

StoredTensor stored_head(const Family& family, const torch::Tensor& head_1d) {
  return {family.tensors.score + ".weight", head_1d, {}, false};
}

std::vector<StoredTensor> tensors_of(const Transformer& model, Purpose purpose, const torch::Tensor& head_1d) {
  auto all = stored_tensors(model, purpose);
  if (purpose == Purpose::scalar) all.push_back(stored_head(family_of(model.config()), head_1d));
  return all;
}

torch::Tensor empty_head(const ModelConfig& config, torch::Device device) {
  return torch::empty({1, config.hidden_size}, torch::TensorOptions().device(device));
}

// The folder's tensors, held against the config by their names and shapes.
Checkpoint expected_checkpoint(const fs::path& folder, const ModelConfig& config, Purpose purpose) {
  Checkpoint checkpoint(folder, family_of(config).tensors);
  if (purpose == Purpose::scalar) checkpoint.expect_one_output();
  checkpoint.expect(tensors_of(Transformer(config, torch::kMeta), purpose, empty_head(config, torch::kMeta)),
                    config.tied_embeddings);
  return checkpoint;
}

struct Loaded {
  Transformer body;
  torch::Tensor head_1d;  // scalar models' alone
};
// Everything is held against the config before memory for the weights is taken.
Loaded load(const fs::path& folder, const ModelConfig& config, Purpose purpose, torch::Device device) {
  const torch::NoGradGuard no_grad;
  const Checkpoint checkpoint = expected_checkpoint(folder, config, purpose);
  Loaded loaded{Transformer(config, device), empty_head(config, device)};
  for (const StoredTensor& tensor : tensors_of(loaded.body, purpose, loaded.head_1d)) checkpoint.read(tensor);
  return loaded;
}

Json token_or_null(TokenId id) { return id < 0 ? Json(nullptr) : Json(id); }

// As the reference library writes it: a number where there is one, else a list.
Json end_tokens_json(const EndTokens& end_tokens) {
  if (end_tokens.empty()) return nullptr;
  return end_tokens.ids().size() == 1 ? Json(end_tokens.written()) : Json(end_tokens.ids());
}

Json config_json(const ModelConfig& config, const std::string& architecture, WeightType type) {
  Json json = Json::object();
  json["architectures"] = Json::array({architecture});
  json["model_type"] = config.architecture;
  const Json fields = family_of(config).write(config);  // outlives the loop: items() refers to it
  for (const auto& [key, value] : fields.items()) json[key] = value;
  json["tie_word_embeddings"] = config.tied_embeddings;
  json["bos_token_id"] = token_or_null(config.bos_token);
  json["eos_token_id"] = end_tokens_json(config.end_tokens);
  json["pad_token_id"] = token_or_null(config.pad_token);
  json["torch_dtype"] = type == WeightType::float32 ? "float32" : "bfloat16";
  json["use_cache"] = true;
  return json;
}

void write_json(const fs::path& file, const Json& json) { write_file_atomic(file, json.dump(2) + "\n"); }

void write_weights(const fs::path& folder, const std::vector<StoredTensor>& tensors, WeightType type) {
  const torch::ScalarType stored_type = type == WeightType::float32 ? torch::kFloat : torch::kBFloat16;
  std::vector<DeferredTensor> deferred;
  for (const StoredTensor& tensor : tensors)
    deferred.push_back({tensor.name, stored_type, tensor.shape(), [&tensor] { return tensor.to_checkpoint(); }});
  write_deferred(folder / "model.safetensors", deferred, {{"format", "pt"}});
}

// What the family's fields cannot say would be lost.
void check_written(const fs::path& config_file, const ModelConfig& config) {
  RLAIF_CHECK(read_config(config_file) == config,
              "a config that reads back as it was written: " + config_file.string());
}

double finite_number(const JsonReader& config, const char* key, double otherwise) {
  const auto found = config.find(key);
  return found ? found->number() : otherwise;
}

// Many models name ends of a response in this file alone; whoever serves them stops at these too.
void add_generation_ends(const fs::path& file, ModelConfig& config) {
  if (!fs::exists(file)) return;
  config.end_tokens.add(ConfigReader(file).tokens("eos_token_id"));
  config.validate(file.string());
}

// Which of the family's two architectures a folder holds.
void expect_architecture(const fs::path& file, const Json& json, const std::string& expected) {
  const auto found = JsonReader(file, json).given("architectures");
  if (found && found->json() != Json::array({expected}))
    throw found->error("expected " + expected + ", found " + found->json().dump());
}

ModelConfig scalar_config(const fs::path& file, const Json& json) {
  ModelConfig config = read_config(file);
  expect_architecture(file, json, family_of(config).scalar_architecture);
  config.tied_embeddings = true;  // there is no output matrix
  return config;
}

}  // namespace

Transformer load_model(const fs::path& folder, torch::Device device) {
  const fs::path config_file = folder / "config.json";
  ModelConfig config = read_config(config_file);
  add_generation_ends(folder / "generation_config.json", config);
  expect_architecture(config_file, read_json_object(config_file), family_of(config).causal_architecture);
  return std::move(load(folder, config, Purpose::causal, device).body);
}

void save_generation_config(const fs::path& folder, const ModelConfig& config) {
  Json generation = Json::object();
  if (config.bos_token >= 0) generation["bos_token_id"] = config.bos_token;
  if (!config.end_tokens.empty()) generation["eos_token_id"] = end_tokens_json(config.end_tokens);
  if (config.pad_token >= 0) generation["pad_token_id"] = config.pad_token;
  write_json(folder / "generation_config.json", generation);
}

void save_model(const fs::path& folder, const Transformer& model, WeightType type) {
  make_folders(folder);
  const ModelConfig& config = model.config();
  write_weights(folder, stored_tensors(model, Purpose::causal), type);
  write_json(folder / "config.json", config_json(config, family_of(config).causal_architecture, type));
  check_written(folder / "config.json", config);
  save_generation_config(folder, config);
}

ScalarModel load_scalar_model(const fs::path& folder, torch::Device device) {
  const fs::path config_file = folder / "config.json";
  const Json json = read_json_object(config_file);
  const ModelConfig config = scalar_config(config_file, json);
  const JsonReader reader(config_file, json);
  const double offset = finite_number(reader, offset_key, 0.0), scale = finite_number(reader, scale_key, 1.0);
  if (!(scale > 0.0)) throw reader.at(scale_key).unexpected("a positive number");
  Loaded loaded = load(folder, config, Purpose::scalar, device);
  return {std::move(loaded.body), loaded.head_1d, offset, scale};
}

void check_scalar_folder(const fs::path& folder) {
  const torch::NoGradGuard no_grad;
  const fs::path config_file = folder / "config.json";
  expected_checkpoint(folder, scalar_config(config_file, read_json_object(config_file)), Purpose::scalar);
}

bool is_own_reward_folder(const fs::path& folder) {
  for (const char* const name : {"config.json", "adapter_config.json"}) {
    const fs::path file = folder / name;
    if (fs::exists(file) && read_json_object(file).contains(scale_key)) return true;
  }
  return false;
}

void save_scalar_model(const fs::path& folder, const ScalarModel& model, WeightType type) {
  make_folders(folder);
  const ModelConfig& config = model.body.config();
  const Family& family = family_of(config);
  auto tensors = stored_tensors(model.body, Purpose::scalar);
  tensors.push_back(stored_head(family, model.head_1d));
  write_weights(folder, tensors, type);
  Json json = config_json(config, family.scalar_architecture, type);
  json["num_labels"] = 1;
  json["id2label"] = {{"0", "LABEL_0"}};
  json["label2id"] = {{"LABEL_0", 0}};
  json[offset_key] = model.offset;
  json[scale_key] = model.scale;
  write_json(folder / "config.json", json);
  check_written(folder / "config.json", config);
}

}  // namespace rlaif::model
