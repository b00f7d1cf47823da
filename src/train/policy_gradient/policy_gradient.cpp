#include "rlaif/train/policy_gradient.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "../tensors.hpp"
#include "critic.hpp"
#include "experience.hpp"
#include "policy_update.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"

namespace rlaif::train {

namespace {

// 1 - Var(returns - values) / Var(returns): 1 for a perfect value model, 0 for a constant one.
double explained_variance(const ExperienceSums& sums) {
  const double variance = sums.returns.variance();
  return variance > 0.0 ? 1.0 - sums.residuals.variance() / variance : 0.0;
}

// Null where nothing was counted.
Json mean(double sum, double count) { return count > 0.0 ? Json(sum / count) : Json(); }

void add_value_metrics(Json& line, const ExperienceSums& sums, const UpdateStatistics& update) {
  line["value_loss"] = update.value_loss / update.value_tokens;
  line["explained_variance"] = explained_variance(sums);
}

void add_baseline_metrics(Json& line, const ExperienceSums& sums, const UpdateStatistics& update,
                          const PolicyGradientOptions& options) {
  line["absolute_advantage"] = mean(sums.absolute_advantage, sums.advantages.count);
  if (options.rollout.responses > 1) {
    line["silent_groups"] = sums.silent / sums.prompts;
    line["redrawn_groups"] = sums.redrawn / sums.prompts;
  }
  if (options.kl.place == KlPlace::loss)
    line[options.kl.estimator == KlEstimator::k2 ? "kl_k2" : "kl_k3"] = update.policy_kl / update.tokens;
  line["ratio_mean"] = update.ratio / update.tokens;
  line["ratio_least"] = update.ratio_least;
  line["ratio_most"] = update.ratio_most;
}

Json metrics_line(std::int64_t step, const ExperienceSums& sums, const UpdateStatistics& update,
                  const PolicyGradientOptions& options, bool has_values, bool has_gold, bool asks_judge,
                  double kl_coefficient, double learning_rate) {
  Json line;
  line["step"] = step + 1;
  line["reward"] = mean(sums.reward, sums.scored);
  if (has_gold) line["gold"] = sums.gold / sums.responses;
  line["kl"] = sums.kl / sums.responses;
  line["entropy"] = update.entropy / update.entropy_tokens;
  line["ended"] = sums.ended / sums.responses;
  line["length"] = sums.tokens / sums.responses;
  line["policy_loss"] = update.denominator > 0.0 ? update.policy_loss / update.denominator : 0.0;
  if (!has_values || asks_judge) line["failed"] = 1.0 - sums.scored / sums.responses;
  if (has_values)
    add_value_metrics(line, sums, update);
  else
    add_baseline_metrics(line, sums, update, options);
  line["clip_fraction"] = update.clipped / update.tokens;
  line["ratio_max_deviation"] = update.ratio_max_deviation;
  line["kl_coefficient"] = kl_coefficient;
  line["learning_rate"] = learning_rate;
  line["gradient_norm"] = update.gradient_norm / update.updates;
  if (has_values) line["value_gradient_norm"] = update.value_gradient_norm / update.updates;
  if (asks_judge) {
    line["labels"] = sums.labels;
    line["cost_usd"] = sums.cost_usd;
  }
  return line;
}

}  // namespace

double adapted_kl_coefficient(double coefficient, double kl, double target, double responses, double horizon) {
  const double error = std::clamp(kl / target - 1.0, -0.2, 0.2);
  return coefficient * (1.0 + error * responses / horizon);
}

void train_policy_gradient(const PolicyModels& models, const PolicyGradientCallbacks& callbacks,
                           const PolicyGradientOptions& options, const StageRun& run) {
  check_policy_gradient_options(options, run.name);
  if (models.policy.config().end_tokens.empty())
    throw usage_error(run.name + ": a policy whose config names an end token was expected");
  const bool has_values = options.advantage == AdvantageEstimator::gae;
  RLAIF_CHECK(has_values == (models.value != nullptr), "a value model where advantages are over one, and there alone");
  const SharedBase shared = shared_base(models);
  PolicyUpdate policy_update(models.policy, options, shared, run);
  std::optional<Critic> critic;
  if (has_values) critic.emplace(*models.value, options, shared, run);
  ExperienceCollector collector(models, critic ? &*critic : nullptr, callbacks, options, shared, run);
  double kl_coefficient = options.kl.place == KlPlace::none ? 0.0 : options.kl.coefficient;

  const Checkpoint start = load_checkpoint(run);
  if (start.step > 0) {
    policy_update.load_state(start.tensors);
    if (critic) critic->load_state(start.tensors);
    kl_coefficient = start.extra.at("kl_coefficient").get<double>();
  }

  const auto update = [&](const Experience& experience, std::int64_t step) {
    UpdateStatistics statistics;
    for (int epoch = 0; epoch < options.epochs; ++epoch) {
      for (const Shares& shares : minibatches(experience, options, step, epoch)) {
        policy_update.update(shares, step, epoch == 0, statistics);
        if (critic) critic->update(shares, step, statistics);
        statistics.updates += 1.0;
      }
    }
    policy_update.end_step(statistics);
    return statistics;
  };
  bool was_silent = false;  // said once for steps in a row

  LoopCallbacks loop;
  loop.step = [&](std::int64_t step) {
    const Experience experience = collector.collect(step, kl_coefficient);
    const UpdateStatistics statistics = update(experience, step);
    const ExperienceSums& sums = experience.sums;
    const Json line = metrics_line(step, sums, statistics, options, has_values, static_cast<bool>(callbacks.monitor),
                                   static_cast<bool>(callbacks.asked), kl_coefficient, policy_update.rate(step));
    const bool is_silent = sums.silent == sums.prompts;
    if (is_silent && !was_silent && run.comm->is_root()) {
      log::warning(run.name + ": in step " + std::to_string(step + 1) +
                   " the responses of every prompt are all worth the same: there is no reward to learn from");
    }
    was_silent = is_silent;
    if (options.kl.target > 0.0) {
      kl_coefficient = adapted_kl_coefficient(kl_coefficient, sums.kl / sums.responses, options.kl.target,
                                              sums.responses, options.kl.horizon);
    }
    return line;
  };
  loop.save = [&] {
    Checkpoint checkpoint;
    policy_update.append_state(checkpoint.tensors);
    if (critic) critic->append_state(checkpoint.tensors);
    checkpoint.extra["kl_coefficient"] = kl_coefficient;
    return checkpoint;
  };
  loop.progress_text = [](const Json& line) {
    std::string text =
        line["reward"].is_number() ? progress_number("reward", line["reward"].get<double>()) : "no reward";
    if (line.contains("gold")) text += ", " + progress_number("gold", line["gold"].get<double>());
    return text + ", " + progress_number("kl", line["kl"].get<double>());
  };
  run_loop(run, options.steps, start, loop);
}

}  // namespace rlaif::train
