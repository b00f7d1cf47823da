#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/core/error.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

PolicyGradientOptions learning_options(double kl_coefficient) {
  PolicyGradientOptions options = ppo_options(15);
  options.rollout.prompts_per_step = 32;
  options.minibatch = 16;
  options.epochs = 2;
  options.schedule = {1e-2, 2, 0.2};
  options.critic.only_steps = 2;
  options.kl.coefficient = kl_coefficient;
  options.kl.target = 0.0;
  options.rollout.missing_end_penalty = 0.0;
  return options;
}

std::vector<Json> run_lines(const PolicyGradientOptions& options, const PolicyGradientCallbacks& callbacks) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  run_ppo(run, options, callbacks);
  return metrics_lines(run);
}

double mean_of_last(const std::vector<Json>& lines, const std::string& key, std::size_t count) {
  double sum = 0;
  for (std::size_t i = lines.size() - count; i < lines.size(); ++i) sum += lines[i].at(key).get<double>();
  return sum / static_cast<double>(count);
}

TEST(Ppo, RaisesTheFrequencyOfARewardedToken) {
  const auto lines = run_lines(learning_options(0.0), ppo_callbacks());
  const double before = lines[0].at("reward").get<double>();
  const double after = mean_of_last(lines, "reward", 3);
  EXPECT_LT(before, 0.35);
  EXPECT_GT(after, before + 0.6);
  EXPECT_GT(mean_of_last(lines, "kl", 3), 0.5);
}

TEST(Ppo, ALargeKlCoefficientKeepsThePolicyNearTheReference) {
  const auto free = run_lines(learning_options(0.0), ppo_callbacks());
  const auto held = run_lines(learning_options(1.0), ppo_callbacks());
  EXPECT_GT(mean_of_last(free, "kl", 3), 5.0);
  EXPECT_LT(mean_of_last(held, "kl", 3), 1.0);
  EXPECT_LT(mean_of_last(held, "reward", 3), mean_of_last(free, "reward", 3) - 1.0);
}

TEST(Ppo, AMissingEndPenaltyTeachesToEnd) {
  PolicyGradientOptions options = learning_options(0.0);
  options.rollout.missing_end_penalty = -2.0;
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  callbacks.reward = [](std::span<const Drawn> drawn) { return std::vector<double>(drawn.size(), 0.0); };
  const auto lines = run_lines(options, callbacks);
  EXPECT_LT(lines[0].at("ended").get<double>(), 0.8);
  EXPECT_GT(mean_of_last(lines, "ended", 3), 0.95);
}

// Of a token between rollout and training: logits of at most 5 over the temperature.
double allowed_log_prob(double temperature) { return allowed_forward(5.0 / temperature); }

TEST(Ppo, FirstStepsMetricsHoldWhatTheyMust) {
  PolicyGradientOptions options = ppo_options(3);
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  callbacks.monitor = [](std::span<const Drawn> drawn) { return std::vector<double>(drawn.size(), 0.25); };
  const auto lines = run_lines(options, callbacks);
  ASSERT_EQ(lines.size(), 3U);
  const double same = allowed_log_prob(1.0);  // a token; a response has at most 24
  EXPECT_NEAR(lines[0].at("kl").get<double>(), 0.0, 24.0 * same) << "the policy is the reference";
  EXPECT_NEAR(lines[1].at("kl").get<double>(), 0.0, 24.0 * same) << "step 1 was value only";
  EXPECT_NE(lines[2].at("kl").get<double>(), lines[1].at("kl").get<double>());
  EXPECT_EQ(lines[0].at("learning_rate").get<double>(), 0.0);
  EXPECT_EQ(lines[0].at("gradient_norm").get<double>(), 0.0);
  EXPECT_EQ(lines[0].at("clip_fraction").get<double>(), 0.0);
  for (const Json& line : lines) {
    EXPECT_DOUBLE_EQ(line.at("gold").get<double>(), 0.25);
    EXPECT_LT(line.at("ratio_max_deviation").get<double>(), same);
    EXPECT_GT(line.at("value_gradient_norm").get<double>(), 0.0);
    EXPECT_GT(line.at("entropy").get<double>(), 0.0);
    EXPECT_LT(line.at("entropy").get<double>(),
              std::log(static_cast<double>(kVocabulary)) * (1.0 + rounding::of_chain({kVocabulary}, 2)));
  }
  // The KL of step 1 was below the target, so the coefficient fell: by .2 * 18 / 100.
  EXPECT_NEAR(lines[1].at("kl_coefficient").get<double>(), 0.05 * (1 - 0.2 * 0.18), 1e-12);
}

TEST(Ppo, TheTemperatureIsThatOfRolloutAndUpdateAlike) {
  PolicyGradientOptions options = ppo_options(3);
  options.rollout.temperature = 0.7;
  for (const Json& line : run_lines(options, ppo_callbacks())) {
    EXPECT_LT(line.at("ratio_max_deviation").get<double>(), allowed_log_prob(0.7));
  }
}

