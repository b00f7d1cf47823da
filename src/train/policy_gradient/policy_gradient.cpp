#include "rlaif/train/policy_gradient.hpp"

#include <algorithm>
#include <string>

#include "../tensors.hpp"
#include "critic.hpp"
#include "experience.hpp"
#include "policy_update.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::train {

namespace {

void check_options(const PolicyGradientOptions& options, const model::Transformer& policy, const StageRun& run) {
  const auto require = [&](bool holds, const char* expected) {
    if (!holds) throw usage_error(run.name + ": " + expected);
  };
  const RolloutOptions& rollout = options.rollout;
  require(rollout.prompts_per_step >= 1, "prompts_per_step of at least 1 was expected");
  require(rollout.responses >= 1, "at least 1 response a prompt was expected");
  require(options.minibatch >= 1, "a minibatch of at least 1 was expected");
  require(options.epochs >= 1, "at least 1 epoch was expected");
  require(rollout.max_new_tokens >= 1, "max_new_tokens of at least 1 was expected");
  require(rollout.temperature > 0.0, "a temperature above 0 was expected: a greedy policy has no gradient");
  require(options.kl.target <= 0.0 || options.kl.horizon > 0.0, "a kl_horizon above 0 was expected");
  require(!policy.config().end_tokens.empty(), "a policy whose config names an end token was expected");
}

// 1 - Var(returns - values) / Var(returns): 1 for a perfect value model, 0 for a constant one.
double explained_variance(const ExperienceSums& sums) {
  const double variance = sums.returns.variance();
  return variance > 0.0 ? 1.0 - sums.residuals.variance() / variance : 0.0;
}

Json metrics_line(std::int64_t step, const ExperienceSums& sums, const UpdateStatistics& update, bool has_gold,
                  double kl_coefficient, double learning_rate) {
  Json line;
  line["step"] = step + 1;
  line["reward"] = sums.reward / sums.responses;
  if (has_gold) line["gold"] = sums.gold / sums.responses;
  line["kl"] = sums.kl / sums.responses;
  line["entropy"] = update.entropy / update.entropy_tokens;
  line["ended"] = sums.ended / sums.responses;
  line["length"] = sums.tokens / sums.responses;
  line["policy_loss"] = update.policy_loss / update.tokens;
  line["value_loss"] = update.value_loss / update.value_tokens;
  line["explained_variance"] = explained_variance(sums);
  line["clip_fraction"] = update.clipped / update.tokens;
  line["ratio_max_deviation"] = update.ratio_max_deviation;
  line["kl_coefficient"] = kl_coefficient;
  line["learning_rate"] = learning_rate;
  line["gradient_norm"] = update.gradient_norm / update.updates;
  line["value_gradient_norm"] = update.value_gradient_norm / update.updates;
  return line;
}

}  // namespace

double adapted_kl_coefficient(double coefficient, double kl, double target, double responses, double horizon) {
  const double error = std::clamp(kl / target - 1.0, -0.2, 0.2);
  return coefficient * (1.0 + error * responses / horizon);
}

void train_policy_gradient(const PolicyModels& models, const PolicyGradientCallbacks& callbacks,
                           const PolicyGradientOptions& options, const StageRun& run) {
  check_options(options, models.policy, run);
  const SharedBase shared = shared_base(models);
  PolicyUpdate policy_update(models.policy, options, shared, run);
  Critic critic(models.value, options, shared, run);
  ExperienceCollector collector(models, critic, callbacks, options, shared, run);
  double kl_coefficient = options.kl.coefficient;

  const Checkpoint start = load_checkpoint(run);
  if (start.step > 0) {
    policy_update.load_state(start.tensors);
    critic.load_state(start.tensors);
    kl_coefficient = start.extra.at("kl_coefficient").get<double>();
  }

  const auto update = [&](const Experience& experience, std::int64_t step) {
    UpdateStatistics statistics;
    for (int epoch = 0; epoch < options.epochs; ++epoch) {
      for (const Shares& shares : minibatches(experience, options, step, epoch)) {
        policy_update.update(shares, step, epoch == 0, statistics);
        critic.update(shares, step, statistics);
        statistics.updates += 1.0;
      }
    }
    return statistics;
  };

  LoopCallbacks loop;
  loop.step = [&](std::int64_t step) {
    const Experience experience = collector.collect(step, kl_coefficient);
    const UpdateStatistics statistics = update(experience, step);
    const ExperienceSums& sums = experience.sums;
    const Json line = metrics_line(step, sums, statistics, static_cast<bool>(callbacks.monitor), kl_coefficient,
                                   policy_update.rate(step));
    if (options.kl.target > 0.0) {
      kl_coefficient = adapted_kl_coefficient(kl_coefficient, sums.kl / sums.responses, options.kl.target,
                                              sums.responses, options.kl.horizon);
    }
    return line;
  };
  loop.save = [&] {
    Checkpoint checkpoint;
    policy_update.append_state(checkpoint.tensors);
    critic.append_state(checkpoint.tensors);
    checkpoint.extra["kl_coefficient"] = kl_coefficient;
    return checkpoint;
  };
  loop.progress_text = [](const Json& line) {
    std::string text = progress_number("reward", line["reward"].get<double>());
    if (line.contains("gold")) text += ", " + progress_number("gold", line["gold"].get<double>());
    return text + ", " + progress_number("kl", line["kl"].get<double>());
  };
  run_loop(run, options.steps, start, loop);
}

}  // namespace rlaif::train
