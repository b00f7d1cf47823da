#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "family_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Of one family, to be spoilt.
class FamilyRefusal : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = fs::temp_directory_path() / ("rlaif_refusal_" + std::to_string(::getpid())); }
  void TearDown() override { fs::remove_all(folder_); }

  std::string refusal() const {
    try {
      load_model(folder_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
      return error.what();
    }
    return "accepted";
  }
  void start(const std::string& family) const { FamilyFixture(family).write(folder_); }
  void set(const std::string& key, const Json& value) const {
    Json config = Json::parse(read_file(folder_ / "config.json"));
    config[key] = value;
    write_file_atomic(folder_ / "config.json", config.dump());
  }
  std::string with(const std::string& family, const std::string& key, const Json& value) const {
    start(family);
    set(key, value);
    return refusal();
  }
  std::vector<NamedTensor> weights() const { return read_safetensors(folder_ / "model.safetensors").tensors; }

  fs::path folder_;
};

TEST_F(FamilyRefusal, NamesArchitecturesFieldsAndTypesThatAreNotCovered) {
  EXPECT_THAT(with("llama2", "model_type", "mamba"),
              AllOf(HasSubstr("mamba"), HasSubstr("llama, mistral, qwen2, qwen3, gpt_neox, gpt2")));
  EXPECT_THAT(with("gpt2", "architectures", {"GPT2DoubleHeadsModel"}),
              AllOf(HasSubstr("GPT2DoubleHeadsModel"), HasSubstr("GPT2LMHeadModel")));
  EXPECT_THAT(with("llama2", "residual_multiplier", 0.22),
              AllOf(HasSubstr("residual_multiplier"), HasSubstr("unknown meaning")));
  EXPECT_EQ(with("llama2", "residual_multiplier", nullptr), "accepted");
  EXPECT_EQ(with("llama2", "use_mrope", false), "accepted");
  EXPECT_THAT(with("llama2", "rope_interleaved", true), HasSubstr("rope_interleaved"));
  EXPECT_THAT(with("mistral", "attention_bias", true), HasSubstr("attention_bias"));
  EXPECT_THAT(with("qwen3", "hidden_act", "gelu"), AllOf(HasSubstr("hidden_act"), HasSubstr("silu")));
  EXPECT_THAT(with("neox", "hidden_act", "relu"), AllOf(HasSubstr("relu"), HasSubstr("gelu")));
  EXPECT_THAT(with("gpt2", "scale_attn_by_inverse_layer_idx", true), HasSubstr("scale_attn_by_inverse_layer_idx"));
  EXPECT_THAT(with("gpt2", "scale_attn_weights", false), HasSubstr("scale_attn_weights"));
  EXPECT_THAT(with("gpt2", "add_cross_attention", true), HasSubstr("add_cross_attention"));
  EXPECT_THAT(with("llama2", "dtype", "float8_e4m3fn"), AllOf(HasSubstr("float8_e4m3fn"), HasSubstr("bfloat16")));
  EXPECT_THAT(with("llama2", "quantization_config", {{"bits", 4}}), HasSubstr("quantization_config"));
}

