#include "rlaif/model/adapter_file.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "../families/config_reader.hpp"
#include "../families/families.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"

#include "score_keys.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* config_name = "adapter_config.json";
constexpr const char* adapter_weights_name = "adapter_model.safetensors";
constexpr const char* tensor_prefix = "base_model.model.";
constexpr const char* score_module = "score";

enum class Task { causal, scalar };
const char* task_name(Task task) { return task == Task::causal ? "CAUSAL_LM" : "SEQ_CLS"; }

std::string last_component(const std::string& path) { return path.substr(path.rfind('.') + 1); }

// The names of a family whose projections are layers of their own; throws for others, with `where` before the message.
const TensorNames& separate_names(const ModelConfig& config, const fs::path& where) {
  const Family* const family = find_family(config.architecture);
  RLAIF_CHECK(family, "a model's family is known");
  const TensorNames& names = family->tensors;
  const bool separate = names.qkv.parts.size() == 3 && !names.qkv.transposed && !names.qkv.interleaved &&
                        names.up.parts.size() == (config.gated() ? 2U : 1U);
  if (!separate)
    throw input_error(where, "adapter folders of the family \"" + config.architecture +
                                 "\" are not supported: its checkpoints fuse projections, and an adapter of a fused "
                                 "layer is another update");
  return names;
}

// Every low-rank pair as views of the adapter's tensors, under the names that the library gives them.
struct Pair {
  std::string module;  // "base_model.model.model.layers.0.self_attn.q_proj"
  std::string target;  // "q_proj"
  std::size_t layer;
  torch::Tensor a_rI, b_Or;
};

std::vector<Pair> pairs_of(const Adapter& adapter, const TensorNames& names, std::size_t layers) {
  std::vector<Pair> all;
  const std::int64_t rank = adapter.options().rank;
  for (std::size_t l = 0; l < layers; ++l) {
    std::string prefix = tensor_prefix + names.layer_prefix;
    prefix.replace(prefix.find("{}"), 2, std::to_string(l));
    const Adapter::LayerParts& parts = adapter.layer(l);
    for (const auto& [linear, low_rank] :
         {std::pair{&names.qkv, &parts.qkv}, std::pair{&names.attention_output, &parts.output},
          std::pair{&names.up, &parts.up}, std::pair{&names.down, &parts.down}}) {
      std::int64_t b_begin = 0;
      for (std::size_t p = 0; p < low_rank->targets.size(); b_begin += low_rank->rows[p++]) {
        const std::string& target = low_rank->targets[p];
        const auto path = std::find_if(linear->parts.begin(), linear->parts.end(),
                                       [&](const std::string& part) { return last_component(part) == target; });
        RLAIF_CHECK(path != linear->parts.end(), "a target is a projection of its layer");
        all.push_back({prefix + *path, target, l, low_rank->a_RI.narrow(0, static_cast<std::int64_t>(p) * rank, rank),
                       low_rank->b_Or.narrow(0, b_begin, low_rank->rows[p])});
      }
    }
  }
  return all;
}

