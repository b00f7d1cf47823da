// Online direct preference optimisation (Guo et al. 2402.04792): a language model learns from pairs of responses that it draws
// itself and that are labelled as they are drawn.
//
//   OnlineDpoOptions options;
//   options.rollout.prompts_per_step = 32;
//   train_online_dpo(policy, reference, {.prompt = ..., .prefer = ...}, options, run);
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/train/loop.hpp"
#include "rlaif/train/online_dpo_options.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::train {

// Called for the items of one grain at a time, on the rank that owns it: no collective calls are made, and what is returned may
// depend on the arguments alone.
struct OnlineDpoCallbacks {
  // i-th prompt of the whole run, with its tokens: i in [0, steps * prompts_per_step).
  std::function<std::pair<Prompt, std::vector<TokenId>>(std::int64_t i)> prompt;
  // P(the first is better) of every two neighbours; NaN where there is no label.
  std::function<std::vector<double>(std::span<const Drawn>)> prefer;
  std::function<Asked()> asked = {};                                        // as in PolicyGradientCallbacks
  std::function<std::vector<double>(std::span<const Drawn>)> monitor = {};  // the same
};

// Every step: two responses of the policy as it is now are drawn for each prompt and labelled, then the policy moves once on the
// mean of dpo_loss + nll_weight * preferred_nll over the step's pairs (dpo_loss.hpp). Pairs of equal responses are not asked about
// and, like those without a label, have no loss; where no pair of a step has one the policy stays, which is said. Responses are
// drawn by (seed, prompt id, place in the run), so that results are the same bytes on any number of ranks.
// Metrics a step: step (from 1); loss, accuracy, margin, policy_accuracy, chosen_log_prob, rejected_log_prob, chosen_token_log_prob,
// rejected_token_log_prob, nll as of train_dpo; gold, ended, length (of a response); kl (of a response to the reference, k1, over
// the pairs with a loss; null for simpo); silent (share of pairs of equal responses), failed (of the others, share without a
// label); labels and cost_usd where the callback `asked` is there; learning_rate, gradient_norm.
// Throws Error(usage) naming the stage for options that cannot be.
void train_online_dpo(model::Transformer& policy, const model::Transformer& reference,
                      const OnlineDpoCallbacks& callbacks, const OnlineDpoOptions& options, const StageRun& run);

}  // namespace rlaif::train
