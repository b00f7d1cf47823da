#include "rlaif/train/policy_loss.hpp"

#include <algorithm>
#include <vector>

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

torch::Tensor probability_ratio(const torch::Tensor& new_log_probs_M, const torch::Tensor& old_log_probs_M,
                                std::span<const std::int64_t> lengths, RatioLevel level) {
  const auto difference_M = new_log_probs_M - old_log_probs_M;
  if (level == RatioLevel::token) return difference_M.exp();
  std::vector<torch::Tensor> means;
  for (const auto& of_response : difference_M.split_with_sizes(at::IntArrayRef(lengths.data(), lengths.size())))
    means.push_back(of_response.mean().expand({of_response.size(0)}));
  return torch::cat(means).exp();
}

torch::Tensor clipped_policy_loss(const torch::Tensor& ratio_M, const torch::Tensor& advantages_M,
                                  const PolicyLossOptions& options) {
  const auto losses_M = torch::maximum(-advantages_M * ratio_M,
                                       -advantages_M * ratio_M.clamp(1.0 - options.clip_low, 1.0 + options.clip_high));
  if (options.dual_clip == 0.0) return losses_M;
  return torch::where(advantages_M < 0.0, torch::minimum(losses_M, -advantages_M * options.dual_clip), losses_M);
}

LossWeight loss_weight(std::int64_t length, bool masked, LossSum sum, std::int64_t max_new_tokens) {
  if (masked) return {0.0, 0.0};
  const auto tokens = static_cast<double>(length);
  switch (sum) {
    case LossSum::token: return {1.0, tokens};
    case LossSum::response: return {1.0 / tokens, 1.0};
    case LossSum::constant: return {1.0, static_cast<double>(max_new_tokens)};
  }
  RLAIF_CHECK(false, "a known sum of losses");
}

double overlong_penalty(double length, double longest, double buffer) {
  if (buffer <= 0.0) return 0.0;
  return -std::clamp((length - (longest - buffer)) / buffer, 0.0, 1.0);
}

torch::Tensor clipped_value_loss(const torch::Tensor& values, const torch::Tensor& old_values,
                                 const torch::Tensor& returns, double clip) {
  const auto clipped = torch::maximum(torch::minimum(values, old_values + clip), old_values - clip);
  return 0.5 * torch::maximum((values - returns).square(), (clipped - returns).square());
}

}  // namespace rlaif::train
