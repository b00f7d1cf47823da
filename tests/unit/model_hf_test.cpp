#include "rlaif/model/hf.hpp"
#include "support/rounding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using torch::Tensor;

fs::path fixture(const std::string& name) { return fs::path(RLAIF_SOURCE_DIR) / "tests/fixtures" / name; }

// Token sequences and what transformers computes for them, as tests/fixtures/make_model_fixture.py wrote them.
struct Expected {
  PackedSequences batch;
  Tensor outputs;
};
Expected read_expected(const fs::path& folder) {
  std::map<std::string, Tensor> tensors;
  for (auto& [name, tensor] : read_safetensors(folder / "expected.safetensors").tensors) tensors[name] = tensor;
  std::vector<std::vector<TokenId>> sequences;
  const auto* token = tensors.at("tokens").const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < tensors.at("lengths").numel(); ++i) {
    const auto length = tensors.at("lengths")[i].item<std::int64_t>();
    sequences.emplace_back(token, token + length);
    token += length;
  }
  return {pack(sequences), tensors.at("outputs")};
}

double largest_difference(const Tensor& found, const Tensor& expected) {
  return (found - expected).abs().max().item<double>();
}

// Both sides were computed in float32.
double allowed(const ModelConfig& config, const Expected& expected) {
  const double context = static_cast<double>(config.max_positions);
  return 2.0 * rounding::of_forward(rounding::decoder_of(config, context)) *
         expected.outputs.abs().max().item<double>();
}

class ModelFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rlaif_hf_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A copy of a fixture to spoil.
  void copy_fixture(const std::string& name) const {
    fs::remove_all(folder_);
    fs::copy(fixture(name), folder_);
  }
  void change_config(const std::string& key, const Json& value) const {
    Json config = Json::parse(read_file(folder_ / "config.json"));
    config[key] = value;
    write_file_atomic(folder_ / "config.json", config.dump());
  }
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
  std::string refusal_with(const std::string& key, const Json& value) const {
    copy_fixture("model_tied");
    change_config(key, value);
    return refusal();
  }
  std::vector<NamedTensor> weights() const { return read_safetensors(folder_ / "model.safetensors").tensors; }
  void put_weights(const std::vector<NamedTensor>& tensors) const {
    write_safetensors(folder_ / "model.safetensors", tensors);
  }

  fs::path folder_;
};

TEST_F(ModelFolder, OfTransformersGivesItsLogits) {
  for (const char* const name : {"model_tied", "model_untied"}) {
    const Transformer model = load_model(fixture(name));
    const Expected expected = read_expected(fixture(name));
    const Tensor logits = model.logits(model.hidden_states(expected.batch));
    EXPECT_GT(expected.outputs.std().item<double>(), 0.5) << "the fixture is degenerate";
    EXPECT_LT(largest_difference(logits, expected.outputs), allowed(model.config(), expected)) << name;
  }
  EXPECT_TRUE(load_model(fixture("model_tied")).config().tied_embeddings);
  EXPECT_FALSE(load_model(fixture("model_untied")).config().tied_embeddings);
}

TEST_F(ModelFolder, WithoutItsOutputMatrixSaysWhichKeyWouldTieIt) {
  copy_fixture("model_untied");
  std::vector<NamedTensor> kept;
  for (NamedTensor tensor : weights()) {
    if (tensor.first != "lm_head.weight") kept.push_back(std::move(tensor));
  }
  ASSERT_LT(kept.size(), weights().size());
  put_weights(kept);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("lm_head.weight"), HasSubstr("tie_word_embeddings"),
                               HasSubstr("model.embed_tokens.weight")));
}

TEST_F(ModelFolder, OfTransformersGivesItsScores) {
  const ScalarModel model = load_scalar_model(fixture("model_score"));
  const Expected expected = read_expected(fixture("model_score"));
  const Tensor values = model.values_N(model.body.hidden_states(expected.batch));
  EXPECT_LT(largest_difference(values, expected.outputs.squeeze(1)), allowed(model.body.config(), expected));
  EXPECT_EQ(model.offset, 0.0);
  EXPECT_EQ(model.scale, 1.0);
}

TEST_F(ModelFolder, ComesBackAsItWasSaved) {
  for (const char* const name : {"model_tied", "model_untied"}) {
    const Transformer model = load_model(fixture(name));
    save_model(folder_, model);
    const Transformer again = load_model(folder_);
    EXPECT_EQ(again.config(), model.config());
    const auto before = model.parameters(), after = again.parameters();
    for (std::size_t i = 0; i < before.size(); ++i)
      EXPECT_TRUE(after[i].second.equal(before[i].second)) << before[i].first;
    const std::string bytes = read_file(folder_ / "model.safetensors"), config = read_file(folder_ / "config.json");
    save_model(folder_, again);
    EXPECT_EQ(read_file(folder_ / "model.safetensors"), bytes);
    EXPECT_EQ(read_file(folder_ / "config.json"), config);
  }
}

