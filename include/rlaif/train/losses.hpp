// The mathematics of training as free functions on tensors and spans: no communication, no configuration.
#pragma once

#include "rlaif/model/tensor.hpp"

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

}  // namespace rlaif::train
