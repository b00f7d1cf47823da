// Training without a value model: groups, batches and greedy baselines.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/core/error.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

class CriticFree : public ::testing::Test {
 protected:
  std::vector<Json> lines_of(const PolicyGradientOptions& options,
                             const PolicyGradientCallbacks& callbacks = ppo_callbacks()) {
    const TemporaryFolder folder;
    const StageRun run = stage_run(comm_, folder.path());
    run_critic_free(run, options, callbacks);
    return metrics_lines(run);
  }

  comm::Communicator comm_ = comm::Communicator::self();
};

PolicyGradientOptions learning(AdvantageEstimator advantage) {
  PolicyGradientOptions options = critic_free_options(15, advantage);
  options.rollout.prompts_per_step = 32 / options.rollout.responses;
  options.minibatch = 16;
  options.schedule = {1e-2, 2, 0.2};
  options.kl.place = KlPlace::none;
  options.rollout.missing_end_penalty = 0.0;
  return options;
}

double number(const Json& line, const std::string& key) { return line.at(key).get<double>(); }

double mean_of_last_three(const std::vector<Json>& lines, const std::string& key) {
  double sum = 0;
  for (std::size_t i = lines.size() - 3; i < lines.size(); ++i) sum += number(lines[i], key);
  return sum / 3.0;
}

PolicyGradientCallbacks rewarding(std::function<double(const Drawn&)> score) {
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  callbacks.reward = [score = std::move(score)](std::span<const Drawn> drawn) {
    std::vector<double> scores;
    for (const Drawn& one : drawn) scores.push_back(score(one));
    return scores;
  };
  return callbacks;
}

TEST_F(CriticFree, EveryBaselineRaisesTheFrequencyOfARewardedToken) {
  for (const auto advantage :
       {AdvantageEstimator::group, AdvantageEstimator::group_mean, AdvantageEstimator::leave_one_out,
        AdvantageEstimator::batch, AdvantageEstimator::greedy}) {
    const auto lines = lines_of(learning(advantage));
    EXPECT_GT(mean_of_last_three(lines, "reward"), number(lines[0], "reward") + 0.4) << static_cast<int>(advantage);
    EXPECT_GT(number(lines[0], "absolute_advantage"), 0.0);
  }
}

TEST_F(CriticFree, KlInTheRewardAndInTheLossKeepThePolicyNearTheReference) {
  const PolicyGradientOptions free = learning(AdvantageEstimator::group);
  const double unheld = mean_of_last_three(lines_of(free), "kl");
  for (const auto& [place, estimator] : {std::pair{KlPlace::reward, KlEstimator::k1},
                                         {KlPlace::loss, KlEstimator::k2},
                                         {KlPlace::loss, KlEstimator::k3}}) {
    PolicyGradientOptions held = free;
    held.kl = {.coefficient = 2.0, .place = place, .estimator = estimator};
    const auto lines = lines_of(held);
    EXPECT_LT(mean_of_last_three(lines, "kl"), 0.5 * unheld);
    EXPECT_EQ(lines[0].contains("kl_k2"), place == KlPlace::loss && estimator == KlEstimator::k2);
    EXPECT_EQ(lines[0].contains("kl_k3"), place == KlPlace::loss && estimator == KlEstimator::k3);
  }
}

TEST_F(CriticFree, FirstStepsMetricsHoldWhatTheyMust) {
  PolicyGradientOptions options = critic_free_options(2, AdvantageEstimator::group);
  options.kl.place = KlPlace::loss;
  options.kl.estimator = KlEstimator::k2;
  const auto lines = lines_of(options);
  const double same = allowed_forward(5.0);  // of a log-probability between rollout and training, logits of at most 5
  EXPECT_NEAR(number(lines[0], "kl"), 0.0, 24.0 * same);
  EXPECT_LT(number(lines[0], "ratio_max_deviation"), same);
  EXPECT_LE(number(lines[0], "ratio_least"), number(lines[0], "ratio_mean"));
  EXPECT_LE(number(lines[0], "ratio_mean"), number(lines[0], "ratio_most"));
  EXPECT_GE(number(lines[0], "kl_k2"), 0.0);
  EXPECT_EQ(number(lines[0], "failed"), 0.0);
  EXPECT_EQ(number(lines[0], "redrawn_groups"), 0.0);
  EXPECT_FALSE(lines[0].contains("value_loss"));
}

