// What is asked for and paid beyond a verdict: prompt caches, and the bill beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/judge/kinds/remote.hpp"
#include "support/misbehaving_server.hpp"

namespace rlaif::judge {
namespace {

namespace fs = std::filesystem;
using test::MisbehavingServer;
using ::testing::HasSubstr;

// "Question 0", three fences of <12 digits>, "worse" and "better" with their spaces.
constexpr std::int64_t asked_bytes = 68;

std::vector<Comparison> planned_pairs(std::uint64_t count) {
  std::vector<Comparison> list;
  for (std::uint64_t id = 0; id < count; ++id) {
    Comparison one;
    one.id = id;
    one.prompt = {id, "Question " + std::to_string(id), ""};
    one.first.text = "worse";
    one.second.text = "better";
    list.push_back(std::move(one));
  }
  return list;
}

class BillTest : public testing::Test {
 protected:
  BillTest() : folder_(fs::temp_directory_path() / ("rlaif-bill-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    style_.turns = {{"system", "Judge."}, {"user", "{prompt} <{fence}> {first} <{fence}> {second} <{fence}>"}};
  }
  ~BillTest() override { fs::remove_all(folder_); }

  static RemoteOptions options(const std::string& url = "http://127.0.0.1:9/v1") {
    RemoteOptions options;
    options.base_url = url;
    options.model = "test";
    options.max_output_tokens = 50;
    options.http.max_retries = 0;
    return options;
  }
  RemoteParts parts(double cap_usd = cost::no_cap) {
    RemoteParts parts;
    parts.style = style_;
    parts.price.input_per_million_usd = 10;
    parts.price.cached_input_per_million_usd = 1;
    parts.price.cache_write_per_million_usd = 12.5;
    parts.price.output_per_million_usd = 40;
    parts.answers = std::make_shared<AnswerCache>(folder_, 0);
    parts.meter = meter_ = std::make_shared<cost::SpendMeter>(cost::make_budget(cap_usd));
    return parts;
  }
  // The body of the last request that the messages protocol sent.
  Json asked(RemoteParts parts, RemoteOptions changed = {}) {
    MisbehavingServer server;
    changed.base_url = server.base_url();
    changed.model = "test";
    make_anthropic_judge("j", changed, std::move(parts))->judge(planned_pairs(1));
    return server.last_body();
  }

  fs::path folder_;
  text::Conversation style_;
  std::shared_ptr<cost::SpendMeter> meter_;
};

const Json mark = {{"type", "ephemeral"}};

TEST_F(BillTest, TheConstantBeginningIsMarkedForTheMessagesProtocolsCache) {
  const Json plain = asked(parts());
  ASSERT_TRUE(plain.at("system").is_array());
  EXPECT_EQ(plain.at("system").at(0), (Json{{"type", "text"}, {"text", "Judge."}, {"cache_control", mark}}));
  EXPECT_TRUE(plain.at("messages").at(0).at("content").is_string());
  // Examples belong to it: the mark is on the last of them alone.
  style_.turns = {{"system", "Judge."}, {"user", "1 or 2?"}, {"assistant", "1"}, style_.turns[1]};
  const Json shots = asked(parts());
  EXPECT_EQ(shots.at("system"), "Judge.");
  EXPECT_EQ(shots.at("messages").at(0).at("content"), "1 or 2?");
  EXPECT_EQ(shots.at("messages").at(1).at("content").at(0).at("cache_control"), mark);
  EXPECT_TRUE(shots.at("messages").at(2).at("content").is_string());
}

TEST_F(BillTest, PrinciplesAreConstantWhereAllAreGivenAndNotWhereOneIsDrawn) {
  style_.turns[0].content = "Judge by {principles}.";
  RemoteParts p = parts();
  p.principles = {"truth", "care"};
  RemoteOptions o;
  o.principle_use = PrincipleUse::sample;
  EXPECT_EQ(asked(p, o).dump().find("cache_control"), std::string::npos);
  o.principle_use = PrincipleUse::all;
  EXPECT_EQ(asked(p, o).at("system").at(0).at("text"), "Judge by 1. truth\n2. care.");
  p.principles = {"truth"};
  o.principle_use = PrincipleUse::sample;
  EXPECT_EQ(asked(p, o).at("system").at(0).at("cache_control"), mark);
}

TEST_F(BillTest, AnswersAreTheSameWithAndWithoutTheMark) {
  MisbehavingServer server;
  RemoteOptions o = options(server.base_url());
  for (const bool cache : {true, false}) {
    o.cache_prompt = cache;
    make_anthropic_judge("j", o, parts())->judge(planned_pairs(3));
    EXPECT_EQ(server.answers(), 6) << "paid once, with the mark";
  }
  o.model = "other";
  make_anthropic_judge("j", o, parts())->judge(planned_pairs(1));
  EXPECT_EQ(server.last_body().dump().find("cache_control"), std::string::npos);
  make_openai_judge("j", o, parts())->judge(planned_pairs(1));
  EXPECT_EQ(server.last_body().dump().find("cache_control"), std::string::npos);
}

TEST_F(BillTest, WhatGoesIntoTheCacheIsPaidAtItsOwnPrice) {
  MisbehavingServer server;
  server.cache_creation_tokens = 100;
  RemoteOptions o = options(server.base_url());
  o.orders = Orders::first_only;
  const Verdict verdict = make_anthropic_judge("j", o, parts())->judge(planned_pairs(1))[0];
  EXPECT_EQ(verdict.usage.input_tokens, 200);
  EXPECT_EQ(verdict.usage.cached_input_tokens, 40);
  const double usd = (60 * 10 + 40 * 1 + 100 * 12.5 + 10 * 40) / 1e6;
  EXPECT_NEAR(verdict.usage.cost_usd, usd, 1e-12);
  EXPECT_NEAR(meter_->total().usage.cost_usd, usd, 1e-12);
  // Read back from the store it costs what it cost.
  EXPECT_NEAR(make_anthropic_judge("j", o, parts())->judge(planned_pairs(1))[0].usage.cost_usd, usd, 1e-12);
}

TEST_F(BillTest, ACapBelowTheFirstRequestSendsNothingAndSaysSo) {
  MisbehavingServer server;
  RemoteOptions o = options(server.base_url());
  o.orders = Orders::first_only;
  // A byte a token, 16 marks for each of two turns and the reply: 68 of 122 fresh, 54 may be written to the cache.
  const double first = (asked_bytes * 10 + (48 + 6) * 12.5 + 50 * 40) / 1e6;
  EXPECT_NEAR(estimate_anthropic(o, parts(), planned_pairs(1), 10).least_request_usd, first, 1e-12);
  EXPECT_NEAR(estimate_openai(o, parts(), planned_pairs(1), 10).least_request_usd,
              ((asked_bytes + 48 + 6) * 10 + 50 * 40) / 1e6, 1e-12);
  try {
    make_anthropic_judge("j", o, parts(first - 1e-6))->judge(planned_pairs(2));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resource);
    EXPECT_THAT(
        error.what(),
        HasSubstr("judge j: the cap on the cost leaves too little for a first request: 2 requests were not sent"));
  }
  EXPECT_EQ(server.answers(), 0);
  make_anthropic_judge("j", o, parts(first))->judge(planned_pairs(1));
  EXPECT_EQ(server.answers(), 1);
}

TEST_F(BillTest, TheEstimateCountsBytesOrTokensAndNeedsNoStore) {
  RemoteParts p;
  p.style = style_;
  p.price = parts().price;
  const Estimate bytes = estimate_openai(options(), p, planned_pairs(3), 10);
  EXPECT_EQ(bytes.requests, 6);
  EXPECT_EQ(bytes.likely.input_tokens, 6 * (12 + 2 + 17));  // 48 / 4 marks; 6 and 68 bytes at four a token
  EXPECT_EQ(bytes.likely.cached_input_tokens, 0);
  EXPECT_EQ(bytes.likely.output_tokens, 60);
  EXPECT_NEAR(bytes.likely.cost_usd, (6 * 31 * 10 + 60 * 40) / 1e6, 1e-12);
  EXPECT_EQ(bytes.worst.output_tokens, 300);
  p.count_tokens = [](const std::string& text) { return static_cast<std::int64_t>(text.size()) / 2; };
  const Estimate tokens = estimate_openai(options(), p, planned_pairs(3), 10);
  EXPECT_EQ(tokens.likely.input_tokens, 6 * (12 + 3 + 34));
  EXPECT_EQ(tokens.worst.input_tokens, 6 * (48 + 3 + 34));
}

TEST_F(BillTest, ALongConstantBeginningIsCachedFromTheSecondRequestOn) {
  style_.turns[0].content = std::string(4096, 'x');  // 1,024 tokens
  const Estimate anthropic = estimate_anthropic(options(), parts(), planned_pairs(2), 10);
  EXPECT_EQ(anthropic.likely.input_tokens, 4 * (12 + 1024 + 17));
  EXPECT_EQ(anthropic.likely.cached_input_tokens, 3 * 1024);
  EXPECT_NEAR(anthropic.likely.cost_usd, (4 * 29 * 10 + 1024 * 12.5 + 3 * 1024 * 1 + 40 * 40) / 1e6, 1e-12);
  const Estimate openai = estimate_openai(options(), parts(), planned_pairs(2), 10);
  EXPECT_NEAR(openai.likely.cost_usd, (4 * 29 * 10 + 1024 * 10 + 3 * 1024 * 1 + 40 * 40) / 1e6, 1e-12);
  style_.turns[0].content.resize(4092);
  EXPECT_EQ(estimate_openai(options(), parts(), planned_pairs(2), 10).likely.cached_input_tokens, 0);
}

TEST_F(BillTest, APairLongerThanTheContextIsNotAskedAndCounted) {
  MisbehavingServer server;
  RemoteOptions o = options(server.base_url());
  o.context_tokens = 12 + 2 + 17 + 50;
  std::vector<Comparison> pairs = planned_pairs(3);
  pairs[1].first.text += std::string(9, '!');
  const Estimate estimate = estimate_openai(o, parts(), pairs, 10);
  EXPECT_EQ(estimate.too_long, 1);
  EXPECT_EQ(estimate.requests, 4);
  const std::vector<Verdict> verdicts = make_openai_judge("j", o, parts())->judge(pairs);
  EXPECT_EQ(verdicts[0].status, VerdictStatus::ok);
  EXPECT_EQ(verdicts[1].status, VerdictStatus::truncated);
  EXPECT_EQ(verdicts[2].status, VerdictStatus::ok);
  EXPECT_EQ(server.answers(), 4);
}

}  // namespace
}  // namespace rlaif::judge
