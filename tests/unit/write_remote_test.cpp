#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "rlaif/core/error.hpp"
#include "rlaif/write/writer.hpp"
#include "support/expect_error.hpp"
#include "support/misbehaving_server.hpp"

namespace rlaif::write {
namespace {

namespace fs = std::filesystem;
using test::Fault;
using test::MisbehavingServer;

// What the server's usage costs: 60 fresh and 40 cached input tokens, 10 output tokens.
constexpr double answer_usd = (60 * 10.0 + 40 * 1.0 + 10 * 40.0) / 1e6;

class RemoteWriters : public ::testing::Test {
 protected:
  RemoteWriters() : folder_(fs::temp_directory_path() / ("rlaif-writer-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~RemoteWriters() override { fs::remove_all(folder_); }

  std::unique_ptr<Writer> writer(const MisbehavingServer& server, double cap_usd = cost::no_cap, bool openai = true) {
    RemoteOptions options = openai ? openai_options() : anthropic_options();
    options.base_url = server.base_url();
    options.model = "test";
    options.key_variable = "";
    options.max_output_tokens = 50;
    options.context_tokens = 400;
    options.http.first_wait_seconds = 0.01;
    options.http.longest_wait_seconds = 0.05;
    RemoteParts parts;
    parts.price.input_per_million_usd = 10;
    parts.price.cached_input_per_million_usd = 1;
    parts.price.output_per_million_usd = 40;
    parts.answers = std::make_shared<remote::AnswerCache>(folder_, 0);
    parts.meter = meter_ = std::make_shared<cost::SpendMeter>(cost::make_budget(cap_usd));
    return openai ? make_openai_writer("w", options, parts) : make_anthropic_writer("w", options, parts);
  }
  static std::vector<Request> requests(std::uint64_t count) {
    std::vector<Request> all;
    for (std::uint64_t id = 0; id < count; ++id) all.push_back({id, {{"user", "Is worse better?"}}});
    return all;
  }

  fs::path folder_;
  std::shared_ptr<cost::SpendMeter> meter_;
};

TEST_F(RemoteWriters, BothProtocolsGiveTextsWithoutThoughtsAndWhatTheyCost) {
  MisbehavingServer server;
  server.verdict_format = "<think>Which one?</think>\n  Say {}. ";
  for (const bool openai : {true, false}) {
    const std::vector<Written> written = writer(server, cost::no_cap, openai)->write(requests(2));
    ASSERT_EQ(written.size(), 2u);
    for (const Written& one : written) {
      EXPECT_EQ(one.status, VerdictStatus::ok);
      EXPECT_EQ(one.text, "Say B.");
      EXPECT_NEAR(one.usage.cost_usd, answer_usd, 1e-12);
    }
  }
}

TEST_F(RemoteWriters, EqualTurnsOfTwoRequestsAreTwoDrawsEachPaidOnce) {
  MisbehavingServer server;
  writer(server)->write(requests(5));
  EXPECT_EQ(server.answers(), 5);
  const std::vector<Written> again = writer(server)->write(requests(5));
  EXPECT_EQ(server.answers(), 5);
  EXPECT_EQ(meter_->total().stored_answers, 5);
  EXPECT_NEAR(again[4].usage.cost_usd, answer_usd, 1e-12);  // what it cost when it was paid
}

TEST_F(RemoteWriters, AFaultIsNeverAText) {
  const std::map<Fault, VerdictStatus> statuses{{Fault::empty_verdict, VerdictStatus::unparseable},
                                                {Fault::refusal, VerdictStatus::refused},
                                                {Fault::length_stop, VerdictStatus::truncated},
                                                {Fault::content_filter, VerdictStatus::filtered}};
  for (const auto& [fault, status] : statuses) {
    fs::remove_all(folder_);
    MisbehavingServer server([fault](const std::string&, int) { return fault; });
    const Written written = writer(server)->write(requests(1)).front();
    EXPECT_EQ(written.status, status) << to_string(status);
    EXPECT_EQ(written.text, "");
    EXPECT_NEAR(written.usage.cost_usd, answer_usd, 1e-12);
  }
  fs::remove_all(folder_);
  MisbehavingServer thinking;
  thinking.verdict_format = "<think>Say {}";
  EXPECT_EQ(writer(thinking)->write(requests(1)).front().status, VerdictStatus::truncated);
}

TEST_F(RemoteWriters, WhatDoesNotFitTheContextIsNotSent) {
  MisbehavingServer server;
  std::vector<Request> two = requests(2);
  two[1].turns.front().content = std::string(4000, 'x');
  const std::vector<Written> written = writer(server)->write(two);
  EXPECT_EQ(written[0].status, VerdictStatus::ok);
  EXPECT_EQ(written[1].status, VerdictStatus::truncated);
  EXPECT_EQ(server.answers(), 1);
}

TEST_F(RemoteWriters, TheCapEndsTheWritingAndWhatWasPaidIsKept) {
  MisbehavingServer server;
  // 48 tokens around two turns and 16 bytes are held at most, and 50 of the answer: less than .003 USD a request.
  expect_error([&] { writer(server, 0.02)->write(requests(40)); }, ErrorKind::resource, {"writer w", "cost.cap_usd"});
  const int paid = server.answers();
  EXPECT_GT(paid, 5);
  EXPECT_LT(paid, 40);
  EXPECT_LE(meter_->total().usage.cost_usd, 0.02);
  writer(server)->write(requests(40));
  EXPECT_EQ(server.answers(), 40);
}

}  // namespace
}  // namespace rlaif::write
