#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/model/adapter_file.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

ModelConfig config_of(const std::string& architecture = "llama") {
  ModelConfig config;
  config.architecture = architecture;
  config.vocab_size = 30;
  config.hidden_size = 16;
  config.num_layers = 3;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 4;
  config.intermediate_size = 20;
  config.max_positions = 32;
  return config;
}

Transformer model_of(const ModelConfig& config) {
  Transformer model(config);
  model.initialize(5);
  return model;
}

std::shared_ptr<Adapter> filed_adapter(const ModelConfig& config, std::int64_t first_layer,
                                       const std::vector<std::string>& targets = projection_names()) {
  AdapterOptions options;
  options.rank = 2;
  options.alpha = 5;
  options.first_layer = first_layer;
  options.targets = targets;
  auto adapter = std::make_shared<Adapter>(config, options, 7, torch::kCPU);
  double phase = 0.0;
  for (const auto& [name, tensor] : adapter->parameters())
    tensor.copy_((0.3 * torch::sin(torch::arange(tensor.numel()).to(torch::kFloat) + ++phase)).view(tensor.sizes()));
  return adapter;
}

Tensor states(const Transformer& model) {
  const torch::NoGradGuard no_gradients;
  return model.hidden_states(pack(std::vector<std::vector<TokenId>>{{1, 5, 9, 22}, {3, 3, 17}}));
}

class AdapterFolder : public ::testing::Test {
 protected:
  AdapterFolder() : folder(std::filesystem::temp_directory_path() / ("rlaif-adapter-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder);
  }
  ~AdapterFolder() override { std::filesystem::remove_all(folder); }

  // A good folder, for changes that make it bad.
  void write_good(std::int64_t first_layer = 0) {
    Transformer model = model_of(config_of());
    model.adapter = filed_adapter(model.config(), first_layer);
    save_adapter(folder, model, "base");
  }
  void change_config(const std::string& key, const Json& value) {
    Json json = Json::parse(read_file(folder / "adapter_config.json"));
    json[key] = value;
    write_file_atomic(folder / "adapter_config.json", json.dump());
  }
  void change_tensors(const std::function<void(std::vector<NamedTensor>&)>& change) {
    auto content = read_safetensors(folder / "adapter_model.safetensors");
    change(content.tensors);
    write_safetensors(folder / "adapter_model.safetensors", content.tensors);
  }
  void expect_refused(const std::string& part, const ModelConfig& config = config_of()) {
    Transformer model = model_of(config);
    try {
      load_adapter(folder, model);
      ADD_FAILURE() << "expected a refusal: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
    EXPECT_EQ(model.adapter, nullptr);
  }
  std::filesystem::path folder;
};

TEST_F(AdapterFolder, ReadsBackWhatWasWrittenInEveryFamilyThatHasSeparateProjections) {
  for (const std::string architecture : {"llama", "mistral", "qwen2", "qwen3"})
    for (const std::int64_t first_layer : {0, 2})
      for (const auto& targets : {projection_names(), std::vector<std::string>{"v_proj", "up_proj"}}) {
        ModelConfig config = config_of(architecture);
        config.query_key_norm = architecture == "qwen3";
        config.qkv_bias = architecture == "qwen2";
        Transformer written = model_of(config), read = model_of(config);
        written.adapter = filed_adapter(config, first_layer, targets);
        save_adapter(folder, written, "some/base");
        EXPECT_TRUE(is_adapter_folder(folder));
        EXPECT_EQ(adapter_base(folder), "some/base");
        load_adapter(folder, read);
        EXPECT_EQ(read.adapter->options().first_layer, first_layer);
        EXPECT_EQ(read.adapter->options().scale(), 2.5);
        EXPECT_TRUE(torch::equal(states(read), states(written))) << architecture;
      }
}

TEST_F(AdapterFolder, HasTheLibrarysNamesAndShapes) {
  Transformer model = model_of(config_of());
  model.adapter = filed_adapter(model.config(), 1, {"k_proj", "v_proj", "down_proj"});
  save_adapter(folder, model, "");
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& [name, tensor] : read_safetensors(folder / "adapter_model.safetensors").tensors)
    shapes[name] = tensor.sizes().vec();
  EXPECT_EQ(shapes.size(), 12U);
  const std::string layer = "base_model.model.model.layers.2.";
  EXPECT_EQ(shapes[layer + "self_attn.v_proj.lora_A.weight"], (std::vector<std::int64_t>{2, 16}));
  EXPECT_EQ(shapes[layer + "self_attn.v_proj.lora_B.weight"], (std::vector<std::int64_t>{8, 2}));
  EXPECT_EQ(shapes[layer + "mlp.down_proj.lora_A.weight"], (std::vector<std::int64_t>{2, 20}));
  EXPECT_EQ(shapes[layer + "mlp.down_proj.lora_B.weight"], (std::vector<std::int64_t>{16, 2}));
  const Json json = Json::parse(read_file(folder / "adapter_config.json"));
  EXPECT_EQ(json.at("layers_to_transform"), Json::parse("[1, 2]"));
  EXPECT_EQ(json.at("lora_alpha"), 5);
  EXPECT_EQ(json.at("task_type"), "CAUSAL_LM");
  EXPECT_TRUE(json.at("base_model_name_or_path").is_null());
}

TEST_F(AdapterFolder, OfAScalarModelHoldsHeadOffsetAndScale) {
  const Transformer base = model_of(config_of());
  ScalarModel written = ScalarModel::over(base, 3), read = ScalarModel::over(base, 4);
  written.body.adapter = filed_adapter(base.config(), 1);
  written.offset = 0.25;
  written.scale = 1.5;
  save_scalar_adapter(folder, written, "base");
  load_scalar_adapter(folder, read);
  EXPECT_TRUE(torch::equal(read.head_1d, written.head_1d));
  EXPECT_EQ(read.offset, 0.25);
  EXPECT_EQ(read.scale, 1.5);
  EXPECT_TRUE(torch::equal(states(read.body), states(written.body)));
  expect_refused("'task_type' is \"SEQ_CLS\"; expected \"CAUSAL_LM\"");
}

TEST_F(AdapterFolder, ReadsWhatThisLibraryVersionWrites) {
  write_good();
  // As PEFT 0.21 writes it, with dropout, the rank-stabilised scale and a pattern for targets.
  write_file_atomic(folder / "adapter_config.json",
                    R"({"alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null,
    "auto_mapping": null, "base_model_name_or_path": null, "bias": "none", "corda_config": null, "ensure_weight_tying": false,
    "eva_config": null, "exclude_modules": null, "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true,
    "kasa_config": null, "layer_replication": null, "layers_pattern": null, "layers_to_transform": null, "loftq_config": {},
    "lora_alpha": 8, "lora_bias": false, "lora_dropout": 0.1, "lora_ga_config": null, "megatron_config": null,
    "megatron_core": "megatron.core", "modules_to_save": null, "monteclora_config": null, "peft_type": "LORA",
    "peft_version": "0.21.2", "qalora_group_size": 16, "r": 2, "rank_pattern": {}, "revision": null,
    "target_modules": "all-linear", "target_parameters": null, "task_type": "CAUSAL_LM", "trainable_token_indices": null,
    "use_bdlora": null, "use_dora": false, "use_qalora": false, "use_rslora": true, "velora_config": null})");
  Transformer model = model_of(config_of());
  load_adapter(folder, model);
  EXPECT_NEAR(model.adapter->options().scale(), 8.0 / std::sqrt(2.0), 1e-12);
  EXPECT_EQ(model.adapter->options().targets, projection_names());
}

