// The second half of a PPO step: clipped updates of the policy and the value model. Private to train.
#pragma once

#include <functional>
#include <vector>

#include "experience.hpp"
#include "rlaif/train/optimizer.hpp"

namespace rlaif::train {

// Over all minibatches of a step, equal on every rank.
struct UpdateStatistics {
  double tokens = 0, policy_loss = 0, clipped = 0;    // sums
  double entropy = 0, entropy_tokens = 0;             // sums over the first epoch
  double value_loss = 0;                              // sum
  double gradient_norm = 0, value_gradient_norm = 0;  // sums over updates
  double updates = 0;
  double ratio_max_deviation = 0;  // |ratio - 1| in the first minibatch
};

class PpoUpdater {
 public:
  PpoUpdater(model::Transformer& policy, model::ScalarModel& value, const PpoOptions& options, const SharedBase& shared,
             const StageRun& run);
  // Collective. Throws Error(internal) where the first minibatch's ratio is not 1 within rounding.
  UpdateStatistics update(const Experience& experience, std::int64_t step);
  double policy_rate(std::int64_t step) const;
  double value_rate(std::int64_t step) const;

  std::vector<model::NamedTensor> state() const;
  void load_state(const std::vector<model::NamedTensor>& state);

 private:
  // The responses of each own grain that fall to a minibatch.
  using Shares = std::vector<std::vector<const Response*>>;
  std::vector<Shares> minibatches(const Experience& experience, std::int64_t step, int epoch) const;
  void update_policy(const Shares& shares, std::int64_t step, bool first_epoch, UpdateStatistics& statistics);
  void update_value(const Shares& shares, std::int64_t step, UpdateStatistics& statistics);
  // Sums of the rows that `pass` returns for parts of some responses of at most run.micro_batch_tokens.
  std::vector<double> in_micro_batches(
      std::span<const Response* const> responses, std::size_t width,
      const std::function<std::vector<double>(std::span<const Response* const>)>& pass) const;
  std::vector<double> policy_pass(std::span<const Response* const> responses, bool first_epoch, bool backward);
  std::vector<double> value_pass(std::span<const Response* const> responses);

  model::Transformer& policy_;
  model::ScalarModel& value_;
  const PpoOptions& options_;
  const StageRun& run_;
  SharedBase shared_;
  FlatParameters policy_parameters_, value_parameters_;
  AdamW policy_optimizer_, value_optimizer_;
  DataParallel policy_sum_, value_sum_;
  double own_deviation_ = 0;  // largest |ratio - 1| of this rank's last policy pass
};

}  // namespace rlaif::train
