// Online DPO: pairs that the policy draws itself.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/core/error.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

class OnlineDpo : public ::testing::Test {
 protected:
  std::vector<Json> lines_of(const OnlineDpoOptions& options,
                             const OnlineDpoCallbacks& callbacks = online_callbacks()) {
    const TemporaryFolder folder;
    const StageRun run = stage_run(comm_, folder.path());
    outcome_ = run_online_dpo(run, options, callbacks);
    return metrics_lines(run);
  }

  comm::Communicator comm_ = comm::Communicator::self();
  Outcome outcome_;
};

double figure(const Json& line, const std::string& key) { return line.at(key).get<double>(); }

TEST_F(OnlineDpo, FirstStepHasLossLn2AndNoDistance) {
  const Json line = lines_of(online_options(1)).at(0);
  const double same = 7.0 * allowed_forward(8.0);  // of a log-probability of at most 7 tokens, found in two ways
  EXPECT_NEAR(figure(line, "loss"), std::log(2.0), 0.1 * same);
  EXPECT_NEAR(figure(line, "margin"), 0.0, 0.2 * same);
  EXPECT_NEAR(figure(line, "kl"), 0.0, 2.0 * same);
  EXPECT_EQ(figure(line, "failed"), 0.0);
  EXPECT_GT(figure(line, "gradient_norm"), 0.0);
  EXPECT_FALSE(line.contains("labels"));
}

TEST_F(OnlineDpo, RaisesTheFrequencyOfAPreferredToken) {
  OnlineDpoOptions options = online_options(30);
  options.rollout.prompts_per_step = 16;
  options.schedule = {1e-2, 2, 0.2};
  const auto lines = lines_of(options);
  double last = 0.0;
  for (std::size_t i = lines.size() - 5; i < lines.size(); ++i) last += figure(lines[i], "gold") / 5.0;
  EXPECT_GT(last, figure(lines[0], "gold") + 0.3);
  EXPECT_GT(figure(lines[20], "kl"), 0.0);
}

TEST_F(OnlineDpo, PairsOfEqualResponsesAreNotAskedAbout) {
  OnlineDpoOptions options = online_options(2);
  options.rollout.max_new_tokens = 1;  // twelve responses in all
  OnlineDpoCallbacks callbacks = online_callbacks();
  double asked = 0.0;
  const auto prefer = callbacks.prefer;
  callbacks.prefer = [&](std::span<const Drawn> pairs) {
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      asked += 1.0;
      EXPECT_TRUE(pairs[i].completion.tokens != pairs[i + 1].completion.tokens ||
                  pairs[i].completion.ended != pairs[i + 1].completion.ended);
      EXPECT_EQ(pairs[i].prompt.id, pairs[i + 1].prompt.id);
    }
    return prefer(pairs);
  };
  const auto lines = lines_of(options, callbacks);
  const double silent = 10.0 * (figure(lines[0], "silent") + figure(lines[1], "silent"));
  EXPECT_NEAR(asked, 20.0 - silent, 1e-9);
  EXPECT_GT(silent, 0.0);
}

TEST_F(OnlineDpo, PairsWithoutALabelAreLeftOutAndCounted) {
  OnlineDpoCallbacks callbacks = online_callbacks();
  const auto prefer = callbacks.prefer;
  callbacks.prefer = [&](std::span<const Drawn> pairs) {
    std::vector<double> labels = prefer(pairs);
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (pairs[2 * i].prompt.id % 2 == 0) labels[i] = std::numeric_limits<double>::quiet_NaN();
    return labels;
  };
  const auto lines = lines_of(online_options(2), callbacks);
  EXPECT_NEAR(figure(lines[0], "failed"), 0.6, 0.2);  // prompts 0, 2 and 4 of five, less those of equal responses
  EXPECT_NEAR(figure(lines[0], "loss"), std::log(2.0), 1e-3);
}

TEST_F(OnlineDpo, AStepWithoutLabelsGoesOnAndLeavesThePolicy) {
  OnlineDpoCallbacks callbacks = online_callbacks();
  callbacks.prefer = [](std::span<const Drawn> pairs) {
    return std::vector<double>(pairs.size() / 2, std::numeric_limits<double>::quiet_NaN());
  };
  const auto lines = lines_of(online_options(2), callbacks);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].at("loss").is_null());
  EXPECT_EQ(figure(lines[0], "failed"), 1.0);
  EXPECT_EQ(figure(lines[0], "gradient_norm"), 0.0);
  EXPECT_EQ(outcome_.parameters, bytes_of(tiny_model(5).trainable_parameters()));
}

TEST_F(OnlineDpo, WhatTheJudgeWasAskedStandsInTheMetrics) {
  OnlineDpoCallbacks callbacks = online_callbacks();
  Asked asked;
  const auto prefer = callbacks.prefer;
  callbacks.prefer = [&](std::span<const Drawn> pairs) {
    asked.labels += static_cast<double>(pairs.size()) / 2.0;
    asked.cost_usd += static_cast<double>(pairs.size()) / 2.0 * 0.06;
    return prefer(pairs);
  };
  callbacks.asked = [&] { return std::exchange(asked, {}); };
  for (const Json& line : lines_of(online_options(2), callbacks)) {
    EXPECT_NEAR(figure(line, "labels"), 10.0 * (1.0 - figure(line, "silent")), 1e-9);
    EXPECT_NEAR(figure(line, "cost_usd"), 0.06 * figure(line, "labels"), 1e-9);
  }
}

TEST_F(OnlineDpo, OptionsThatCannotBeAreRefusedByName) {
  const auto refused = [&](const std::function<void(OnlineDpoOptions&)>& change, const std::string& part) {
    OnlineDpoOptions options = online_options(1);
    change(options);
    try {
      lines_of(options);
      ADD_FAILURE() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refused([](auto& o) { o.rollout.temperature = 0.0; }, "online_dpo.temperature");
  refused([](auto& o) { o.loss.beta = 0.0; }, "online_dpo.beta");
  refused([](auto& o) { o.steps = 0; }, "online_dpo.steps");
  refused([](auto& o) { o.rollout.responses = 3; }, "two responses");
}

}  // namespace
}  // namespace rlaif::train::test
