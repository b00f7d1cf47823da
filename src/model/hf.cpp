#include "rlaif/model/hf.hpp"

#include <map>
#include <set>

#include "families.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/model/safetensors.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* weights_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";
constexpr const char* offset_key = "rlaif_score_offset";
constexpr const char* scale_key = "rlaif_score_scale";

enum class Purpose { causal, scalar };

const Family& family_of(const Transformer& model) {
  const Family* const family = find_family(model.config().architecture);
  RLAIF_CHECK(family, "a model's family is known");
  return *family;
}

// The tensors of a checkpoint as views of the parameters: fused ones are cut into their parts.
std::vector<NamedTensor> checkpoint_tensors(const Transformer& model, Purpose purpose) {
  const TensorNames& names = family_of(model).tensors;
  const ModelConfig& config = model.config();
  const std::int64_t queries = config.num_heads * config.head_dim, keys = config.num_kv_heads * config.head_dim;
  std::vector<NamedTensor> all{{names.embedding, model.embedding_Vd}};
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const Layer& layer = model.layers[l];
    std::string prefix = names.layer_prefix;
    prefix.replace(prefix.find("{}"), 2, std::to_string(l));
    const auto add = [&](const std::string& name, const torch::Tensor& tensor) { all.emplace_back(prefix + name, tensor); };
    const auto add_parts = [&](const std::vector<std::string>& parts, const torch::Tensor& fused,
                               const std::vector<std::int64_t>& rows) {
      std::int64_t begin = 0;
      for (std::size_t i = 0; i < parts.size(); begin += rows[i++]) add(parts[i], fused.narrow(0, begin, rows[i]));
    };
    add(names.input_norm, layer.input_norm_d);
    add_parts(names.qkv, layer.qkv_Ed, {queries, keys, keys});
    add(names.attention_output, layer.output_dE);
    add(names.post_norm, layer.post_norm_d);
    add_parts(names.gate_up, layer.gate_up_2Fd, {config.intermediate_size, config.intermediate_size});
    add(names.down, layer.down_dF);
  }
  all.emplace_back(names.final_norm, model.final_norm_d);
  if (purpose == Purpose::causal && !config.tied_embeddings) all.emplace_back(names.output, model.output_Vd);
  return all;
}

Json parse_json(const fs::path& file) {
  try {
    return Json::parse(read_file(file));
  } catch (const Json::exception& error) {
    throw input_error(file, std::string("expected JSON: ") + error.what());
  }
}

// A checkpoint's tensors by name, from one file or from the files its index names.
class Checkpoint {
 public:
  explicit Checkpoint(const fs::path& folder) {
    if (!fs::exists(folder / weights_name) && fs::exists(folder / index_name))
      read_index(folder);
    else
      read(folder / weights_name);
  }

  const torch::Tensor* find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
  }
  // Copies a tensor into a parameter and strikes it off.
  void take(const std::string& name, torch::Tensor parameter) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw input_error(file_, "expected the tensor \"" + name + "\"");
    const torch::Tensor& tensor = found->second;
    if (tensor.sizes() != parameter.sizes())
      throw input_error(file_, "tensor \"" + name + "\": expected the shape " + shape(parameter) + " (config.json), found " + shape(tensor));
    if (!tensor.is_floating_point())
      throw input_error(file_, "tensor \"" + name + "\": expected F32, BF16 or F16, found " + c10::toString(tensor.scalar_type()));
    parameter.copy_(tensor);
    tensors_.erase(found);
  }
  void drop(const std::string& name) { tensors_.erase(name); }
  void expect_empty(const std::vector<std::string>& ignored_suffixes) const {
    for (const auto& [name, tensor] : tensors_) {
      bool ignored = false;
      for (const std::string& suffix : ignored_suffixes) ignored = ignored || name.ends_with(suffix);
      if (!ignored) throw input_error(file_, "tensor \"" + name + "\" is not part of this architecture");
    }
  }
  const fs::path& file() const { return file_; }

 private:
  static std::string shape(const torch::Tensor& tensor) {
    std::string text = "[";
    for (const std::int64_t size : tensor.sizes()) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
  }
  void read(const fs::path& file) {
    file_ = file_.empty() ? file : file_;
    for (auto& [name, tensor] : read_safetensors(file).tensors)
      if (!tensors_.emplace(name, tensor).second) throw input_error(file, "tensor \"" + name + "\" stands in two files");
  }
  void read_index(const fs::path& folder) {
    file_ = folder / index_name;
    const Json index = parse_json(file_);
    const auto map = index.is_object() ? index.find("weight_map") : index.end();
    if (!index.is_object() || map == index.end() || !map->is_object())
      throw input_error(file_, "expected the object \"weight_map\"");
    std::set<std::string> files;
    for (const auto& [name, file] : map->items()) {
      const std::string text = file.is_string() ? file.get<std::string>() : "";
      if (text.empty() || fs::path(text).filename() != text)
        throw input_error(file_, "\"weight_map." + name + "\": expected the name of a file in the same folder");
      files.insert(text);
    }
    for (const std::string& name : files) read(folder / name);
  }

  fs::path file_;
  std::map<std::string, torch::Tensor> tensors_;
};

// A tied checkpoint need not hold the output matrix; where it does, it must be the embedding.
void check_tied_output(Checkpoint& checkpoint, const TensorNames& names) {
  const torch::Tensor* const output = checkpoint.find(names.output);
  const torch::Tensor* const embedding = checkpoint.find(names.embedding);
  if (!output || !embedding) return;
  if (output->sizes() != embedding->sizes() || !output->to(torch::kFloat).equal(embedding->to(torch::kFloat)))
    throw input_error(checkpoint.file(), "tensor \"" + names.output + "\" differs from \"" + names.embedding +
                                             "\" although \"tie_word_embeddings\" is true");
  checkpoint.drop(names.output);
}

