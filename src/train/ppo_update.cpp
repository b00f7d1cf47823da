#include "ppo_update.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/throughput.hpp"
#include "tensors.hpp"

namespace rlaif::train {

namespace {

enum PolicyColumn : std::size_t { kPolicyTokens, kPolicyLoss, kClipped, kEntropy, kPolicyColumns };
enum ValueColumn : std::size_t { kValueTokens, kValueLoss, kValueColumns };

// Engine and training pass compute the same log-probabilities in other orders of addition: measured below 1e-5.
constexpr double kRatioTolerance = 1e-3;

}  // namespace

PpoUpdater::PpoUpdater(model::Transformer& policy, model::ScalarModel& value, const PpoOptions& options,
                       const SharedBase& shared, const StageRun& run)
    : policy_(policy),
      value_(value),
      options_(options),
      run_(run),
      shared_(shared),
      policy_parameters_({{"policy", policy.trainable_parameters()}}),
      value_parameters_({{"value", value.trainable_parameters()}}),
      policy_optimizer_(policy_parameters_, options.adam, run.state_shards()),
      value_optimizer_(value_parameters_, options.adam, run.state_shards()),
      policy_sum_(run, policy_parameters_),
      value_sum_(run, value_parameters_) {}

double PpoUpdater::policy_rate(std::int64_t step) const {
  if (step < options_.value_only_steps) return 0.0;
  return scheduled_rate(options_.schedule, step - options_.value_only_steps,
                        options_.steps - options_.value_only_steps);
}

double PpoUpdater::value_rate(std::int64_t step) const {
  ScheduleOptions schedule = options_.schedule;
  schedule.learning_rate *= options_.value_learning_rate_scale;
  schedule.warmup_steps = 0;
  return scheduled_rate(schedule, step, options_.steps);
}

std::vector<PpoUpdater::Shares> PpoUpdater::minibatches(const Experience& experience, std::int64_t step,
                                                        int epoch) const {
  const std::int64_t count = (options_.prompts_per_step + options_.minibatch - 1) / options_.minibatch;
  std::vector<Shares> all(static_cast<std::size_t>(count), Shares(experience.grains.size()));
  for (std::size_t g = 0; g < experience.grains.size(); ++g) {
    const GrainExperience& grain = experience.grains[g];
    std::vector<std::size_t> order(grain.responses.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Rng(options_.seed, Stream::data_order,
        {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(grain.grain)})
        .shuffle(order);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::int64_t minibatch = (grain.first + static_cast<std::int64_t>(i)) % count;
      all[static_cast<std::size_t>(minibatch)][g].push_back(&grain.responses[order[i]]);
    }
  }
  return all;
}

std::vector<double> PpoUpdater::in_micro_batches(
    std::span<const Response* const> responses, std::size_t width,
    const std::function<std::vector<double>(std::span<const Response* const>)>& pass) const {
  std::vector<std::int64_t> tokens;
  for (const Response* response : responses) {
    tokens.push_back(static_cast<std::int64_t>(response->prompt_tokens.size() + response->actions.size()));
  }
  std::vector<double> sums(width, 0.0);
  for (const auto& group : micro_batches(tokens, run_.micro_batch_tokens)) {
    std::vector<const Response*> chosen;
    for (const std::size_t i : group) chosen.push_back(responses[i]);
    const auto row = pass(chosen);
    for (std::size_t i = 0; i < width; ++i) sums[i] += row[i];
  }
  return sums;
}

std::vector<double> PpoUpdater::policy_pass(std::span<const Response* const> responses, bool first_epoch,
                                            bool backward) {
  std::vector<double> row(kPolicyColumns, 0.0);
  if (responses.empty()) return row;
  const torch::AutoGradMode gradients(backward);
  const auto device = policy_.device();
  const auto batch = make_action_batch(responses, device, shared_.trunk_layers);
  const auto old_M = join(responses, &Response::old_log_probs, device);
  const auto advantages_M = join(responses, &Response::advantages, device);
  torch::Tensor entropy_M;
  const auto new_M = chosen_log_probs(action_states(policy_, batch), policy_.output_Vd, batch.targets_M,
                                      options_.temperature, first_epoch ? &entropy_M : nullptr);
  const auto loss = ppo_policy_loss(new_M, old_M, advantages_M, options_.clip).sum();
  if (backward) loss.backward();

  const torch::NoGradGuard no_gradients;
  const auto deviation_M = ((new_M - old_M).exp() - 1.0).abs();
  // NaN must not pass as the smaller of two numbers.
  const double deviation = deviation_M.max().item<double>();
  if (!(deviation <= own_deviation_)) own_deviation_ = deviation;
  row[kPolicyTokens] = static_cast<double>(batch.size());
  row[kPolicyLoss] = loss.item<double>();
  row[kClipped] = (deviation_M > options_.clip).sum().item<double>();
  if (first_epoch) row[kEntropy] = entropy_M.to(torch::kFloat64).sum().item<double>();
  return row;
}

std::vector<double> PpoUpdater::value_pass(std::span<const Response* const> responses) {
  std::vector<double> row(kValueColumns, 0.0);
  if (responses.empty()) return row;
  const auto device = policy_.device();
  const auto states = [&] {
    if (!shared_.value_on_base)
      return action_states(value_.body, make_action_batch(responses, device, shared_.trunk_layers));
    std::vector<torch::Tensor> features;
    for (const Response* response : responses) features.push_back(response->value_features_Td);
    return torch::cat(features);
  };
  const auto values_M = value_.values_N(states());
  const auto loss = ppo_value_loss(values_M, join(responses, &Response::values, device),
                                   join(responses, &Response::returns, device), options_.value_clip)
                        .sum();
  loss.backward();
  row[kValueTokens] = static_cast<double>(values_M.numel());
  row[kValueLoss] = loss.item<double>();
  return row;
}

void PpoUpdater::update_policy(const Shares& shares, std::int64_t step, bool first_epoch,
                               UpdateStatistics& statistics) {
  const bool frozen = step < options_.value_only_steps;
  own_deviation_ = 0.0;
  const int first_own = policy_sum_.own().begin;
  const auto pass = [&](int grain) {
    return in_micro_batches(shares[static_cast<std::size_t>(grain - first_own)], kPolicyColumns,
                            [&](auto part) { return policy_pass(part, first_epoch, !frozen); });
  };
  const auto sums = frozen ? sum_grain_rows(*run_.comm, run_.grains, kPolicyColumns, pass)
                           : policy_sum_.accumulate(kPolicyColumns, pass);
  if (statistics.updates == 0) {
    double deviation = std::isfinite(own_deviation_) ? own_deviation_ : HUGE_VAL;
    run_.comm->all_reduce_max(std::span(&deviation, 1));
    statistics.ratio_max_deviation = deviation;
    run_.comm->on_root([&] {
      if (deviation < kRatioTolerance) return;
      throw Error(ErrorKind::internal, run_.name + ": in the first minibatch of step " + std::to_string(step + 1) +
                                           " the ratio of new to old probabilities is off 1 by " +
                                           std::to_string(deviation) +
                                           ": rollout and training pass do not compute the same model");
    });
  }
  if (!frozen) statistics.gradient_norm += policy_optimizer_.step(policy_rate(step), 1.0 / sums[kPolicyTokens]);
  statistics.tokens += sums[kPolicyTokens];
  statistics.policy_loss += sums[kPolicyLoss];
  statistics.clipped += sums[kClipped];
  if (first_epoch) {
    statistics.entropy += sums[kEntropy];
    statistics.entropy_tokens += sums[kPolicyTokens];
  }
}

void PpoUpdater::update_value(const Shares& shares, std::int64_t step, UpdateStatistics& statistics) {
  const int first_own = value_sum_.own().begin;
  const auto sums = value_sum_.accumulate(kValueColumns, [&](int grain) {
    return in_micro_batches(shares[static_cast<std::size_t>(grain - first_own)], kValueColumns,
                            [&](auto part) { return value_pass(part); });
  });
  statistics.value_gradient_norm += value_optimizer_.step(value_rate(step), 1.0 / sums[kValueTokens]);
  statistics.value_loss += sums[kValueLoss];
}

UpdateStatistics PpoUpdater::update(const Experience& experience, std::int64_t step) {
  UpdateStatistics statistics;
  for (int epoch = 0; epoch < options_.epochs; ++epoch) {
    for (const Shares& shares : minibatches(experience, step, epoch)) {
      update_policy(shares, step, epoch == 0, statistics);
      update_value(shares, step, statistics);
      statistics.updates += 1.0;
    }
  }
  return statistics;
}

std::vector<model::NamedTensor> PpoUpdater::state() const {
  std::vector<model::NamedTensor> all;
  append_prefixed(all, "policy.", policy_.trainable_parameters());
  append_prefixed(all, "value.", value_.trainable_parameters());
  append_prefixed(all, "policy_optimizer.", policy_optimizer_.state());
  append_prefixed(all, "value_optimizer.", value_optimizer_.state());
  return all;
}

void PpoUpdater::load_state(const std::vector<model::NamedTensor>& state) {
  copy_tensors(policy_.trainable_parameters(), without_prefix(state, "policy."));
  copy_tensors(value_.trainable_parameters(), without_prefix(state, "value."));
  policy_optimizer_.load_state(without_prefix(state, "policy_optimizer."));
  value_optimizer_.load_state(without_prefix(state, "value_optimizer."));
}

}  // namespace rlaif::train
