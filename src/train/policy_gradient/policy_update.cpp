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

enum Column : std::size_t { kTokens, kLoss, kClipped, kEntropy, kColumns };

// Engine and training pass compute the same log-probabilities in other orders of addition: measured below 1e-5.
constexpr double kRatioTolerance = 1e-3;

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
  std::vector<double> row(kColumns, 0.0);
  if (responses.empty()) return row;
  const torch::AutoGradMode gradients(backward);
  const auto device = policy_.device();
  const auto batch = make_action_batch(responses, device, shared_.trunk_layers);
  const auto old_M = join(responses, &Response::old_log_probs, device);
  const auto advantages_M = join(responses, &Response::advantages, device);
  torch::Tensor entropy_M;
  const auto new_M = chosen_log_probs(action_states(policy_, batch), policy_.output_Vd, batch.targets_M,
                                      options_.rollout.temperature, first_epoch ? &entropy_M : nullptr);
  const auto ratio_M = (new_M - old_M).exp();
  const auto loss = clipped_policy_loss(ratio_M, advantages_M, options_.loss).sum();
  if (backward) loss.backward();

  const torch::NoGradGuard no_gradients;
  const auto above_M = ratio_M - 1.0;
  const double deviation = above_M.abs().max().item<double>();
  // NaN must not pass as the smaller of two numbers.
  if (!(deviation <= own_deviation_)) own_deviation_ = deviation;
  row[kTokens] = static_cast<double>(batch.size());
  row[kLoss] = loss.item<double>();
  row[kClipped] = ((above_M > options_.loss.clip_high) | (above_M < -options_.loss.clip_low)).sum().item<double>();
  if (first_epoch) row[kEntropy] = entropy_M.to(torch::kFloat64).sum().item<double>();
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
    return in_micro_batches(shares[static_cast<std::size_t>(grain - first_own)], run_.micro_batch_tokens, kColumns,
                            [&](auto part) { return pass(part, first_epoch, !frozen); });
  };
  const auto sums =
      frozen ? sum_grain_rows(*run_.comm, run_.grains, kColumns, of_grain) : sum_.accumulate(kColumns, of_grain);
  if (statistics.updates == 0) check_deviation(step, statistics);
  if (!frozen) statistics.gradient_norm += optimizer_.step(rate(step), 1.0 / sums[kTokens]);
  statistics.tokens += sums[kTokens];
  statistics.policy_loss += sums[kLoss];
  statistics.clipped += sums[kClipped];
  if (first_epoch) {
    statistics.entropy += sums[kEntropy];
    statistics.entropy_tokens += sums[kTokens];
  }
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
