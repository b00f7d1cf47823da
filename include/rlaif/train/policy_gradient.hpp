// Policy gradients: a language model learns from responses that it draws itself and a callable scores. PPO is one with a value
// model.
//
//   PolicyGradientOptions options;
//   train_policy_gradient({policy, reference, &value}, {.prompt = ..., .reward = ...}, options, run);
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/train/loop.hpp"
#include "rlaif/train/policy_gradient_options.hpp"

namespace rlaif::train {

// A response as the reward sees it. completion.text is empty: who needs text decodes completion.tokens.
struct Drawn {
  Prompt prompt;
  std::vector<TokenId> prompt_tokens;
  Completion completion;
  // [T, d]: states of prompt, completion and, where it ended, end token before the first layer with an adapter; undefined
  // where the models of the run share no lower layers. A reward model over the same base may go on from here.
  torch::Tensor trunk_Td;
};

// All three are called for the items of one grain at a time, on the rank that owns it: they make no collective calls,
// and what they return may depend on their arguments alone.
struct PolicyGradientCallbacks {
  // i-th prompt of the whole run, i in [0, steps * prompts_per_step), with its tokens.
  std::function<std::pair<Prompt, std::vector<TokenId>>(std::int64_t i)> prompt;
  // One score a response, already in the units that training should see (standardised). Not differentiated.
  // Non-finite: Error.
  std::function<std::vector<double>(std::span<const Drawn>)> reward;
  // Optional: a second opinion that training never sees (gold utility), logged as "gold". Empty: not logged.
  std::function<std::vector<double>(std::span<const Drawn>)> monitor;
};

struct PolicyModels {
  model::Transformer& policy;
  const model::Transformer& reference;
  model::ScalarModel& value;
};

// Every step: roll out, score, KL to the reference in the reward, values, GAE, whitened advantages over the global
// batch, then epochs of clipped updates. Response i of the step goes to minibatch i mod (number of minibatches) after a
// shuffle within its grain, so data stays where it was made and minibatches differ by at most one response.
// Policy and value model have their own optimizers, each clipped on its own, so that large value errors early on do not
// shrink the policy's steps. In value-only steps the policy's losses are computed for the metrics, its weights stay.
// The draws are keyed by (seed, prompt id, i) with i the place of the prompt in the run. The policy's config names the
// end token; actions are the generated tokens with it, the score is paid at the last one.
// The first minibatch of a step has ratio 1 within rounding (1e-3); a larger deviation is an Error(internal).
// Metrics a step: step (from 1), reward (mean score, without penalties), gold, kl (a response, k1), entropy (over the
// first epoch), ended, length (tokens, with the end token), policy_loss, value_loss, explained_variance (of returns by
// the values before the update), clip_fraction, ratio_max_deviation (first minibatch), kl_coefficient (of this step),
// learning_rate (the policy's), gradient_norm and value_gradient_norm (means over the updates).
//
// Low-rank training: where the policy has an adapter, it alone is trained and the engine reads merged weights. Where
// reference and value model are views of the same base (Transformer::share), the layers below the first adapter are
// computed once a rollout for all of them; a value model without adapter is then a head on the reference's states.
void train_policy_gradient(const PolicyModels& models, const PolicyGradientCallbacks& callbacks,
                           const PolicyGradientOptions& options, const StageRun& run);

// The coefficient after a step in which `responses` had a mean KL of `kl`: times 1 + clip(kl / target - 1, -0.2, 0.2)
// * responses / horizon (Ziegler et al. 1909.08593, eq. 4 and its published code).
double adapted_kl_coefficient(double coefficient, double kl, double target, double responses, double horizon);

}  // namespace rlaif::train
