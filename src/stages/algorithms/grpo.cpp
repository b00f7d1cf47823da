// Group relative policy optimisation (Shao et al. 2402.03300) and what has been made of it: a response is held against
// the others to its prompt.
#include "algorithms.hpp"
#include "critic_free.hpp"

namespace rlaif::stages {

std::unique_ptr<Algorithm> make_grpo() {
  using train::AdvantageEstimator, train::KlEstimator, train::KlPlace, train::LossSum, train::RatioLevel;
  CriticFreeKind kind;
  kind.name = "grpo";
  kind.advantages = {{"group", AdvantageEstimator::group}, {"group_mean", AdvantageEstimator::group_mean}};
  kind.least_responses = 2;
  kind.defaults = critic_free_defaults();
  kind.defaults.rollout.prompts_per_step = 16;
  kind.defaults.rollout.responses = 8;
  kind.defaults.kl.coefficient = 0.04;
  kind.choices = critic_free_choices(AdvantageEstimator::group);
  kind.choices.sum = LossSum::response;
  kind.choices.kl = KlTerm{KlPlace::loss, KlEstimator::k2};
  kind.presets = {
      {"dr_grpo",
       "GRPO without the deviation and the responses' lengths (Liu et al. 2503.20783)",
       {.advantage = AdvantageEstimator::group_mean, .sum = LossSum::constant}},
      {"dapo",
       "a sum by token, clip_high 0.28, silent groups drawn again, a penalty of length, no KL (Yu et al. 2503.14476)",
       {.advantage = AdvantageEstimator::group,
        .ratio = RatioLevel::token,
        .sum = LossSum::token,
        .kl = KlTerm{KlPlace::none},
        .silent_groups = SilentGroups::redraw,
        .clip = 0.2,
        .clip_high = 0.28,
        .overlong_share = 0.2}},
      {"gspo",
       "one ratio a response, held to 1 - 3e-4 and 1 + 4e-4 (Zheng et al. 2507.18071)",
       {.advantage = AdvantageEstimator::group,
        .ratio = RatioLevel::sequence,
        .sum = LossSum::response,
        .clip = 3e-4,
        .clip_high = 4e-4}},
  };
  return make_critic_free(std::move(kind));
}

}  // namespace rlaif::stages
