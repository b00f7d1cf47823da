// Draws the policy's responses to prompts and has them scored. Private to train.
//   Rollouts rollouts(policy, callbacks, options, shared, run);
//   rollouts.take_weights();                              // once a step
//   const std::vector<Drawn> drawn = rollouts.draw(places);
//   const std::vector<double> scores = rollouts.scores(drawn);
#pragma once

#include <vector>

#include "responses.hpp"
#include "rlaif/generate/engine.hpp"

namespace rlaif::train {

class Rollouts {
 public:
  Rollouts(const model::Transformer& policy, const PolicyGradientCallbacks& callbacks,
           const PolicyGradientOptions& options, const SharedBase& shared, const StageRun& run);
  // The engine draws from the policy as it is now.
  void take_weights() { policy_.merge_into(sampled_); }
  // options.rollout.responses to each of the prompts at some places of the run; those to one prompt stand next to each
  // other.
  std::vector<Drawn> draw(std::span<const std::int64_t> places);
  // The likeliest token at every place: one response a prompt.
  std::vector<Drawn> draw_greedily(std::span<const std::int64_t> places);
  // One number a response. Throws Error(input) naming the prompt of one that is infinite, and with a value model of
  // NaN.
  std::vector<double> scores(std::span<const Drawn> drawn) const;
  std::vector<double> monitored(std::span<const Drawn> drawn) const;  // 0 where nothing is monitored
  // What the judge was asked for the scores since the last call; nothing where none is.
  Asked asked_since() const { return callbacks_.asked ? callbacks_.asked() : Asked(); }
  // What a score becomes by a missing end and by length.
  double with_penalties(double score, const Completion& completion) const;

 private:
  Drawn asked(std::int64_t place) const;
  std::vector<Drawn> draw(std::span<const std::int64_t> places, int responses, double temperature);
  void add_trunks(std::span<Drawn> drawn) const;
  std::vector<double> checked(std::vector<double> scores, std::span<const Drawn> drawn, const char* what,
                              bool may_be_missing) const;

  const model::Transformer& policy_;
  const PolicyGradientCallbacks& callbacks_;
  const PolicyGradientOptions& options_;
  const StageRun& run_;
  SharedBase shared_;
  model::Transformer sampled_;  // the policy as the engine reads it, its adapter merged
  generate::Engine engine_;
};

}  // namespace rlaif::train