TEST_F(CriticFree, AStepWhoseGroupsAreAllSilentGoesOnAndLeavesThePolicy) {
  PolicyGradientOptions options = learning(AdvantageEstimator::group);
  options.steps = 3;
  const auto callbacks = rewarding([](const Drawn&) { return 0.7; });
  const auto lines = lines_of(options, callbacks);
  ASSERT_EQ(lines.size(), 3U);
  for (const Json& line : lines) {
    EXPECT_EQ(number(line, "silent_groups"), 1.0);
    EXPECT_NEAR(number(line, "absolute_advantage"), 0.0, 1e-10);
    EXPECT_NEAR(number(line, "gradient_norm"), 0.0, 1e-8);
  }
}

TEST_F(CriticFree, SilentGroupsGiveWayToOtherPrompts) {
  PolicyGradientOptions options = critic_free_options(2, AdvantageEstimator::group);
  // The run's own prompts are all silent, those that take their places are not.
  std::vector<std::int64_t> places;
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  const auto prompt = callbacks.prompt;
  const std::int64_t own = options.steps * options.rollout.prompts_per_step;
  callbacks.prompt = [&](std::int64_t i) {
    places.push_back(i);
    auto drawn = prompt(i);
    if (i < own) drawn.first.text = "silent";
    return drawn;
  };
  callbacks.reward = [](std::span<const Drawn> drawn) {
    auto scores = wanted_share(drawn);
    for (std::size_t i = 0; i < drawn.size(); ++i)
      scores[i] = drawn[i].prompt.text == "silent" ? 0.5 : scores[i] + static_cast<double>(i % 2);
    return scores;
  };
  options.rollout.missing_end_penalty = 0.0;
  const auto kept = lines_of(options, callbacks);
  EXPECT_EQ(number(kept[0], "silent_groups"), 1.0);
  places.clear();
  options.rollout.redraws = 2;
  const auto redrawn = lines_of(options, callbacks);
  EXPECT_EQ(number(redrawn[0], "silent_groups"), 0.0);
  EXPECT_EQ(number(redrawn[0], "redrawn_groups"), 1.0);
  for (const std::int64_t place : places) EXPECT_LT(place, 2 * own) << "one redraw was enough";
}

TEST_F(CriticFree, AFailedScoreIsCountedAndNothingIsLearnedFromIt) {
  PolicyGradientOptions options = learning(AdvantageEstimator::leave_one_out);
  options.steps = 2;
  int count = 0;
  const auto lines = lines_of(options, rewarding([&](const Drawn& one) {
                                return ++count % 4 == 0 ? kNone : wanted_share(std::span(&one, 1)).front();
                              }));
  EXPECT_EQ(number(lines[0], "failed"), 0.25);
  EXPECT_TRUE(std::isfinite(number(lines[1], "policy_loss")));
  const auto none = lines_of(options, rewarding([](const Drawn&) { return kNone; }));
  EXPECT_EQ(number(none[1], "failed"), 1.0);
  EXPECT_TRUE(none[1].at("reward").is_null());
  EXPECT_EQ(number(none[1], "gradient_norm"), 0.0);
}

TEST_F(CriticFree, AnInfiniteScoreIsAnErrorThatNamesThePrompt) {
  try {
    lines_of(learning(AdvantageEstimator::group), rewarding([](const Drawn&) { return HUGE_VAL; }));
    FAIL() << "an infinite reward was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("question 0"), std::string::npos) << error.what();
  }
}

