// The second half of a step: clipped updates of the policy. Private to train.
//   policy_update.update(shares, step, first_epoch, statistics);
#pragma once

#include <cmath>
#include <vector>

#include "minibatches.hpp"
#include "rlaif/train/optimizer.hpp"

namespace rlaif::train {

class PolicyUpdate {
 public:
  PolicyUpdate(model::Transformer& policy, const PolicyGradientOptions& options, const SharedBase& shared,
               const StageRun& run);
  // One update on a minibatch; none where all its responses are masked. Collective. Throws Error(internal) where the
  // ratio of the step's first minibatch is not 1 within rounding.
  void update(const Shares& shares, std::int64_t step, bool first_epoch, UpdateStatistics& statistics);
  // The extremes of the ratio over the step's minibatches, over all ranks. Collective.
  void end_step(UpdateStatistics& statistics);
  double rate(std::int64_t step) const;

  void append_state(std::vector<model::NamedTensor>& all) const;
  void load_state(const std::vector<model::NamedTensor>& state);

 private:
  std::vector<double> pass(std::span<const Response* const> responses, bool first_epoch, bool backward);
  // Of the ratio to 1, over all ranks, in the step's first minibatch.
  void check_deviation(std::int64_t step, UpdateStatistics& statistics) const;

  model::Transformer& policy_;
  const PolicyGradientOptions& options_;
  const StageRun& run_;
  SharedBase shared_;
  FlatParameters parameters_;
  AdamW optimizer_;
  DataParallel sum_;
  double own_deviation_ = 0;                            // largest |ratio - 1| of a token, of this rank's last pass
  double own_least_ = HUGE_VAL, own_most_ = -HUGE_VAL;  // of this rank's ratios in the step
};

}  // namespace rlaif::train