TEST(Ppo, AValueModelLearnsToExplainTheReturns) {
  PolicyGradientOptions options = learning_options(0.0);
  options.steps = options.critic.only_steps = 25;
  options.schedule.learning_rate = 5e-3;
  options.critic.learning_rate_scale = 1.0;
  // What was drawn so far says much about the final score.
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  callbacks.reward = [](std::span<const Drawn> drawn) {
    std::vector<double> scores;
    for (const Drawn& one : drawn) {
      double high = 0;
      for (const TokenId token : one.completion.tokens) high += token >= 8 ? 1.0 : -1.0;
      scores.push_back(high / 2.0);
    }
    return scores;
  };
  const auto lines = run_lines(options, callbacks);
  EXPECT_LT(lines[0].at("explained_variance").get<double>(), 0.1);
  EXPECT_GT(mean_of_last(lines, "explained_variance", 5), 0.3);
}

TEST(Ppo, AStoppedRunEndsInTheSameBytesAsAStraightOne) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder, straight_folder;
  StageRun run = stage_run(comm, folder.path());
  int boundaries = 0;
  run.stop_requested = [&] { return ++boundaries > 3; };
  EXPECT_THROW(run_ppo(run, ppo_options(6), ppo_callbacks()), Error);
  run.stop_requested = [] { return false; };
  const Outcome resumed = run_ppo(run, ppo_options(6), ppo_callbacks());
  EXPECT_EQ(resumed, run_ppo(stage_run(comm, straight_folder.path()), ppo_options(6), ppo_callbacks()));
}

TEST(Ppo, ANonFiniteRewardIsAnErrorThatNamesThePrompt) {
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  callbacks.reward = [](std::span<const Drawn> drawn) {
    return std::vector<double>(drawn.size(), std::numeric_limits<double>::quiet_NaN());
  };
  try {
    run_lines(ppo_options(1), callbacks);
    FAIL() << "a reward that is not a number was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("question 0"), std::string::npos) << error.what();
  }
}

// A judge that is asked may say nothing: the response is left out of what policy and values learn from, and counted.
TEST(Ppo, AResponseThatAnAskedJudgeDidNotScoreTeachesNothing) {
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  double scored = 0.0;
  callbacks.reward = [&](std::span<const Drawn> drawn) {
    scored += static_cast<double>(drawn.size());
    return std::vector<double>(drawn.size(), std::numeric_limits<double>::quiet_NaN());
  };
  callbacks.asked = [&] { return Asked{std::exchange(scored, 0.0), 0.5}; };
  PolicyGradientOptions options = ppo_options(3);
  options.critic.only_steps = 0;
  for (const Json& line : run_lines(options, callbacks)) {
    EXPECT_EQ(line.at("failed").get<double>(), 1.0);
    EXPECT_TRUE(line.at("reward").is_null());
    EXPECT_EQ(line.at("policy_loss").get<double>(), 0.0);
    EXPECT_EQ(line.at("gradient_norm").get<double>(), 0.0);
    EXPECT_EQ(line.at("labels").get<double>(), static_cast<double>(options.rollout.prompts_per_step));
  }
  const auto reward = ppo_callbacks().reward;
  callbacks.reward = [&](std::span<const Drawn> drawn) {
    std::vector<double> scores = reward(drawn);
    for (std::size_t i = 0; i < scores.size(); ++i)
      if (drawn[i].prompt.id % 2 == 0) scores[i] = std::numeric_limits<double>::quiet_NaN();
    return scores;
  };
  for (const Json& line : run_lines(options, callbacks)) {
    EXPECT_NEAR(line.at("failed").get<double>(), 0.5, 0.26);
    EXPECT_TRUE(std::isfinite(line.at("reward").get<double>()) && std::isfinite(line.at("value_loss").get<double>()));
    EXPECT_GT(line.at("gradient_norm").get<double>(), 0.0);
  }
}

TEST(Ppo, APromptThatLeavesNoRoomIsAnInputError) {
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  callbacks.prompt = [](std::int64_t) -> std::pair<Prompt, std::vector<TokenId>> {
    return {Prompt{}, std::vector<TokenId>(19, kBegin)};
  };
  EXPECT_THROW(run_lines(ppo_options(1), callbacks), Error);
}

TEST(Ppo, OptionsThatCannotWorkAreUsageErrors) {
  PolicyGradientOptions options = ppo_options(1);
  options.rollout.temperature = 0.0;
  EXPECT_THROW(run_lines(options, ppo_callbacks()), Error);
  options = ppo_options(1);
  options.minibatch = 0;
  EXPECT_THROW(run_lines(options, ppo_callbacks()), Error);
}

}  // namespace
}  // namespace rlaif::train::test