std::string shape_text(torch::IntArrayRef sizes) {
  std::string text = "[";
  for (const std::int64_t size : sizes) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

// The tensors of a file, struck off as they are used.
class AdapterTensors {
 public:
  explicit AdapterTensors(const fs::path& file) : reader_(file) {
    for (const SafetensorsEntry& entry : reader_.entries()) left_.emplace(entry.name, &entry);
  }
  const fs::path& file() const { return reader_.file(); }
  bool has(const std::string& name) const { return left_.contains(name); }
  void read(const std::string& name, const torch::Tensor& into) {
    const auto found = left_.find(name);
    if (found == left_.end()) throw input_error(file(), "expected the tensor \"" + name + "\"");
    const SafetensorsEntry& entry = *found->second;
    if (entry.shape != into.sizes())
      throw input_error(file(), "tensor \"" + name + "\": expected the shape " + shape_text(into.sizes()) +
                                    " by the base model and the rank, found " + shape_text(entry.shape));
    if (!torch::isFloatingType(entry.type))
      throw input_error(file(),
                        "tensor \"" + name + "\": expected F32, BF16 or F16, found " + c10::toString(entry.type));
    into.copy_(reader_.read(entry));
    left_.erase(found);
  }
  void expect_all_used(std::int64_t layers) const {
    if (left_.empty()) return;
    throw input_error(file(), "tensor \"" + left_.begin()->first +
                                  "\" belongs to no projection of the base model, which has " + std::to_string(layers) +
                                  " layers: an adapter of another base, or of layers that are not supported");
  }

 private:
  SafetensorsReader reader_;
  std::map<std::string, const SafetensorsEntry*> left_;
};

void expect_nothing(const ConfigReader& json, const std::string& key) {
  const auto value = json.given(key);
  if (value && value->json() != false && !(value->json().is_structured() && value->json().empty()))
    throw value->unexpected("it absent, null, false or empty, as it is not supported");
}

// What the config says of the update itself.
struct Described {
  int rank = 0;
  double alpha = 0.0;
  std::vector<std::string> targets;  // empty: a pattern, which the tensors resolve
};

Described read_description(const ConfigReader& json, Task task) {
  json.at("peft_type").one_of({"LORA"});
  if (const auto type = json.given("task_type")) type->one_of({task_name(task)});
  if (const auto bias = json.given("bias")) bias->one_of({"none"});
  for (const char* key :
       {"use_dora", "use_qalora", "use_bdlora", "lora_bias", "fan_in_fan_out", "rank_pattern", "alpha_pattern",
        "layer_replication", "target_parameters", "trainable_token_indices", "alora_invocation_tokens", "arrow_config",
        "megatron_config", "kasa_config", "monteclora_config", "velora_config"})
    expect_nothing(json, key);
  // These initialise by changing the base's weights as well.
  if (const auto how = json.given("init_lora_weights"); how && !how->json().is_boolean())
    how->one_of({"gaussian", "eva", "orthogonal"});
  if (const auto modules = json.given("modules_to_save")) {
    // "classifier" is what the library lists beside "score" whatever the model has.
    for (const Json& module : modules->json())
      if (task == Task::causal || (module != score_module && module != "classifier"))
        throw modules->error(module.dump() + " is not supported, expected " +
                             (task == Task::causal ? "none" : "\"score\" alone"));
  }
  for (const char* key :
       {"base_model_name_or_path", "inference_mode", "lora_dropout", "layers_to_transform", "layers_pattern",
        "exclude_modules", "auto_mapping", "revision", "peft_version", "megatron_core", "qalora_group_size",
        "loftq_config", "eva_config", "corda_config", "lora_ga_config", "runtime_config", "ensure_weight_tying"})
    json.given(key);

  Described described;
  const std::int64_t rank = json.integer("r");
  if (rank < 1 || rank > (1 << 16)) throw json.at("r").unexpected("a rank of at least 1");
  described.rank = static_cast<int>(rank);
  described.alpha = json.number("lora_alpha");
  if (!(described.alpha > 0.0)) throw json.at("lora_alpha").unexpected("a number above 0");
  // alpha / sqrt(r) in the place of alpha / r (Kalajdzievski 2312.03732).
  if (json.flag("use_rslora", false)) described.alpha *= std::sqrt(static_cast<double>(rank));
  const JsonReader targets = json.at("target_modules");
  if (!targets.json().is_string())
    for (const JsonReader& target : targets.items()) described.targets.push_back(last_component(target.string()));
  return described;
}

// Rank, alpha, targets and first layer, so that they account for the file's tensors.
AdapterOptions resolve(const ConfigReader& json, const Described& described, const AdapterTensors& tensors,
                       const ModelConfig& config, const TensorNames& names) {
  AdapterOptions options;
  options.rank = described.rank;
  options.alpha = described.alpha;
  options.targets.clear();
  std::vector<std::string> known;
  for (const LinearNames* linear : {&names.qkv, &names.attention_output, &names.up, &names.down})
    for (const std::string& part : linear->parts) known.push_back(last_component(part));
  // An adapter of every projection in every layer names all tensors there can be.
  AdapterOptions widest = options;
  widest.targets = known;
  widest.rank = 1;
  const auto layers = static_cast<std::size_t>(config.num_layers);
  std::set<std::string> targets;
  std::size_t first_layer = layers;
  for (const Pair& pair : pairs_of(Adapter(config, widest, 0, torch::kCPU), names, layers))
    if (tensors.has(pair.module + ".lora_A.weight")) {
      targets.insert(pair.target);
      first_layer = std::min(first_layer, pair.layer);
    }
  for (const std::string& name : known)
    if (targets.contains(name)) options.targets.push_back(name);
  for (const std::string& target : described.targets)
    if (!targets.contains(target))
      throw json.at("target_modules")
          .error("\"" + target + "\" matches no projection of the base model that the file has weights of");
  if (targets.empty()) throw input_error(tensors.file(), "no tensor belongs to a projection of the base model");
  options.first_layer = static_cast<std::int64_t>(first_layer);
  return options;
}

std::shared_ptr<Adapter> read_adapter(const ConfigReader& json, const fs::path& folder, const Transformer& model,
                                      Task task, AdapterTensors& tensors) {
  const fs::path config_file = folder / config_name;
  const TensorNames& names = separate_names(model.config(), config_file);
  const Described described = read_description(json, task);
  const AdapterOptions options = resolve(json, described, tensors, model.config(), names);
  const torch::NoGradGuard no_gradients;
  auto adapter = std::make_shared<Adapter>(model.config(), options, 0, model.device());
  for (const Pair& pair : pairs_of(*adapter, names, model.layers.size())) {
    tensors.read(pair.module + ".lora_A.weight", pair.a_rI);
    tensors.read(pair.module + ".lora_B.weight", pair.b_Or);
  }
  return adapter;
}

Json config_json(const Adapter& adapter, const ModelConfig& config, const std::string& base, Task task) {
  const AdapterOptions& options = adapter.options();
  Json json;
  json["peft_type"] = "LORA";
  json["task_type"] = task_name(task);
  json["base_model_name_or_path"] = base.empty() ? Json(nullptr) : Json(base);
  json["inference_mode"] = true;
  json["r"] = options.rank;
  json["lora_alpha"] = options.alpha;
  if (options.alpha == std::floor(options.alpha)) json["lora_alpha"] = static_cast<std::int64_t>(options.alpha);
  json["lora_dropout"] = 0.0;
  json["target_modules"] = options.targets;
  json["layers_to_transform"] = nullptr;
  if (options.first_layer > 0) {
    json["layers_to_transform"] = Json::array();
    for (std::int64_t l = options.first_layer; l < config.num_layers; ++l) json["layers_to_transform"].push_back(l);
  }
  json["layers_pattern"] = nullptr;
  json["bias"] = "none";
  json["fan_in_fan_out"] = false;
  json["init_lora_weights"] = true;
  json["use_rslora"] = false;
  json["use_dora"] = false;
  json["modules_to_save"] = task == Task::scalar ? Json::array({score_module}) : Json(nullptr);
  return json;
}

void write_folder(const fs::path& folder, const Transformer& model, const std::string& base,
                  const ScalarModel* scalar) {
  RLAIF_CHECK(model.adapter, "a model with an adapter");
  const Task task = scalar ? Task::scalar : Task::causal;
  const TensorNames& names = separate_names(model.config(), folder);
  make_folders(folder);
  std::vector<NamedTensor> tensors;
  for (const Pair& pair : pairs_of(*model.adapter, names, model.layers.size())) {
    tensors.emplace_back(pair.module + ".lora_A.weight", pair.a_rI);
    tensors.emplace_back(pair.module + ".lora_B.weight", pair.b_Or);
  }
  Json json = config_json(*model.adapter, model.config(), base, task);
  if (scalar) {
    tensors.emplace_back(tensor_prefix + names.score + ".weight", scalar->head_1d);
    json[offset_key] = scalar->offset;
    json[scale_key] = scalar->scale;
  }
  write_safetensors(folder / adapter_weights_name, tensors, {{"format", "pt"}});
  write_file_atomic(folder / config_name, json.dump(2) + "\n");
}

}  // namespace

