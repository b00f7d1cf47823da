// REINFORCE with a baseline: the mean reward of the step, or the reward of the prompt's greedy response (ReMax, Li et
// al. 2310.10505).
#include "algorithms.hpp"
#include "critic_free.hpp"

namespace rlaif::stages {

std::unique_ptr<Algorithm> make_reinforce() {
  using train::AdvantageEstimator, train::KlEstimator, train::KlPlace, train::LossSum, train::RatioLevel;
  CriticFreeKind kind;
  kind.name = "reinforce";
  kind.advantages = {{"batch", AdvantageEstimator::batch}, {"greedy", AdvantageEstimator::greedy}};
  kind.defaults = critic_free_defaults();
  kind.defaults.kl.coefficient = 0.05;
  kind.choices = critic_free_choices(AdvantageEstimator::batch);
  kind.presets = {{"reinforce_pp",
                   "REINFORCE++: the batch's mean and deviation, a sum by token, k1 in the reward (Hu 2501.03262)",
                   {.advantage = AdvantageEstimator::batch,
                    .ratio = RatioLevel::token,
                    .sum = LossSum::token,
                    .kl = KlTerm{KlPlace::reward, KlEstimator::k1},
                    .whiten_advantages = true}}};
  return make_critic_free(std::move(kind));
}

}  // namespace rlaif::stages
