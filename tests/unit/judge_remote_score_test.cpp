#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/judge/kinds/remote.hpp"
#include "rlaif/judge/scorer.hpp"
#include "support/expect_error.hpp"
#include "support/misbehaving_server.hpp"

namespace rlaif::judge {
namespace {

namespace fs = std::filesystem;
using test::Fault;
using test::MisbehavingServer;

// 60 fresh and 40 cached input tokens, 10 output tokens.
constexpr double answer_usd = (60 * 10.0 + 40 * 1.0 + 10 * 40.0) / 1e6;

class RemoteScore : public testing::Test {
 protected:
  RemoteScore() : folder_(fs::temp_directory_path() / ("rlaif-remote-score-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    ::setenv("RLAIF_TEST_KEY", "sk-secret", 1);
    style_.scores = text::ScoreScale{1, 10};
    style_.style = text::Conversation::Style::rationale_first;
    style_.turns = {{"system", "Score."}, {"user", "{principle} {prompt} <{fence}> {response} <{fence}>"}};
    for (std::uint64_t id = 0; id < 4; ++id) {
      prompts_.push_back({id / 2, "Question " + std::to_string(id / 2), ""});
      completions_.emplace_back().text = "answer " + std::to_string(id);
    }
  }
  ~RemoteScore() override { fs::remove_all(folder_); }

  RemoteOptions options(const MisbehavingServer& server) const {
    RemoteOptions options = openai_options();
    options.base_url = server.base_url();
    options.model = "test";
    options.key_variable = "RLAIF_TEST_KEY";
    options.max_output_tokens = 50;
    options.http.max_retries = 0;
    return options;
  }
  RemoteParts parts(Constitution principles = {"Be brief."}) {
    RemoteParts parts;
    parts.style = style_;
    parts.principles = std::move(principles);
    parts.price.input_per_million_usd = 10;
    parts.price.cached_input_per_million_usd = 1;
    parts.price.output_per_million_usd = 40;
    parts.answers = std::make_shared<AnswerCache>(folder_, 0);
    parts.meter = meter_ = std::make_shared<cost::SpendMeter>(cost::make_budget(cost::no_cap));
    return parts;
  }
  std::vector<Response> responses() const {
    std::vector<Response> all;
    for (std::size_t i = 0; i < prompts_.size(); ++i) all.push_back({&prompts_[i], &completions_[i]});
    return all;
  }
  std::vector<ResponseScore> scores(const RemoteOptions& options, RemoteParts parts) {
    const auto judge = make_openai_judge("gpt", options, std::move(parts));
    return judge->scorer()->score(responses());
  }
  std::vector<ResponseScore> said(const std::string& text, Fault fault = Fault::none) {
    MisbehavingServer server([fault](const std::string&, int) { return fault; });
    server.verdict_format = text;
    fs::remove_all(folder_);
    return scores(options(server), parts());
  }

  fs::path folder_;
  text::Conversation style_;
  std::shared_ptr<cost::SpendMeter> meter_;
  std::vector<Prompt> prompts_;
  std::vector<Completion> completions_;
};

TEST_F(RemoteScore, BothProtocolsGiveRewardsUsageAndDollars) {
  MisbehavingServer server;
  server.verdict_format = "It is brief.\nScore: 7/10";
  for (const bool openai : {true, false}) {
    const auto judge =
        openai ? make_openai_judge("j", options(server), parts()) : make_anthropic_judge("j", options(server), parts());
    const auto scores = judge->scorer()->score(responses());
    ASSERT_EQ(scores.size(), 4u);
    for (const ResponseScore& one : scores) {
      ASSERT_EQ(one.status, VerdictStatus::ok);
      EXPECT_NEAR(one.score, 1.5 / 4.5, 1e-12);
      EXPECT_EQ(one.usage.input_tokens, 100);
      EXPECT_NEAR(one.usage.cost_usd, answer_usd, 1e-12);
      EXPECT_EQ(one.rationale, "It is brief.\nScore: 7/10");
    }
  }
  EXPECT_EQ(server.answers(), 8);
}

TEST_F(RemoteScore, WhatIsNoScoreHasAStatus) {
  for (const char* text : {"11", "seven", "Score: 7.5/5", "Score: 6 or 7", "I like it."})
    for (const ResponseScore& one : said(text)) {
      EXPECT_EQ(one.status, VerdictStatus::unparseable) << text;
      EXPECT_TRUE(std::isnan(one.score)) << text;
      EXPECT_GT(one.usage.cost_usd, 0.0) << text;
    }
  EXPECT_NEAR(said("7.5/10").front().score, 2.0 / 4.5, 1e-12);
  EXPECT_EQ(said("7", Fault::refusal).front().status, VerdictStatus::refused);
  EXPECT_EQ(said("7", Fault::length_stop).front().status, VerdictStatus::truncated);
  EXPECT_EQ(said("7", Fault::content_filter).front().status, VerdictStatus::filtered);
  EXPECT_EQ(said("7", Fault::empty_verdict).front().status, VerdictStatus::unparseable);
  EXPECT_EQ(said("7", Fault::error_500).front().status, VerdictStatus::missing);
}

TEST_F(RemoteScore, LogProbabilitiesGiveTheExpectation) {
  style_.style = text::Conversation::Style::verdict_first;
  MisbehavingServer server;
  const auto entry = [](const char* token, double p) { return Json{{"token", token}, {"logprob", std::log(p)}}; };
  server.top_logprobs = {entry("8", 0.5), entry("7", 0.25), entry("10", 0.05)};
  server.verdict_format = "8";
  RemoteOptions o = options(server);
  o.top_logprobs = 5;
  const double expected = (4.0 + 1.75 + 0.5) / 0.8;
  for (const ResponseScore& one : scores(o, parts())) {
    ASSERT_EQ(one.status, VerdictStatus::ok);
    EXPECT_NEAR(one.score, (expected - 5.5) / 4.5, 1e-9);
  }
  o.scores.least_mass = 0.9;
  EXPECT_EQ(scores(o, parts()).front().status, VerdictStatus::unparseable);
}

TEST_F(RemoteScore, NothingIsPaidTwice) {
  MisbehavingServer server;
  server.verdict_format = "Score: 3";
  const auto first = scores(options(server), parts());
  const auto again = scores(options(server), parts());
  EXPECT_EQ(server.answers(), 4);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].score, again[i].score);
  // Equal responses to a prompt are one question, and cost once.
  completions_[1].text = completions_[0].text;
  const auto equal = scores(options(server), parts());
  EXPECT_EQ(server.answers(), 4);
  EXPECT_EQ(equal[1].score, equal[0].score);
  EXPECT_EQ(equal[1].usage.cost_usd, 0.0);
}

TEST_F(RemoteScore, SamplesAreAveragedWhereMoreThanHalfAreScores) {
  MisbehavingServer server;
  server.verdict_format = "Score: 4";
  RemoteOptions o = options(server);
  o.samples = 3;
  for (const ResponseScore& one : scores(o, parts())) EXPECT_NEAR(one.score, -1.5 / 4.5, 1e-12);
  EXPECT_EQ(meter_->total().requests, 12);
}

// Level 1 is worth 3 everywhere: below a gate of 5 nobody is asked about level 2, and that is worth 1.
TEST_F(RemoteScore, LevelsBehindAFailedGateAreNotAsked) {
  const fs::path file = folder_.string() + "-principles.jsonl";
  write_file_atomic(file, R"({"id": "safe", "text": "Do no harm.", "weight": 3, "level": 1})"
                          "\n"
                          R"({"id": "kind", "text": "Be kind.", "level": 2})");
  const Constitution principles = load_constitution(file);
  fs::remove(file);
  MisbehavingServer server;
  server.verdict_format = "Score: 3";
  RemoteOptions o = options(server);
  o.principle_use = PrincipleUse::each;
  o.scores.level_gate = 5.0;
  const auto gated = scores(o, parts(principles));
  EXPECT_EQ(server.answers(), 4);
  EXPECT_NEAR(gated.front().score, ((3 * 3.0 + 1.0) / 4.0 - 5.5) / 4.5, 1e-12);
  o.scores.level_gate = 3.0;
  const auto open = scores(o, parts(principles));
  EXPECT_EQ(server.answers(), 8);  // those of level 1 are stored
  EXPECT_NEAR(open.front().score, (3.0 - 5.5) / 4.5, 1e-12);
}

TEST_F(RemoteScore, TheBillCountsResponsesAndPrinciples) {
  std::vector<Comparison> pairs(3);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].prompt = {i, "Question " + std::to_string(i), ""};
    pairs[i].first.text = "one";
    pairs[i].second.text = "other";
  }
  RemoteOptions o = openai_options();
  o.model = "test";
  const auto requests = [&](AsksAbout about, Constitution principles) {
    return estimate_openai(o, parts(std::move(principles)), pairs, 10, about).requests;
  };
  EXPECT_EQ(requests(AsksAbout::responses, {"a"}), 3);
  EXPECT_EQ(requests(AsksAbout::pairs, {"a"}), 6);
  o.principle_use = PrincipleUse::each;
  EXPECT_EQ(requests(AsksAbout::responses, {"a", "b"}), 6);
}

TEST_F(RemoteScore, EachPrincipleIsForScoresAlone) {
  RemoteOptions o = openai_options();
  o.model = "test";
  o.principle_use = PrincipleUse::each;
  RemoteParts of_pairs = parts();
  of_pairs.style =
      text::Conversation::load(fs::path(RLAIF_SOURCE_DIR) / "inputs/judge_styles/zero_shot_constitution.txt");
  expect_error([&] { make_openai_judge("gpt", o, of_pairs); }, ErrorKind::usage, {"principle_use = each", "scores"});
}

}  // namespace
}  // namespace rlaif::judge