TEST_F(ModelFolder, KeepsTheOffsetAndScaleOfAScalarModel) {
  ScalarModel model = ScalarModel::from_body(load_model(fixture("model_untied")), 5);
  model.offset = -0.1234567890123456789;
  model.scale = 1.0 / 3.0;
  save_scalar_model(folder_, model);
  const ScalarModel again = load_scalar_model(folder_);
  EXPECT_EQ(again.offset, model.offset);
  EXPECT_EQ(again.scale, model.scale);
  const auto batch = read_expected(fixture("model_untied")).batch;
  EXPECT_TRUE(again.values_N(again.body.hidden_states(batch)).equal(model.values_N(model.body.hidden_states(batch))));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("LlamaForSequenceClassification"), HasSubstr("LlamaForCausalLM")));
}

// tests/fixtures/make_model_fixture.py check reads these folders with transformers; set the variable to keep them.
TEST_F(ModelFolder, IsWrittenForTransformersToCheckWhereAFolderIsNamed) {
  const char* const kept = std::getenv("RLAIF_MODEL_CHECK");
  if (!kept) GTEST_SKIP() << "RLAIF_MODEL_CHECK names no folder to write to";
  const auto write = [&](const fs::path& folder, const PackedSequences& batch, const Tensor& outputs) {
    std::vector<std::int64_t> lengths;
    for (std::size_t s = 1; s < batch.offsets.size(); ++s) lengths.push_back(batch.offsets[s] - batch.offsets[s - 1]);
    write_safetensors(folder / "expected.safetensors",
                      {{"tokens", batch.tokens_N}, {"lengths", torch::tensor(lengths)}, {"outputs", outputs}});
  };
  for (const char* const name : {"model_tied", "model_untied"}) {
    const Transformer model = load_model(fixture(name));
    const auto batch = read_expected(fixture(name)).batch;
    save_model(fs::path(kept) / name, model);
    write(fs::path(kept) / name, batch, model.logits(model.hidden_states(batch)));
  }
  ScalarModel model = ScalarModel::from_body(load_model(fixture("model_tied")), 5);
  model.offset = 0.25;
  model.scale = 2.0;
  const auto batch = read_expected(fixture("model_tied")).batch;
  save_scalar_model(fs::path(kept) / "model_score", model);
  write(fs::path(kept) / "model_score", batch, model.values_N(model.body.hidden_states(batch)).unsqueeze(1));
}

TEST_F(ModelFolder, RefusesWhatTheArchitectureDoesNotCompute) {
  EXPECT_THAT(refusal_with("model_type", "mamba"),
              AllOf(HasSubstr("config.json"), HasSubstr("mamba"), HasSubstr("llama")));
  EXPECT_THAT(refusal_with("architectures", {"MambaForCausalLM"}), HasSubstr("MambaForCausalLM"));
  EXPECT_THAT(refusal_with("rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}), HasSubstr("rope_scaling"));
  EXPECT_THAT(refusal_with("rope_parameters", {{"rope_type", "longrope"}, {"rope_theta", 1e4}}), HasSubstr("longrope"));
  EXPECT_THAT(refusal_with("hidden_act", "gelu"), HasSubstr("gelu"));
  EXPECT_THAT(refusal_with("quantization_config", {{"bits", 4}}), HasSubstr("quantization_config"));
}

TEST_F(ModelFolder, RefusesConfigsThatDoNotFit) {
  EXPECT_THAT(refusal_with("hidden_size", "32"), AllOf(HasSubstr("hidden_size"), HasSubstr("integer")));
  EXPECT_THAT(refusal_with("hidden_size", 1e300), HasSubstr("hidden_size"));
  EXPECT_THAT(refusal_with("num_attention_heads", 0), HasSubstr("num_heads"));
  EXPECT_THAT(refusal_with("num_key_value_heads", 3), HasSubstr("num_kv_heads"));
  EXPECT_THAT(refusal_with("vocab_size", -1), HasSubstr("vocab_size"));
  EXPECT_THAT(refusal_with("tie_word_embeddings", "yes"), HasSubstr("tie_word_embeddings"));
  EXPECT_THAT(refusal_with("eos_token_id", 64), HasSubstr("eos_token"));
  write_file_atomic(folder_ / "config.json", "{\"model_type\": ");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("config.json"), HasSubstr("JSON")));
  fs::remove(folder_ / "config.json");
  EXPECT_THAT(refusal(), HasSubstr("config.json"));
}

