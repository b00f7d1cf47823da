// The losses of policy and value model as functions of log-probabilities and advantages: no model, no communication.
//
//   const torch::Tensor ratio_M = (new_log_probs_M - old_log_probs_M).exp();
//   const torch::Tensor losses_M = clipped_policy_loss(ratio_M, advantages_M, options);
#pragma once

#include "rlaif/model/tensor.hpp"
#include "rlaif/train/policy_gradient_options.hpp"

namespace rlaif::train {

// Per token.
torch::Tensor kl_estimate(const torch::Tensor& policy_log_probs, const torch::Tensor& reference_log_probs,
                          KlEstimator estimator);

// Clipped surrogate per token, max(-A r, -A clip(r, 1 - clip_low, 1 + clip_high)) with r the ratio of new to old
// probabilities (Schulman et al. 1707.06347, eq. 7).
torch::Tensor clipped_policy_loss(const torch::Tensor& ratio_M, const torch::Tensor& advantages_M,
                                  const PolicyLossOptions& options);

// 0.5 max((v - R)^2, (clip(v, old - c, old + c) - R)^2) per token.
torch::Tensor clipped_value_loss(const torch::Tensor& values, const torch::Tensor& old_values,
                                 const torch::Tensor& returns, double clip);

}  // namespace rlaif::train
