// Direct preference optimisation (Rafailov et al. 2305.18290) and its kin: a policy from pairs of answers with soft
// labels, without reward model and rollouts.
//
//   DpoOptions options;
//   options.schedule.learning_rate = 1e-4;
//   const auto reference = reference_log_probs(start, pairs, run);  // before `policy` changes weights that it shares
//   train_dpo(policy, reference, pairs, options, run);
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "rlaif/model/transformer.hpp"
#include "rlaif/train/dpo_loss.hpp"
#include "rlaif/train/loop.hpp"
#include "rlaif/train/options.hpp"
#include "rlaif/train/pairs.hpp"

namespace rlaif::train {

// log π(answer | prompt) of a pair's first and second answer, summed over the answer's tokens (answers.hpp).
using AnswerLogProbs = std::array<double, 2>;

// What cannot be of the options themselves. Throws Error(usage) naming `where`, the key (`section`.beta, ...) and what was
// expected.
void check_dpo_loss_options(const DpoLossOptions& options, const std::string& where,
                            const std::string& section = "dpo");
void check_dpo_options(const DpoOptions& options, const std::string& where);

// What train_dpo refuses, for who wants to know before anything is computed. Throws Error(usage) naming the key
// (dpo.beta, ...) and what was expected of it, and Error(input) for no pairs, a pair whose label, weight, prompt or
// length is not what was expected, and pairs that are all ties (p_first = 0.5), which pull h to where it starts:
// nothing is learnt from them but by simpo and with an nll_weight above 0.
void check_dpo(std::span<const TokenPair> pairs, const DpoOptions& options, std::int64_t context,
               const std::string& stage);

// Of every pair under the frozen reference, without gradients. Collective. Pairs are cut into blocks of consecutive
// ones, which follow from the pairs alone; a block is computed as a whole by one rank, so the numbers are the same
// bytes on any number of ranks. They are kept in the stage's checkpoint folder, as reference.safetensors, with
// checksums of themselves, of the pairs and of the model: a stage that goes on reads them. Where that file is damaged,
// or of other pairs or another model, they are computed again. A stop is obeyed between blocks: what is ready is kept,
// and Error(interrupted) thrown. Throws Error(input) for pairs as above and for an answer that the reference cannot
// give.
std::vector<AnswerLogProbs> reference_log_probs(const model::Transformer& reference, std::span<const TokenPair> pairs,
                                                const StageRun& run);

// Trains the policy, or its adapter alone where it has one, on the weighted mean over a batch of
// dpo_loss + nll_weight * preferred_nll (dpo_loss.hpp). Epochs shuffle prompts, not pairs; an answer that stands in
// several pairs of a grain is computed once for all. `reference` has one entry a pair; simpo uses none and takes an
// empty one too.
// Metrics a step:
//   step, epoch, loss        the loss as above
//   accuracy, margin         share of pairs whose margin is towards the preferred answer (equal counts half), and mean
//                            of βh towards it. The first margins are 0 up to rounding: that accuracy says nothing
//   policy_accuracy          share of pairs whose preferred answer is the likelier one to the policy itself, which
//                            neither loss nor margin tells
//   chosen_log_prob, rejected_log_prob, chosen_token_log_prob, rejected_token_log_prob
//                            means of the policy's log π, an answer and a token: both may fall while the margin grows
//   nll                      mean of preferred_nll, whether it is trained on or not
//   learning_rate, gradient_norm
// Loss and nll are means by weight. What stands between them in this list counts every pair with a preference once and
// leaves out ties (p_first = 0.5); it is null in a step of ties alone.
// Throws as check_dpo.
void train_dpo(model::Transformer& policy, std::span<const AnswerLogProbs> reference, std::span<const TokenPair> pairs,
               const DpoOptions& options, const StageRun& run);

}  // namespace rlaif::train
