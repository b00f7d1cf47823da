// The mathematics of training as free functions on tensors and spans: no communication, no configuration.
#pragma once

#include <span>
#include <vector>

#include "rlaif/model/tensor.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::train {

// log softmax(logits / temperature) at the targets. logits: [M, V], targets: int64 [M] -> [M]. One autograd node
// whose backward pass needs only the logits and their log-sum-exp.
torch::Tensor token_log_probs(const torch::Tensor& logits_MV, const torch::Tensor& targets_M, double temperature = 1.0);
// Entropy of softmax(logits / temperature), [M]; no gradient.
torch::Tensor token_entropy(const torch::Tensor& logits_MV, double temperature = 1.0);
// The same from the states and the output matrix, without the logits of all rows: log softmax(hidden W^T / temperature)
// at the targets, differentiable in hidden [M, d] and W [V, d]. Rows are taken in chunks of about 2^24 logits. As every
// row has one upstream scalar g, d hidden = g (W[target] - p W) / temperature is ready in the forward pass; the softmax
// is rebuilt in the backward pass only for dW, and only where there is more than one chunk. `entropy_M`, where given,
// receives the entropies, [M], without gradient. Batches of small vocabularies go through logits and token_log_probs.
torch::Tensor chosen_log_probs(const torch::Tensor& hidden_Md, const torch::Tensor& output_Vd,
                               const torch::Tensor& targets_M, double temperature = 1.0,
                               torch::Tensor* entropy_M = nullptr);

// -(p log sigma(m) + (1 - p) log sigma(-m)) per pair: Bradley-Terry with a soft label (Lee et al. 2309.00267).
// margins: score(first) - score(second) [P]; p_first: [P] -> [P].
torch::Tensor soft_label_cross_entropy(const torch::Tensor& margins_P, const torch::Tensor& p_first_P);

// Per token.
torch::Tensor kl_estimate(const torch::Tensor& policy_log_probs, const torch::Tensor& reference_log_probs,
                          KlEstimator estimator);

// Generalised advantage estimation over one response (Schulman et al. 1506.02438, eq. 16); the value after the last
// token is 0. Returns advantages; returns = advantages + values.
std::vector<double> gae(std::span<const double> rewards, std::span<const double> values, double gamma, double lambda);

// Mean and standard deviation from sums over the global batch; whitened = (a - mean) / (std + 1e-8).
struct Moments {
  double count = 0, sum = 0, sum_of_squares = 0;
  double mean() const;
  double variance() const;  // population
};

// Clipped surrogate per token, max(-A r, -A clip(r, 1-c, 1+c)) with r = exp(new - old) (Schulman et al. 1707.06347, eq. 7).
torch::Tensor ppo_policy_loss(const torch::Tensor& new_log_probs, const torch::Tensor& old_log_probs,
                              const torch::Tensor& advantages, double clip);
// 0.5 max((v - R)^2, (clip(v, old - c, old + c) - R)^2) per token.
torch::Tensor ppo_value_loss(const torch::Tensor& values, const torch::Tensor& old_values, const torch::Tensor& returns,
                             double clip);

}  // namespace rlaif::train
