// Kahneman-Tversky optimisation (Ethayarajh et al. 2402.01306): a policy from answers that are each good or bad,
// without pairs, reward model and rollouts.
//
//   const auto reference_log_probs_P = reference_log_probs(reference, pairs, run);
//   train_kto(policy, reference, reference_log_probs_P, pairs, options, run);
#pragma once

#include <span>
#include <string>

#include "rlaif/model/transformer.hpp"
#include "rlaif/train/dpo.hpp"
#include "rlaif/train/kto_options.hpp"

namespace rlaif::train {

// The loss of every answer, [N], from its log-ratios r = log π(y|x) - log π_ref(y|x), [N], and whether it is desirable,
// bool [N]: λ_D (1 - σ(β(r - z0))) where it is, λ_U (1 - σ(β(z0 - r))) where it is not (eq. 8). z0 estimates KL(π ||
// π_ref) and has no gradient.
torch::Tensor kto_loss(const torch::Tensor& log_ratios_N, const torch::Tensor& desirable_N, double z0,
                       const KtoOptions& options);

// What cannot be of the options themselves. Throws Error(usage) naming `where`, the key (kto.beta, ...) and what was
// expected.
void check_kto_options(const KtoOptions& options, const std::string& where);
// What train_kto refuses, for who wants to know before anything is computed: the same, and Error(input) for pairs as
// check_dpo, and for a tie (p_first = 0.5), neither of whose answers is desirable.
void check_kto(std::span<const TokenPair> pairs, const KtoOptions& options, std::int64_t context,
               const std::string& stage);

// Trains the policy, or its adapter alone where it has one, on both answers of every pair, each for itself: the one
// that is more likely the better is desirable, the other one is not. Before each step z0 is the mean of the log-ratios
// of the batch's answers behind the prompts of other pairs, at least 0, over all ranks in one order; a grain's answers
// go round among its own prompts, and one that would be longer than the context is left out. `reference_log_probs` has
// one entry a pair; `reference` reads the answers behind other prompts.
// Metrics a step: step, epoch, loss (weighted mean over answers), kl (z0), desirable_reward and undesirable_reward
// (means of βr), accuracy (share of answers on their side of z0), chosen_log_prob, rejected_log_prob (means of log π),
// learning_rate, gradient_norm.
// Throws as check_kto.
void train_kto(model::Transformer& policy, const model::Transformer& reference,
               std::span<const AnswerLogProbs> reference_log_probs, std::span<const TokenPair> pairs,
               const KtoOptions& options, const StageRun& run);

}  // namespace rlaif::train
