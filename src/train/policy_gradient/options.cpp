#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/train/policy_gradient_options.hpp"

namespace rlaif::train {

namespace {

bool is_over_groups(AdvantageEstimator advantage) {
  return advantage == AdvantageEstimator::group || advantage == AdvantageEstimator::group_mean ||
         advantage == AdvantageEstimator::leave_one_out;
}

}  // namespace

void check_policy_gradient_options(const PolicyGradientOptions& options, const std::string& where) {
  const auto require = [&](bool holds, const std::string& expected) {
    if (!holds) throw usage_error(where + ": " + expected);
  };
  const RolloutOptions& rollout = options.rollout;
  const PolicyLossOptions& loss = options.loss;
  const KlOptions& kl = options.kl;
  require(rollout.prompts_per_step >= 1, "prompts_per_step of at least 1 was expected");
  require(rollout.responses >= 1, "responses = " + std::to_string(rollout.responses) + ": at least 1 was expected");
  require(!is_over_groups(options.advantage) || rollout.responses >= 2,
          "responses = " + std::to_string(rollout.responses) +
              ": an advantage over a prompt's responses needs at least 2 of them");
  require(options.minibatch >= 1, "a minibatch of at least 1 was expected");
  require(options.epochs >= 1, "at least 1 epoch was expected");
  require(rollout.redraws >= 0, "redraws of at least 0 were expected");
  require(rollout.max_new_tokens >= 1, "max_new_tokens of at least 1 was expected");
  require(rollout.temperature > 0.0, "a temperature above 0 was expected: a greedy policy has no gradient");
  require(rollout.overlong_share >= 0.0 && rollout.overlong_share <= 1.0,
          "an overlong_share from 0 to 1 was expected, of max_new_tokens");
  require(kl.target <= 0.0 || kl.horizon > 0.0, "a kl_horizon above 0 was expected");
  require(kl.place != KlPlace::loss || kl.estimator != KlEstimator::k1,
          "k1 in the loss has a gradient of mean 0: k2, or k1 in the reward, was expected");
  require(options.advantage != AdvantageEstimator::gae || kl.place == KlPlace::reward,
          "the KL in the reward was expected with advantages over a value model");
  require(loss.clip_low > 0.0 && loss.clip_high > 0.0 && std::isfinite(loss.clip_low) && std::isfinite(loss.clip_high),
          "clip and clip_high above 0 were expected");
  require(loss.clip_low <= loss.clip_high, "clip_high of at least clip was expected, the bounds would cross");
  require(loss.dual_clip == 0.0 || loss.dual_clip > 1.0 + loss.clip_high,
          "a dual_clip above 1 + clip_high was expected, the bounds would cross; 0: off");
}

}  // namespace rlaif::train