TEST_F(ModelFolder, EndTokensAreThoseOfBothFilesEachOnce) {
  copy_fixture("model_tied");
  const auto ends = [&] { return load_model(folder_).config().end_tokens.ids(); };
  change_config("eos_token_id", {7, 8});
  write_file_atomic(folder_ / "generation_config.json",
                    R"({"eos_token_id": [9, 8], "temperature": 0.6, "do_sample": true})");
  EXPECT_EQ(ends(), (std::vector<TokenId>{7, 8, 9}));
  change_config("eos_token_id", nullptr);
  EXPECT_EQ(ends(), (std::vector<TokenId>{9, 8}));
  write_file_atomic(folder_ / "generation_config.json", R"({"eos_token_id": 5})");
  EXPECT_EQ(ends(), (std::vector<TokenId>{5}));
  fs::remove(folder_ / "generation_config.json");
  EXPECT_TRUE(load_model(folder_).config().end_tokens.empty());
}

TEST_F(ModelFolder, EndTokensAreSavedIntoBothFiles) {
  copy_fixture("model_tied");
  const auto saved = [&](std::vector<TokenId> ids) {
    Transformer model = load_model(folder_);
    model.set_tokens(EndTokens(ids), {});
    const fs::path folder = folder_ / "saved";
    save_model(folder, model);
    EXPECT_EQ(load_model(folder).config().end_tokens.ids(), ids);
    const Json config = Json::parse(read_file(folder / "config.json"));
    const Json generation = Json::parse(read_file(folder / "generation_config.json"));
    EXPECT_EQ(config["eos_token_id"], generation["eos_token_id"]);
    return config["eos_token_id"];
  };
  EXPECT_EQ(saved({6}), Json(6));
  EXPECT_EQ(saved({6, 2}), Json::array({6, 2}));
}

TEST_F(ModelFolder, AnEndTokenOfTheGenerationConfigBeyondTheVocabularyIsRefusedByFile) {
  copy_fixture("model_tied");
  write_file_atomic(folder_ / "generation_config.json", R"({"eos_token_id": [2, 64]})");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("generation_config.json"), HasSubstr("eos_token_id")));
  write_file_atomic(folder_ / "generation_config.json", R"({"eos_token_id": "</s>"})");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("generation_config.json"), HasSubstr("eos_token_id")));
}

TEST_F(ModelFolder, RefusesTensorsThatAreMissingSpareOrMisshapen) {
  copy_fixture("model_tied");
  const auto whole = weights();
  auto fewer = whole;
  std::erase_if(fewer, [](const auto& t) { return t.first == "model.layers.1.mlp.up_proj.weight"; });
  put_weights(fewer);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("model.safetensors"), HasSubstr("model.layers.1.mlp.up_proj.weight")));
  auto more = whole;
  more.emplace_back("model.layers.2.mlp.up_proj.weight", torch::ones({64, 32}));
  put_weights(more);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("model.layers.2.mlp.up_proj.weight"), HasSubstr("not part of")));
  auto misshapen = whole;
  for (auto& [name, tensor] : misshapen)
    if (name == "model.layers.0.self_attn.k_proj.weight") tensor = torch::ones({32, 16});
  put_weights(misshapen);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("k_proj"), HasSubstr("[16, 32]"), HasSubstr("[32, 16]")));
  auto integers = whole;
  for (auto& [name, tensor] : integers)
    if (name == "model.norm.weight") tensor = torch::ones({32}, torch::kInt);
  put_weights(integers);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("model.norm.weight"), HasSubstr("F32")));
  put_weights(whole);
  EXPECT_EQ(refusal(), "accepted");
}

TEST_F(ModelFolder, AcceptsATiedOutputOnlyWhereItIsTheEmbedding) {
  copy_fixture("model_tied");
  auto tensors = weights();
  for (const auto& [name, tensor] : weights())
    if (name == "model.embed_tokens.weight") tensors.emplace_back("lm_head.weight", tensor.clone());
  put_weights(tensors);
  EXPECT_EQ(refusal(), "accepted");
  tensors.back().second[3][4] += 1;
  put_weights(tensors);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("lm_head.weight"), HasSubstr("tie_word_embeddings")));
}

TEST_F(ModelFolder, ReadsWeightsSpreadOverFiles) {
  copy_fixture("model_tied");
  const auto whole = weights();
  const Tensor before = load_model(folder_).layers[1].up.weight_OI.clone();
  const auto half = static_cast<std::ptrdiff_t>(whole.size() / 2);
  const char* const names[] = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
  write_safetensors(folder_ / names[0], {whole.begin(), whole.begin() + half});
  write_safetensors(folder_ / names[1], {whole.begin() + half, whole.end()});
  fs::remove(folder_ / "model.safetensors");
  Json map = Json::object();
  for (std::size_t i = 0; i < whole.size(); ++i) map[whole[i].first] = names[i < whole.size() / 2 ? 0 : 1];
  const auto put_index = [&] {
    write_file_atomic(folder_ / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
  };
  put_index();
  EXPECT_TRUE(load_model(folder_).layers[1].up.weight_OI.equal(before));
  map[whole[0].first] = "../elsewhere.safetensors";
  put_index();
  EXPECT_THAT(refusal(), AllOf(HasSubstr("index.json"), HasSubstr("same folder")));
}

}  // namespace
}  // namespace rlaif::model