bool is_adapter_folder(const fs::path& folder) { return fs::exists(folder / config_name); }

std::string adapter_base(const fs::path& folder) {
  return ConfigReader(folder / config_name).text("base_model_name_or_path", "");
}

void load_adapter(const fs::path& folder, Transformer& model) {
  const ConfigReader json(folder / config_name);
  AdapterTensors tensors(folder / adapter_weights_name);
  auto adapter = read_adapter(json, folder, model, Task::causal, tensors);
  json.expect_all_known();
  tensors.expect_all_used(model.config().num_layers);
  model.adapter = std::move(adapter);
}

void save_adapter(const fs::path& folder, const Transformer& model, const std::string& base) {
  write_folder(folder, model, base, nullptr);
}

void load_scalar_adapter(const fs::path& folder, ScalarModel& model) {
  const ConfigReader json(folder / config_name);
  AdapterTensors tensors(folder / adapter_weights_name);
  auto adapter = read_adapter(json, folder, model.body, Task::scalar, tensors);
  const double offset = json.number(offset_key, 0.0), scale = json.number(scale_key, 1.0);
  if (!(scale > 0.0)) throw json.at(scale_key).unexpected("a positive number");
  json.expect_all_known();
  const torch::NoGradGuard no_gradients;
  const torch::Tensor head_1d = torch::empty_like(model.head_1d);
  tensors.read(tensor_prefix + separate_names(model.body.config(), folder / config_name).score + ".weight", head_1d);
  tensors.expect_all_used(model.body.config().num_layers);
  model.body.adapter = std::move(adapter);
  model.head_1d = head_1d;
  model.offset = offset;
  model.scale = scale;
}

void save_scalar_adapter(const fs::path& folder, const ScalarModel& model, const std::string& base) {
  write_folder(folder, model.body, base, &model);
}

}  // namespace rlaif::model