TEST_F(AdapterFolder, WhatIsNotComputedIsRefusedByField) {
  const std::vector<std::tuple<std::string, Json, std::string>> changes = {
      {"peft_type", "IA3", "'peft_type' is \"IA3\"; expected \"LORA\""},
      {"use_dora", true, "'use_dora' is true; expected it absent"},
      {"bias", "all", "'bias' is \"all\"; expected \"none\""},
      {"rank_pattern", {{"q_proj", 8}}, "'rank_pattern'"},
      {"alpha_pattern", {{"q_proj", 8}}, "'alpha_pattern'"},
      {"fan_in_fan_out", true, "'fan_in_fan_out'"},
      {"modules_to_save", Json::array({"lm_head"}), "'modules_to_save': \"lm_head\" is not supported"},
      {"init_lora_weights", "pissa", "'init_lora_weights' is \"pissa\""},
      {"r", 0, "'r' is 0; expected a rank of at least 1"},
      {"r", "two", "'r' is \"two\"; expected an integer"},
      {"lora_alpha", -1, "'lora_alpha' is -1"},
      {"target_modules", nullptr, "'target_modules' is null"},
      {"target_modules", Json::array({"q_proj", "c_attn"}), "\"c_attn\" matches no projection"},
      {"some_new_update", {{"strength", 2}}, "'some_new_update' is an object"}};
  for (const auto& [key, value, part] : changes) {
    write_good();
    change_config(key, value);
    expect_refused(part);
  }
  write_good();
  write_file_atomic(folder / "adapter_config.json", "{");
  expect_refused("not valid JSON");
}

TEST_F(AdapterFolder, OfAnotherBaseIsRefused) {
  write_good();
  ModelConfig fewer_layers = config_of();
  fewer_layers.num_layers = 2;
  expect_refused("which has 2 layers: an adapter of another base", fewer_layers);
  ModelConfig more_layers = config_of();
  more_layers.num_layers = 4;
  expect_refused("expected the tensor \"base_model.model.model.layers.3.", more_layers);
  ModelConfig wider = config_of();
  wider.hidden_size = 24;
  expect_refused("expected the shape [2, 24] by the base model and the rank, found [2, 16]", wider);
  for (const std::string architecture : {"gpt2", "gpt_neox"}) {
    ModelConfig fused = config_of(architecture);
    fused.num_kv_heads = 4;
    fused.norm = NormKind::layer;
    fused.activation = Activation::gelu;
    expect_refused("adapter folders of the family \"" + architecture + "\" are not supported", fused);
  }
}

TEST_F(AdapterFolder, TensorsThatDoNotFitAreRefused) {
  write_good();
  change_config("r", 3);
  expect_refused("expected the shape [3, 16] by the base model and the rank, found [2, 16]");
  write_good();
  change_tensors([](auto& tensors) { tensors.pop_back(); });
  expect_refused("expected the tensor");
  write_good();
  change_tensors(
      [](auto& tensors) { tensors.emplace_back("base_model.model.lm_head.lora_A.weight", torch::zeros({2, 16})); });
  expect_refused("\"base_model.model.lm_head.lora_A.weight\" belongs to no projection");
  write_good();
  change_tensors([](auto& tensors) { tensors[0].second = tensors[0].second.to(torch::kInt64); });
  expect_refused("expected F32, BF16 or F16");
  write_good();
  change_tensors([](auto& tensors) { tensors = {{"other", torch::zeros({1})}}; });
  change_config("target_modules", "all-linear");
  expect_refused("no tensor belongs to a projection of the base model");
  std::filesystem::remove(folder / "adapter_model.safetensors");
  Transformer model = model_of(config_of());
  EXPECT_THROW(load_adapter(folder, model), Error);
}

}  // namespace
}  // namespace rlaif::model