Transformer load_body(Checkpoint& checkpoint, const ModelConfig& config, Purpose purpose, torch::Device device) {
  const torch::NoGradGuard no_grad;
  Transformer model(config, device);
  const TensorNames& names = family_of(model).tensors;
  if (config.tied_embeddings) check_tied_output(checkpoint, names);
  for (const auto& [name, parameter] : checkpoint_tensors(model, purpose)) checkpoint.take(name, parameter);
  return model;
}

Json token_or_null(TokenId id) { return id < 0 ? Json(nullptr) : Json(id); }

Json config_json(const Transformer& model, const std::string& architecture) {
  const ModelConfig& config = model.config();
  // Both the rotary fields of transformers 4 and 5, so that either reads the same angles.
  return {{"architectures", Json::array({architecture})},
          {"model_type", config.architecture},
          {"vocab_size", config.vocab_size},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"num_hidden_layers", config.num_layers},
          {"num_attention_heads", config.num_heads},
          {"num_key_value_heads", config.num_kv_heads},
          {"head_dim", config.head_dim},
          {"max_position_embeddings", config.max_positions},
          {"hidden_act", "silu"},
          {"rms_norm_eps", config.norm_eps},
          {"rope_theta", config.rope_theta},
          {"rope_scaling", nullptr},
          {"rope_parameters", {{"rope_theta", config.rope_theta}, {"rope_type", "default"}}},
          {"attention_bias", false},
          {"mlp_bias", false},
          {"attention_dropout", 0.0},
          {"tie_word_embeddings", config.tied_embeddings},
          {"bos_token_id", token_or_null(config.bos_token)},
          {"eos_token_id", token_or_null(config.eos_token)},
          {"pad_token_id", token_or_null(config.pad_token)},
          {"torch_dtype", "float32"},
          {"use_cache", true}};
}

void write_json(const fs::path& file, const Json& json) { write_file_atomic(file, json.dump(2) + "\n"); }

double finite_number(const fs::path& file, const Json& json, const char* key, double otherwise) {
  const auto found = json.find(key);
  if (found == json.end()) return otherwise;
  if (!found->is_number()) throw input_error(file, std::string("\"") + key + "\": expected a number, found " + found->dump());
  return found->get<double>();
}

// Which of the family's two architectures a folder holds.
void expect_architecture(const fs::path& file, const Json& json, const std::string& expected) {
  const auto found = json.find("architectures");
  if (found == json.end() || found->is_null()) return;
  if (*found != Json::array({expected})) throw input_error(file, "\"architectures\": expected " + expected + ", found " + found->dump());
}

}  // namespace

Transformer load_model(const fs::path& folder, torch::Device device) {
  const fs::path config_file = folder / "config.json";
  const ModelConfig config = read_config(config_file);
  const Family& family = *find_family(config.architecture);
  expect_architecture(config_file, parse_json(config_file), family.causal_architecture);
  Checkpoint checkpoint(folder);
  Transformer model = load_body(checkpoint, config, Purpose::causal, device);
  checkpoint.expect_empty(family.tensors.ignored_suffixes);
  return model;
}

void save_model(const fs::path& folder, const Transformer& model) {
  make_folders(folder);
  const ModelConfig& config = model.config();
  write_safetensors(folder / weights_name, checkpoint_tensors(model, Purpose::causal), {{"format", "pt"}});
  write_json(folder / "config.json", config_json(model, family_of(model).causal_architecture));
  Json generation = Json::object();
  for (const auto& [key, id] : {std::pair{"bos_token_id", config.bos_token}, std::pair{"eos_token_id", config.eos_token},
                                std::pair{"pad_token_id", config.pad_token}})
    if (id >= 0) generation[key] = id;
  write_json(folder / "generation_config.json", generation);
}

ScalarModel load_scalar_model(const fs::path& folder, torch::Device device) {
  const fs::path config_file = folder / "config.json";
  ModelConfig config = read_config(config_file);
  const Json json = parse_json(config_file);
  const Family& family = *find_family(config.architecture);
  expect_architecture(config_file, json, family.scalar_architecture);
  config.tied_embeddings = true;  // there is no output matrix
  const double offset = finite_number(config_file, json, offset_key, 0.0);
  const double scale = finite_number(config_file, json, scale_key, 1.0);
  if (!(scale > 0.0)) throw input_error(config_file, std::string("\"") + scale_key + "\": expected a positive number");

  Checkpoint checkpoint(folder);
  Transformer body = load_body(checkpoint, config, Purpose::scalar, device);
  const torch::Tensor head = torch::empty({1, config.hidden_size}, body.embedding_Vd.options());
  checkpoint.take(family.tensors.score, head);
  checkpoint.expect_empty(family.tensors.ignored_suffixes);
  return {std::move(body), head, offset, scale};
}

void save_scalar_model(const fs::path& folder, const ScalarModel& model) {
  make_folders(folder);
  const Family& family = family_of(model.body);
  auto tensors = checkpoint_tensors(model.body, Purpose::scalar);
  tensors.emplace_back(family.tensors.score, model.head_1d);
  write_safetensors(folder / weights_name, tensors, {{"format", "pt"}});
  Json json = config_json(model.body, family.scalar_architecture);
  json["num_labels"] = 1;
  json["id2label"] = {{"0", "LABEL_0"}};
  json["label2id"] = {{"LABEL_0", 0}};
  json[offset_key] = model.offset;
  json[scale_key] = model.scale;
  write_json(folder / "config.json", json);
}

}  // namespace rlaif::model