TEST_F(FamilyRefusal, NamesRotaryFieldsThatAreNotCovered) {
  const auto scaled = [&](const Json& scaling) { return with("llama2", "rope_parameters", scaling); };
  EXPECT_THAT(scaled({{"rope_type", "longrope"}}),
              AllOf(HasSubstr("rope_parameters.rope_type"), HasSubstr("longrope"), HasSubstr("yarn")));
  EXPECT_THAT(scaled({{"rope_type", "dynamic"}, {"factor", 2.0}}), HasSubstr("dynamic"));
  EXPECT_THAT(scaled({{"rope_type", "linear"}}), HasSubstr("rope_parameters.factor"));
  EXPECT_THAT(scaled({{"rope_type", "linear"}, {"factor", 0.5}}), HasSubstr("rope_scaling.factor"));
  EXPECT_THAT(scaled({{"rope_type", "llama3"}, {"factor", 8.0}, {"low_freq_factor", 1.0}}),
              HasSubstr("high_freq_factor"));
  EXPECT_THAT(scaled({{"rope_type", "yarn"}, {"factor", 4.0}, {"truncate", false}}),
              HasSubstr("rope_parameters.truncate"));
  EXPECT_THAT(scaled({{"rope_type", "yarn"}, {"factor", "4"}}), HasSubstr("rope_parameters.factor"));
  EXPECT_THAT(scaled({{"rope_type", "default"}, {"mrope_section", {1, 2}}}),
              HasSubstr("rope_parameters.mrope_section"));
  EXPECT_THAT(scaled({{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}), HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(with("llama3", "rope_scaling", {{"rope_type", "linear"}, {"factor", 2.0}}), HasSubstr("contradicts"));
  start("neox");
  set("rope_parameters", nullptr);
  set("rotary_pct", 0.2);  // 3 of 16 dimensions
  EXPECT_THAT(refusal(), AllOf(HasSubstr("rotary_pct"), HasSubstr("odd")));
  EXPECT_THAT(with("neox", "rotary_pct", 1.5), HasSubstr("rotary_pct"));
}

TEST_F(FamilyRefusal, NamesWindowsThatAreNotCovered) {
  EXPECT_THAT(with("qwen2_window", "layer_types", {"sliding_attention", "full_attention", "sliding_attention"}),
              AllOf(HasSubstr("layer_types"), HasSubstr("above")));
  EXPECT_THAT(with("qwen2_window", "layer_types", {"full_attention"}), HasSubstr("one name a layer"));
  EXPECT_THAT(with("qwen2_window", "layer_types", {"full_attention", "chunked_attention", "full_attention"}),
              HasSubstr("chunked_attention"));
  EXPECT_THAT(with("qwen2_window", "use_sliding_window", false), HasSubstr("use_sliding_window"));
  EXPECT_THAT(with("mistral", "sliding_window", -3), HasSubstr("sliding_window"));
}

TEST_F(FamilyRefusal, ComesBeforeMemoryIsTakenWhereConfigAndWeightsDisagree) {
  EXPECT_THAT(with("llama2", "hidden_size", 1 << 27),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("config.json"), HasSubstr("134217728")));
  EXPECT_THAT(with("llama2", "num_hidden_layers", 3), HasSubstr("model.layers.2."));
  EXPECT_THAT(with("llama2", "num_hidden_layers", 1), AllOf(HasSubstr("model.layers.1."), HasSubstr("not part of")));
  EXPECT_THAT(with("llama_bias", "attention_bias", false), AllOf(HasSubstr("k_proj.bias"), HasSubstr("not part of")));
  EXPECT_THAT(with("llama2", "attention_bias", true),
              AllOf(HasSubstr("q_proj.bias"), HasSubstr("expected the tensor")));
  EXPECT_THAT(with("gpt2", "n_inner", 64), AllOf(HasSubstr("mlp.c_fc"), HasSubstr("[32, 64]"), HasSubstr("[32, 128]")));
  EXPECT_THAT(with("gpt2", "n_positions", 95), AllOf(HasSubstr("wpe"), HasSubstr("[95, 32]")));
  EXPECT_THAT(with("neox", "num_attention_heads", 3), HasSubstr("query_key_value"));
  EXPECT_THAT(with("llama2", "tie_word_embeddings", true), HasSubstr("lm_head.weight"));
  EXPECT_THAT(with("qwen2", "tie_word_embeddings", false), HasSubstr("lm_head.weight"));
  start("llama2");
  auto doubles = weights();
  for (auto& [name, tensor] : doubles) tensor = tensor.to(torch::kDouble);
  write_safetensors(folder_ / "model.safetensors", doubles);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("F32, BF16 or F16"), HasSubstr("Double")));
}

