// The value model: what it expects of every token before an update, and its own updates. Private to train.
//   critic.estimate(responses, batch, reference_states_Md);   // fills their values
//   critic.update(shares, step, statistics);
#pragma once

#include <vector>

#include "minibatches.hpp"
#include "rlaif/train/optimizer.hpp"

namespace rlaif::train {

class Critic {
 public:
  Critic(model::ScalarModel& value, const PolicyGradientOptions& options, const SharedBase& shared,
         const StageRun& run);
  // Values before each action of the responses, which the batch holds in their order. `reference_Md`: the reference's
  // states before the actions.
  void estimate(std::span<Response> responses, const ActionBatch& batch, const torch::Tensor& reference_Md) const;
  // One update on a minibatch. Collective.
  void update(const Shares& shares, std::int64_t step, UpdateStatistics& statistics);
  double rate(std::int64_t step) const;

  void append_state(std::vector<model::NamedTensor>& all) const;
  void load_state(const std::vector<model::NamedTensor>& state);

 private:
  std::vector<double> pass(std::span<const Response* const> responses);

  model::ScalarModel& value_;
  const PolicyGradientOptions& options_;
  const StageRun& run_;
  SharedBase shared_;
  FlatParameters parameters_;
  AdamW optimizer_;
  DataParallel sum_;
};

}  // namespace rlaif::train
