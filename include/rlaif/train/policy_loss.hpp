// The losses of policy and value model as functions of log-probabilities and advantages: no model, no communication.
//
//   const torch::Tensor ratio_M = probability_ratio(new_M, old_M, lengths, RatioLevel::token);
//   const torch::Tensor losses_M = clipped_policy_loss(ratio_M, advantages_M, options);
#pragma once

#include <cstdint>
#include <span>

#include "rlaif/model/tensor.hpp"
#include "rlaif/train/policy_gradient_options.hpp"

namespace rlaif::train {

// Per token.
torch::Tensor kl_estimate(const torch::Tensor& policy_log_probs, const torch::Tensor& reference_log_probs,
                          KlEstimator estimator);

// The ratio of new to old probabilities for each token, [M], of responses of `lengths` tokens laid end to end: of a
// sequence, its exp(mean over tokens of new - old) for every token (Zheng et al. 2507.18071, eq. 7).
torch::Tensor probability_ratio(const torch::Tensor& new_log_probs_M, const torch::Tensor& old_log_probs_M,
                                std::span<const std::int64_t> lengths, RatioLevel level);

// Clipped surrogate per token, max(-A r, -A clip(r, 1 - clip_low, 1 + clip_high)) with r the ratio of new to old
// probabilities (Schulman et al. 1707.06347, eq. 7); where A < 0 and there is a dual clip c, at most -A c.
torch::Tensor clipped_policy_loss(const torch::Tensor& ratio_M, const torch::Tensor& advantages_M,
                                  const PolicyLossOptions& options);

// How the losses of some responses' tokens are summed: `of_token` is the weight of each token of a response. Over all
// responses of an update the weighted sum is divided by the sum of `denominator`.
struct LossWeight {
  double of_token = 1.0, denominator = 0.0;
};
// Of a response of `length` tokens. One that is masked has no weight and adds nothing to the denominator.
LossWeight loss_weight(std::int64_t length, bool masked, LossSum sum, std::int64_t max_new_tokens);

// From 0 to -1, of a response of `length` tokens where `longest` are possible: 0 up to longest - buffer tokens, then
// falling linearly, -1 from `longest` on (Yu et al. 2503.14476, eq. 13). A buffer of 0 tokens penalises nothing.
double overlong_penalty(double length, double longest, double buffer);

// 0.5 max((v - R)^2, (clip(v, old - c, old + c) - R)^2) per token.
torch::Tensor clipped_value_loss(const torch::Tensor& values, const torch::Tensor& old_values,
                                 const torch::Tensor& returns, double clip);

}  // namespace rlaif::train