TEST_F(CriticFree, WhereAllResponsesAreMaskedThePolicyStays) {
  PolicyGradientOptions options = learning(AdvantageEstimator::group);
  options.steps = 2;
  options.loss.mask_truncated = true;
  const auto some = lines_of(options);
  EXPECT_GT(number(some[0], "gradient_norm"), 0.0) << "some responses end";
  // Two responses of one token a step, with a seed by which neither ends.
  options.rollout.max_new_tokens = 1;
  options.rollout.prompts_per_step = 1;
  options.rollout.responses = 2;
  std::vector<Json> none;
  const auto some_end = [&] { return number(none[0], "ended") + number(none[1], "ended") > 0.0; };
  do {
    ++options.seed;
    none = lines_of(options);
  } while (some_end() && options.seed < 100);
  ASSERT_FALSE(some_end());
  for (const Json& line : none) {
    EXPECT_EQ(number(line, "policy_loss"), 0.0);
    EXPECT_EQ(number(line, "gradient_norm"), 0.0);
  }
}

TEST_F(CriticFree, AnOverlongResponseIsWorthLess) {
  PolicyGradientOptions options = learning(AdvantageEstimator::group);
  options.rollout.overlong_share = 1.0;
  options.rollout.overlong_penalty = 3.0;
  const auto lines = lines_of(options, rewarding([](const Drawn&) { return 0.0; }));
  EXPECT_LT(mean_of_last_three(lines, "length"), number(lines[0], "length") - 1.0);
}

TEST_F(CriticFree, AStoppedRunEndsInTheSameBytesAsAStraightOne) {
  for (const auto advantage : {AdvantageEstimator::group, AdvantageEstimator::batch, AdvantageEstimator::greedy}) {
    const TemporaryFolder folder, straight_folder;
    StageRun run = stage_run(comm_, folder.path());
    const PolicyGradientOptions options = critic_free_options(5, advantage);
    int boundaries = 0;
    run.stop_requested = [&] { return ++boundaries > 2; };
    EXPECT_THROW(run_critic_free(run, options, ppo_callbacks()), Error);
    run.stop_requested = [] { return false; };
    const Outcome resumed = run_critic_free(run, options, ppo_callbacks());
    EXPECT_EQ(resumed, run_critic_free(stage_run(comm_, straight_folder.path()), options, ppo_callbacks()));
  }
}

TEST(CriticFreeOptions, ThatCannotWorkAreUsageErrorsThatNameTheKey) {
  const auto refusal = [](const std::function<void(PolicyGradientOptions&)>& change) -> std::string {
    PolicyGradientOptions options = critic_free_options(1, AdvantageEstimator::group);
    change(options);
    try {
      check_policy_gradient_options(options, "arm.a");
    } catch (const Error& error) {
      return error.kind() == ErrorKind::usage ? error.what() : "another kind of error";
    }
    return "";
  };
  const auto expect = [&](const std::string& word, const std::function<void(PolicyGradientOptions&)>& change) {
    const std::string message = refusal(change);
    EXPECT_NE(message.find("arm.a: "), std::string::npos) << message;
    EXPECT_NE(message.find(word), std::string::npos) << message;
  };
  EXPECT_EQ(refusal([](PolicyGradientOptions&) {}), "");
  expect("responses = 1", [](auto& options) { options.rollout.responses = 1; });
  expect("temperature", [](auto& options) { options.rollout.temperature = 0.0; });
  expect("clip_high", [](auto& options) { options.loss.clip_high = 0.1; });
  expect("clip", [](auto& options) { options.loss.clip_low = -0.1; });
  expect("dual_clip", [](auto& options) { options.loss.dual_clip = 1.1; });
  expect("k1 in the loss", [](auto& options) { options.kl = {.place = KlPlace::loss, .estimator = KlEstimator::k1}; });
  expect("overlong_share", [](auto& options) { options.rollout.overlong_share = 1.5; });
}

}  // namespace
}  // namespace rlaif::train::test