TEST_F(FamilyRefusal, NamesWhatAnIndexGetsWrong) {
  start("llama2");
  const auto whole = weights();
  const char* const names[] = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
  write_safetensors(folder_ / names[0], {whole.begin(), whole.begin() + 9});
  write_safetensors(folder_ / names[1], {whole.begin() + 9, whole.end()});
  fs::remove(folder_ / "model.safetensors");
  const auto indexed = [&](auto change) {
    Json map = Json::object();
    for (std::size_t i = 0; i < whole.size(); ++i) map[whole[i].first] = names[i < 9 ? 0 : 1];
    change(map);
    write_file_atomic(folder_ / "model.safetensors.index.json",
                      Json{{"metadata", {{"total_size", 1}}}, {"weight_map", map}}.dump());
    return refusal();
  };
  EXPECT_EQ(indexed([](Json&) {}), "accepted");
  EXPECT_THAT(indexed([](Json& map) { map["lm_head.weight"] = "model-00003-of-00003.safetensors"; }),
              AllOf(HasSubstr("index.json"), HasSubstr("model-00003-of-00003.safetensors"), HasSubstr("not there")));
  EXPECT_THAT(indexed([&](Json& map) { map[whole[0].first] = names[1]; }),
              AllOf(HasSubstr(whole[0].first), HasSubstr("no such tensor")));
  EXPECT_THAT(indexed([&](Json& map) { map["ghost"] = names[1]; }),
              AllOf(HasSubstr("ghost"), HasSubstr("no such tensor")));
  EXPECT_THAT(indexed([&](Json& map) { map.erase(whole[3].first); }),
              AllOf(HasSubstr(whole[3].first), HasSubstr("lacks")));
  EXPECT_THAT(indexed([&](Json& map) { map[whole[0].first] = 7; }),
              AllOf(HasSubstr("'weight_map." + whole[0].first + "' is 7"), HasSubstr("expected a text")));
}

TEST_F(FamilyRefusal, IsNotOfGpt2AsItIsOnTheHub) {
  start("gpt2");
  const Transformer before = load_model(folder_);
  auto tensors = weights();
  for (auto& [name, tensor] : tensors) name = name.substr(std::string("transformer.").size());
  for (const int layer : {0, 1}) {
    tensors.emplace_back("h." + std::to_string(layer) + ".attn.bias", torch::ones({1, 1, 96, 96}));
    tensors.emplace_back("h." + std::to_string(layer) + ".attn.masked_bias", torch::tensor(-1e4F));
  }
  write_safetensors(folder_ / "model.safetensors", tensors);
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_TRUE(load_model(folder_).layers[1].qkv.bias_O.equal(before.layers[1].qkv.bias_O));
}

// Configs as transformers 4 writes them.
TEST_F(FamilyRefusal, IsNotOfOlderRotaryFields) {
  const auto same = [&](const std::string& family, const Json& changes) {
    start(family);
    const ModelConfig before = read_config(folder_ / "config.json");
    Json config = Json::parse(read_file(folder_ / "config.json"));
    config.erase("rope_parameters");
    for (const auto& [key, value] : changes.items()) config[key] = value;
    write_file_atomic(folder_ / "config.json", config.dump());
    EXPECT_EQ(read_config(folder_ / "config.json"), before) << family;
  };
  same("llama2", {{"rope_theta", 10000}, {"rope_scaling", nullptr}});
  same("llama_linear", {{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}});
  same("llama3", {{"rope_scaling",
                   {{"rope_type", "llama3"},
                    {"factor", 8.0},
                    {"low_freq_factor", 1.0},
                    {"high_freq_factor", 4.0},
                    {"original_max_position_embeddings", 32}}}});
  same("llama_yarn",
       {{"rope_scaling",
         {{"type", "yarn"}, {"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 256}}}});
  same("neox", {{"rotary_pct", 0.25}, {"rotary_emb_base", 10000}});
}

// By the formula in transformers: 0.1 m ln(factor) + 1 of each weight m, divided.
TEST_F(FamilyRefusal, IsNotOfYarnWithWeightedLengths) {
  EXPECT_EQ(with("llama_yarn", "rope_parameters",
                 {{"rope_type", "yarn"}, {"factor", 4.0}, {"mscale", 0.5}, {"mscale_all_dim", 1.0}}),
            "accepted");
  const RopeScaling scaling = read_config(folder_ / "config.json").rope_scaling;
  EXPECT_NEAR(scaling.attention_factor, (0.05 * std::log(4.0) + 1.0) / (0.1 * std::log(4.0) + 1.0), 1e-15);
  EXPECT_EQ(scaling.original_positions, 1024);  // of the config itself where not given
  const Transformer model = load_model(folder_);
  save_model(folder_, model);
  EXPECT_EQ(read_config(folder_ / "config.json").rope_scaling, scaling);
}

}  // namespace
}  // namespace rlaif::model
