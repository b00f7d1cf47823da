// REINFORCE leave-one-out (Ahmadian et al. 2402.14740): a response is held against the mean of the others to its
// prompt.
#include "algorithms.hpp"
#include "critic_free.hpp"

namespace rlaif::stages {

std::unique_ptr<Algorithm> make_rloo() {
  using train::AdvantageEstimator;
  CriticFreeKind kind;
  kind.name = "rloo";
  kind.advantages = {{"leave_one_out", AdvantageEstimator::leave_one_out}};
  kind.least_responses = 2;
  kind.defaults = critic_free_defaults();
  kind.defaults.rollout.prompts_per_step = 32;
  kind.defaults.rollout.responses = 4;
  kind.defaults.kl.coefficient = 0.05;
  kind.choices = critic_free_choices(AdvantageEstimator::leave_one_out);
  return make_critic_free(std::move(kind));
}

}  // namespace rlaif::stages
