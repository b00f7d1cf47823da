#include "policy_update.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "../tensors.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/policy_loss.hpp"

namespace rlaif::train {

namespace {

enum PolicyColumn : std::size_t {
  kPolicyTokens,
  kPolicyDenominator,
  kPolicyLoss,
  kPolicyClipped,
  kPolicyEntropy,
  kPolicyKl,
  kPolicyRatio,
  kPolicyColumns
};

// Engine and training pass compute the same log-probabilities in other orders of addition: measured below 1e-5.
constexpr double kRatioTolerance = 1e-3;

// What the losses of some responses' tokens weigh.
struct TokenWeights {
  std::vector<std::int64_t> lengths;  // of the responses
  torch::Tensor of_token_M;
  bool all_one = true;
  double denominator = 0.0;
};

TokenWeights token_weights(std::span<const Response* const> responses, const PolicyGradientOptions& options,
                           torch::Device device) {
  TokenWeights weights;
  std::vector<float> of_token;
  for (const Response* response : responses) {
    const bool masked = options.loss.mask_truncated && !response->ended;
    const auto length = static_cast<std::int64_t>(response->actions.size());
    const LossWeight weight = loss_weight(length, masked, options.loss.sum, options.rollout.max_new_tokens);
    weights.lengths.push_back(length);
    weights.denominator += weight.denominator;
    weights.all_one = weights.all_one && weight.of_token == 1.0;
    of_token.insert(of_token.end(), response->actions.size(), static_cast<float>(weight.of_token));
  }
  weights.of_token_M = torch::tensor(of_token).to(device);
  return weights;
}

}  // namespace

PolicyUpdate::PolicyUpdate(model::Transformer& policy, const PolicyGradientOptions& options, const SharedBase& shared,
                           const StageRun& run)
    : policy_(policy),
      options_(options),
      run_(run),
      shared_(shared),
      parameters_({{"policy", policy.trainable_parameters()}}),
      optimizer_(parameters_, options.adam, run.state_shards()),
      sum_(run, parameters_) {}

double PolicyUpdate::rate(std::int64_t step) const {
  const int waits = options_.critic.only_steps;
  return step < waits ? 0.0 : scheduled_rate(options_.schedule, step - waits, options_.steps - waits);
}

std::vector<double> PolicyUpdate::pass(std::span<const Response* const> responses, bool first_epoch, bool backward) {
  std::vector<double> row(kPolicyColumns, 0.0);
  if (responses.empty()) return row;
  const torch::AutoGradMode gradients(backward);
  const auto device = policy_.device();
  const PolicyLossOptions& how = options_.loss;
  const auto batch = make_action_batch(responses, device, shared_.trunk_layers);
  const auto old_M = join(responses, &Response::old_log_probs, device);
  const auto advantages_M = join(responses, &Response::advantages, device);
  const TokenWeights weights = token_weights(responses, options_, device);
  torch::Tensor entropy_M;
  const auto new_M = chosen_log_probs(action_states(policy_, batch), policy_.output_Vd, batch.targets_M,
                                      options_.rollout.temperature, first_epoch ? &entropy_M : nullptr);
  const auto ratio_M = probability_ratio(new_M, old_M, weights.lengths, how.ratio);
  auto losses_M = clipped_policy_loss(ratio_M, advantages_M, how);
  if (options_.kl.place == KlPlace::loss) {
    const auto reference_M = join(responses, &Response::reference_log_probs, device);
    const auto kl_M = kl_estimate(new_M, reference_M, options_.kl.estimator);
    losses_M = losses_M + options_.kl.coefficient * kl_M;
    row[kPolicyKl] = kl_M.sum().item<double>();
  }
  const auto loss = (weights.all_one ? losses_M : losses_M * weights.of_token_M).sum();
  if (backward) loss.backward();

  const torch::NoGradGuard no_gradients;
  const double deviation = ((new_M - old_M).exp() - 1.0).abs().max().item<double>();
  // NaN must not pass as the smaller of two numbers.
  if (!(deviation <= own_deviation_)) own_deviation_ = deviation;
  own_least_ = std::min(own_least_, ratio_M.min().item<double>());
  own_most_ = std::max(own_most_, ratio_M.max().item<double>());
  const auto above_M = ratio_M - 1.0;
  row[kPolicyTokens] = static_cast<double>(batch.size());
  row[kPolicyDenominator] = weights.denominator;
  row[kPolicyLoss] = loss.item<double>();
  row[kPolicyRatio] = ratio_M.to(torch::kFloat64).sum().item<double>();
  row[kPolicyClipped] = ((above_M > how.clip_high) | (above_M < -how.clip_low)).sum().item<double>();
  if (first_epoch) row[kPolicyEntropy] = entropy_M.to(torch::kFloat64).sum().item<double>();
  return row;
}

void PolicyUpdate::check_deviation(std::int64_t step, UpdateStatistics& statistics) const {
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

void PolicyUpdate::update(const Shares& shares, std::int64_t step, bool first_epoch, UpdateStatistics& statistics) {
  const bool frozen = step < options_.critic.only_steps;
  own_deviation_ = 0.0;
  const int first_own = sum_.own().begin;
  const auto of_grain = [&](int grain) {
    return in_micro_batches(shares[static_cast<std::size_t>(grain - first_own)], run_.micro_batch_tokens,
                            kPolicyColumns, [&](auto part) { return pass(part, first_epoch, !frozen); });
  };
  const auto sums = frozen ? sum_grain_rows(*run_.comm, run_.grains, kPolicyColumns, of_grain)
                           : sum_.accumulate(kPolicyColumns, of_grain);
  if (statistics.updates == 0) check_deviation(step, statistics);
  if (!frozen && sums[kPolicyDenominator] > 0.0)
    statistics.gradient_norm += optimizer_.step(rate(step), 1.0 / sums[kPolicyDenominator]);
  statistics.tokens += sums[kPolicyTokens];
  statistics.denominator += sums[kPolicyDenominator];
  statistics.ratio += sums[kPolicyRatio];
  statistics.policy_kl += sums[kPolicyKl];
  statistics.policy_loss += sums[kPolicyLoss];
  statistics.clipped += sums[kPolicyClipped];
  if (first_epoch) {
    statistics.entropy += sums[kPolicyEntropy];
    statistics.entropy_tokens += sums[kPolicyTokens];
  }
}

void PolicyUpdate::end_step(UpdateStatistics& statistics) {
  double extremes[] = {-own_least_, own_most_};
  run_.comm->all_reduce_max(extremes);
  statistics.ratio_least = -extremes[0];
  statistics.ratio_most = extremes[1];
  own_least_ = HUGE_VAL;
  own_most_ = -HUGE_VAL;
}

void PolicyUpdate::append_state(std::vector<model::NamedTensor>& all) const {
  append_prefixed(all, "policy.", policy_.trainable_parameters());
  append_prefixed(all, "policy_optimizer.", optimizer_.state());
}

void PolicyUpdate::load_state(const std::vector<model::NamedTensor>& state) {
  copy_tensors(policy_.trainable_parameters(), without_prefix(state, "policy."));
  optimizer_.load_state(without_prefix(state, "policy_optimizer."));
}

}  // namespace rlaif::train
