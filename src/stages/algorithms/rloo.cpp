// REINFORCE leave-one-out (Ahmadian et al. 2402.14740): a response is held against the mean of the others to its
// prompt.
#include "algorithms.hpp"
#include "critic_free.hpp"

namespace rlaif::stages {

std::unique_ptr<Algorithm> make_rloo() {
  using train::AdvantageEstimator, train::KlEstimator, train::KlPlace, train::LossSum, train::RatioLevel;
  CriticFreeKind kind;
  kind.name = "rloo";
  kind.advantages = {{"leave_one_out", AdvantageEstimator::leave_one_out}};
  kind.least_responses = 2;
  kind.defaults = critic_free_defaults();
  kind.defaults.rollout.prompts_per_step = 32;
  kind.defaults.rollout.responses = 4;
  kind.defaults.kl.coefficient = 0.05;
  kind.choices = {.advantage = AdvantageEstimator::leave_one_out,
                  .ratio = RatioLevel::token,
                  .sum = LossSum::constant,
                  .kl = KlTerm{KlPlace::reward, KlEstimator::k1},
                  .silent_groups = SilentGroups::keep,
                  .whiten_advantages = false,
                  .clip = 0.2,
                  .dual_clip = 0.0,
                  .overlong_share = 0.0};
  return make_critic_free(std::move(kind));
}

}  // namespace rlaif::stages
