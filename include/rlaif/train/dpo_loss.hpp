// Losses of direct preference optimisation as functions of log-probabilities, soft labels and lengths: no model, no
// communication.
//
//   const PairLogProbs log_probs{policy_P2, reference_P2, tokens_P2};
//   const torch::Tensor h_P = dpo_difference(log_probs, options);
//   const torch::Tensor losses_P = dpo_loss(h_P, p_first_P, options) +
//                                  options.nll_weight * preferred_nll(log_probs, p_first_P);
#pragma once

#include "rlaif/model/tensor.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::train {

// Of P pairs, first answers in the first column, float64.
struct PairLogProbs {
  torch::Tensor policy_P2;     // log π(y|x), summed over the answer's tokens
  torch::Tensor reference_P2;  // the same of the reference; not used by simpo
  torch::Tensor tokens_P2;     // how many tokens the answers have
};

// h = Δ(first) - Δ(second), [P], with Δ = log π(y|x) - log π_ref(y|x), divided by the answer's tokens where the options
// say `length_normalised` (Lambert et al. 2411.15124, section 5; IPO so is TRL's, whose optimum is another one than the
// sum's). simpo: Δ = log π(y|x) over the answer's tokens.
torch::Tensor dpo_difference(const PairLogProbs& log_probs, const DpoLossOptions& options);

// The loss of every pair, [P], with p = P(first is better), a soft label that may be anything in [0, 1]. A tie, p = .5,
// is a label like others: it pulls h to 0. All losses are p L(h) + (1 - p) L(-h), ipo up to a constant. β is
// options.beta, ε label_smoothing, γ simpo_margin, σ the logistic function.
//   sigmoid       -p log σ(βh) - (1 - p) log σ(-βh), dL/dh = β (σ(βh) - p), least at βh = logit p. Rafailov et al.
//                 2305.18290, eq. 7, with the soft label of the reward model's loss (soft_label_cross_entropy).
//   conservative  sigmoid with the label (1 - ε) p + ε (1 - p): Mitchell, "A note on DPO with noisy preferences and
//                 relationship to IPO", 2023.
//   robust        L(h) = [-(1 - ε) log σ(βh) + ε log σ(-βh)] / (1 - 2ε): Chowdhury et al. 2403.00409. Over flips of the
//                 labels at the rate ε its mean is the sigmoid loss. It is sigmoid with the label (p - ε) / (1 - 2ε),
//                 so labels up to ε and from 1 - ε on have no optimum and push on.
//   ipo           (h - (2p - 1) / (2β))^2: Azar et al. 2310.12036, eq. 17, where β is called τ. The label is in the
//                 target; p L(h) + (1 - p) L(-h) differs from it by what does not depend on h.
//   hinge         L(h) = max(0, 1 - βh): Zhao et al. 2305.10425, on log-ratios as in Liu et al. 2309.06657.
//   simpo         L(h) = -log σ(βh - γ): Meng et al. 2405.14734, eq. 6.
torch::Tensor dpo_loss(const torch::Tensor& h_P, const torch::Tensor& p_first_P, const DpoLossOptions& options);

// p NLL(first) / n_first + (1 - p) NLL(second) / n_second, [P]: the preferred answer's negative log-likelihood a token,
// which keeps answers from getting unlikelier together (Pang et al. 2404.19733, eq. 1, over the answer's tokens alone).
// Each side counts by the label as it is, without smoothing; a tie raises both alike.
torch::Tensor preferred_nll(const PairLogProbs& log_probs, const torch::Tensor& p_first_P);

}  // namespace rlaif::train
