#include "critic.hpp"

#include "../tensors.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/policy_loss.hpp"

namespace rlaif::train {

namespace {

enum ValueColumn : std::size_t { kValueTokens, kValueLoss, kValueColumns };

}  // namespace

Critic::Critic(model::ScalarModel& value, const PolicyGradientOptions& options, const SharedBase& shared,
               const StageRun& run)
    : value_(value),
      options_(options),
      run_(run),
      shared_(shared),
      parameters_({{"value", value.trainable_parameters()}}),
      optimizer_(parameters_, options.adam, run.state_shards()),
      sum_(run, parameters_) {}

double Critic::rate(std::int64_t step) const {
  ScheduleOptions schedule = options_.schedule;
  schedule.learning_rate *= options_.critic.learning_rate_scale;
  schedule.warmup_steps = 0;
  return scheduled_rate(schedule, step, options_.steps);
}

void Critic::estimate(std::span<Response> responses, const ActionBatch& batch,
                      const torch::Tensor& reference_Md) const {
  const auto states_Md = shared_.value_on_base ? reference_Md : action_states(value_.body, batch);
  const auto values_M = value_.values_N(states_Md).to(torch::kCPU).contiguous();
  const float* next = values_M.const_data_ptr<float>();
  std::int64_t row = 0;
  for (Response& response : responses) {
    const auto length = static_cast<std::int64_t>(response.actions.size());
    response.values.assign(next + row, next + row + length);
    if (shared_.value_on_base) response.value_features_Td = states_Md.narrow(0, row, length);
    row += length;
  }
}

std::vector<double> Critic::pass(std::span<const Response* const> responses) {
  std::vector<double> row(kValueColumns, 0.0);
  if (responses.empty()) return row;
  const auto device = value_.body.device();
  const auto states = [&] {
    if (!shared_.value_on_base)
      return action_states(value_.body, make_action_batch(responses, device, shared_.trunk_layers));
    std::vector<torch::Tensor> features;
    for (const Response* response : responses) features.push_back(response->value_features_Td);
    return torch::cat(features);
  };
  const auto values_M = value_.values_N(states());
  const auto loss = clipped_value_loss(values_M, join(responses, &Response::values, device),
                                       join(responses, &Response::returns, device), options_.critic.clip)
                        .sum();
  loss.backward();
  row[kValueTokens] = static_cast<double>(values_M.numel());
  row[kValueLoss] = loss.item<double>();
  return row;
}

void Critic::update(const Shares& shares, std::int64_t step, UpdateStatistics& statistics) {
  const int first_own = sum_.own().begin;
  const auto sums = sum_.accumulate(kValueColumns, [&](int grain) {
    return in_micro_batches(shares[static_cast<std::size_t>(grain - first_own)], run_.micro_batch_tokens, kValueColumns,
                            [&](auto part) { return pass(part); });
  });
  statistics.value_gradient_norm += optimizer_.step(rate(step), 1.0 / sums[kValueTokens]);
  statistics.value_loss += sums[kValueLoss];
  statistics.value_tokens += sums[kValueTokens];
}

void Critic::append_state(std::vector<model::NamedTensor>& all) const {
  append_prefixed(all, "value.", value_.trainable_parameters());
  append_prefixed(all, "value_optimizer.", optimizer_.state());
}

void Critic::load_state(const std::vector<model::NamedTensor>& state) {
  copy_tensors(value_.trainable_parameters(), without_prefix(state, "value."));
  optimizer_.load_state(without_prefix(state, "value_optimizer."));
}

}  // namespace rlaif::train
