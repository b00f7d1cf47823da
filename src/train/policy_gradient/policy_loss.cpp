#include "rlaif/train/policy_loss.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::train {

torch::Tensor kl_estimate(const torch::Tensor& policy_log_probs, const torch::Tensor& reference_log_probs,
                          KlEstimator estimator) {
  const auto difference = policy_log_probs - reference_log_probs;
  switch (estimator) {
    case KlEstimator::k1: return difference;
    case KlEstimator::k2: return 0.5 * difference.square();
    case KlEstimator::k3:
      // expm1 keeps the small values that exp(-d) - 1 would round away.
      return torch::expm1(-difference) + difference;
  }
  RLAIF_CHECK(false, "a known KL estimator");
}

torch::Tensor clipped_policy_loss(const torch::Tensor& ratio_M, const torch::Tensor& advantages_M,
                                  const PolicyLossOptions& options) {
  return torch::maximum(-advantages_M * ratio_M,
                        -advantages_M * ratio_M.clamp(1.0 - options.clip_low, 1.0 + options.clip_high));
}

torch::Tensor clipped_value_loss(const torch::Tensor& values, const torch::Tensor& old_values,
                                 const torch::Tensor& returns, double clip) {
  const auto clipped = torch::maximum(torch::minimum(values, old_values + clip), old_values - clip);
  return 0.5 * torch::maximum((values - returns).square(), (clipped - returns).square());
}

}  // namespace rlaif::train
