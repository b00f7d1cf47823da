#include "rlaif/study/response_scorer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"
#include "support/expect_error.hpp"
#include "support/rounding.hpp"

namespace rlaif::study {
namespace {

namespace fs = std::filesystem;

fs::path reward_fixture() { return fs::path(RLAIF_SOURCE_DIR) / "tests/fixtures/reward_model"; }

// Conversations as tests/fixtures/make_model_fixture.py had transformers write and score them.
struct Talk {
  Prompt prompt;
  Completion completion;
  Json expected;  // by variant: tokens, score
};
std::vector<Talk> read_talks() {
  std::vector<Talk> talks;
  const Json expected = parse_json_text(read_file(reward_fixture() / "expected.json"));
  for (const Json& row : expected["talks"]) {
    Talk talk;
    for (const Json& message : row["messages"]) talk.prompt.turns.push_back({message["role"], message["content"]});
    talk.completion.text = talk.prompt.turns.back().content;
    talk.completion.ended = true;
    talk.prompt.turns.pop_back();
    if (talk.prompt.turns.size() == 1) {
      talk.prompt.text = talk.prompt.turns.front().content;
      talk.prompt.turns.clear();
    }
    talk.expected = row;
    talks.push_back(std::move(talk));
  }
  RLAIF_CHECK(talks.size() == 6, "the fixture's conversations");
  return talks;
}

class ResponseScorerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rlaif_reward_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::copy(reward_fixture(), folder_);
    fs::permissions(folder_, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void change_config(const std::string& key, const Json& value) const {
    Json config = parse_json_text(read_file(folder_ / "config.json"));
    config[key] = value;
    write_file_atomic(folder_ / "config.json", config.dump());
  }
  // Every tensor of the folder, with one more or another in its place.
  void put_tensor(const std::string& name, const torch::Tensor& tensor) const {
    std::vector<model::NamedTensor> tensors;
    for (auto& [known, value] : model::read_safetensors(folder_ / "model.safetensors").tensors)
      if (known != name) tensors.emplace_back(known, value);
    if (tensor.defined()) tensors.emplace_back(name, tensor);
    model::write_safetensors(folder_ / "model.safetensors", tensors);
  }
  std::vector<judge::ResponseScore> scores(const std::vector<Talk>& talks) const {
    std::vector<judge::Response> responses;
    for (const Talk& talk : talks) responses.push_back({&talk.prompt, &talk.completion});
    return read_response_scorer(folder_, options_, {"judge.rm.chat_format"})->score(responses);
  }
  void expect_scores(const std::string& variant) const {
    const std::vector<Talk> talks = read_talks();
    const auto found = scores(talks);
    const model::ModelConfig config = model::read_config(folder_ / "config.json");
    double largest = 0.0;
    for (const Talk& talk : talks)
      largest = std::max(largest, std::fabs(talk.expected[variant]["score"].get<double>()));
    const double allowed = 2.0 * rounding::of_forward(rounding::decoder_of(config, 128.0)) * largest;
    for (std::size_t i = 0; i < talks.size(); ++i) {
      const Json& expected = talks[i].expected[variant];
      EXPECT_NEAR(found[i].score, expected["score"].get<double>(), allowed) << variant << ", conversation " << i;
      EXPECT_EQ(found[i].usage.input_tokens, static_cast<std::int64_t>(expected["tokens"].size()))
          << variant << ", " << i;
    }
  }
  void expect_refusal(const std::vector<std::string>& parts) const {
    expect_error([&] { check_reward_folder(folder_, options_, "judge.rm.chat_format"); }, ErrorKind::input, parts);
    expect_error([&] { read_response_scorer(folder_, options_, {"judge.rm.chat_format"}); }, ErrorKind::input, parts);
  }

  fs::path folder_;
  RewardJudgeOptions options_;
};

TEST_F(ResponseScorerTest, GivesTheScoresOfTransformers) { expect_scores("as_saved"); }

TEST_F(ResponseScorerTest, ReadsTheScoreBeforePaddingThatTheTemplateEndsWith) {
  change_config("pad_token_id", 2);
  expect_scores("end_is_padding");
}

TEST_F(ResponseScorerTest, ReadsWhatTheTemplatePutsBehindTheEnd) {
  const Json expected = parse_json_text(read_file(folder_ / "expected.json"));
  write_file_atomic(folder_ / "chat_template.jinja", expected["template"].get<std::string>());
  expect_scores("line_breaks");
}

// The three variants are three different readings, or the tests above would hold nothing.
TEST_F(ResponseScorerTest, TheFixtureTellsReadingsApart) {
  for (const Talk& talk : read_talks()) {
    const double saved = talk.expected["as_saved"]["score"], before = talk.expected["end_is_padding"]["score"],
                 behind = talk.expected["line_breaks"]["score"];
    EXPECT_GT(std::fabs(saved - before), 1e-3);
    EXPECT_GT(std::fabs(saved - behind), 1e-3);
  }
}

TEST_F(ResponseScorerTest, AScoreIsTheSameBitsWhateverElseIsAsked) {
  const std::vector<Talk> talks = read_talks();
  const auto together = scores(talks);
  std::vector<Talk> backwards(talks.rbegin(), talks.rend());
  const auto reversed = scores(backwards);
  for (std::size_t i = 0; i < talks.size(); ++i) {
    EXPECT_EQ(scores({talks[i]}).front().score, together[i].score) << i;
    EXPECT_EQ(reversed[talks.size() - 1 - i].score, together[i].score) << i;
  }
}

TEST_F(ResponseScorerTest, ACutResponseHasNoEnd) {
  std::vector<Talk> talks = read_talks();
  talks.resize(1);
  const judge::ResponseScore ended = scores(talks).front();
  talks.front().completion.ended = false;
  const judge::ResponseScore cut = scores(talks).front();
  EXPECT_EQ(cut.usage.input_tokens, ended.usage.input_tokens - 1);
  EXPECT_NE(cut.score, ended.score);
}

TEST_F(ResponseScorerTest, SaysWhatDoesNotFitTheContext) {
  std::vector<Talk> talks = read_talks();
  talks[1].completion.text = std::string(400, 'a');
  const auto found = scores(talks);
  EXPECT_EQ(found[1].status, VerdictStatus::truncated);
  EXPECT_TRUE(std::isnan(found[1].score));
  EXPECT_TRUE(found[0].status == VerdictStatus::ok && found[2].status == VerdictStatus::ok);
}

TEST_F(ResponseScorerTest, OneOfThisProgramIsReadAsItHasLearned) {
  change_config("pad_token_id", 2);
  change_config("rlaif_score_offset", 1.0);
  change_config("rlaif_score_scale", 2.0);
  EXPECT_TRUE(model::is_own_reward_folder(folder_));
  EXPECT_FALSE(model::is_own_reward_folder(reward_fixture()));
  std::vector<Talk> talks = read_talks();
  talks.resize(1);
  // The end token is read though it is padding; prompt and answer part where the opening of the answer's turn ends.
  const double raw = talks.front().expected["as_saved"]["score"];
  EXPECT_NEAR(scores(talks).front().score, (raw - 1.0) / 2.0, 1e-4 * std::fabs(raw));
}

TEST_F(ResponseScorerTest, RefusesAClassifierOfSeveralLabels) {
  put_tensor("score.weight", torch::zeros({2, 16}));
  expect_refusal({"model.safetensors", "\"score.weight\"", "has 2 outputs", "a reward model has one"});
}

TEST_F(ResponseScorerTest, RefusesAFolderWithoutAScoreHead) {
  put_tensor("score.weight", {});
  expect_refusal({"holds no score head", "\"score.weight\"", "one output"});
}

TEST_F(ResponseScorerTest, RefusesACausalModel) {
  change_config("architectures", Json::array({"LlamaForCausalLM"}));
  expect_refusal({"config.json", "expected LlamaForSequenceClassification", "LlamaForCausalLM"});
}

TEST_F(ResponseScorerTest, RefusesABias) {
  put_tensor("score.bias", torch::zeros({1}));
  expect_refusal({"\"score.bias\"", "no bias was expected"});
}

TEST_F(ResponseScorerTest, RefusesAFolderWithoutATokenizer) {
  fs::remove(folder_ / "tokenizer.json");
  expect_refusal({"tokenizer.json", "no such file", "its own tokenizer"});
}

TEST_F(ResponseScorerTest, RefusesAFolderWithoutAChatTemplateThatNoKeyTakesThePlaceOf) {
  fs::remove(folder_ / "chat_template.jinja");
  expect_refusal({"has no chat template", "judge.rm.chat_format"});
  options_.chat_format = text::ChatFormat::plain;
  expect_error([&] { read_response_scorer(folder_, options_, {}); }, ErrorKind::input, {"plain", "<|endoftext|>"});
}

TEST_F(ResponseScorerTest, RefusesATokenizerThatKnowsMoreTokens) {
  Json config = parse_json_text(read_file(folder_ / "config.json"));
  const auto size = config["vocab_size"].get<std::int64_t>() - 8;
  change_config("vocab_size", size);
  torch::Tensor embedding;
  for (auto& [known, value] : model::read_safetensors(folder_ / "model.safetensors").tensors)
    if (known == "model.embed_tokens.weight") embedding = value.narrow(0, 0, size).contiguous();
  put_tensor("model.embed_tokens.weight", embedding);
  expect_error([&] { read_response_scorer(folder_, options_, {}); }, ErrorKind::input,
               {"tokenizer.json", "the tokenizer does not fit the model"});
}

}  // namespace
}  // namespace rlaif::study
