// Policy gradients: a language model learns from responses that it draws itself and a callable scores. PPO is one with
// a value model.
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
  // [T, d]: states of prompt, completion and, where it ended, end token before the first layer with an adapter;
  // undefined where the models of the run share no lower layers. A reward model over the same base may go on from here.
  torch::Tensor trunk_Td;
};

// What a judge was asked while it scored responses.
struct Asked {
  double labels = 0;  // verdicts, those that failed among them
  double cost_usd = 0;
};

// All are called for the items of one grain at a time, on the rank that owns it: they make no collective calls,
// and what they return may depend on their arguments alone.
struct PolicyGradientCallbacks {
  // i-th prompt of the whole run, with its tokens: i in [0, steps * prompts_per_step), and as many more for each
  // redraw.
  std::function<std::pair<Prompt, std::vector<TokenId>>(std::int64_t i)> prompt;
  // One score a response, already in the units that training should see (standardised). Not differentiated. NaN: it
  // could not be had, and the response teaches nothing; with a value model and nobody that is asked (`asked`) that is an Error, as
  // are scores that are infinite.
  std::function<std::vector<double>(std::span<const Drawn>)> reward;
  // Optional: a second opinion that training never sees (gold utility), logged as "gold". Empty: not logged.
  std::function<std::vector<double>(std::span<const Drawn>)> monitor;
  // Optional: what this rank's judge was asked since the last call. Called once a grain, after its rewards.
  std::function<Asked()> asked = {};
};

struct PolicyModels {
  model::Transformer& policy;
  const model::Transformer& reference;
  model::ScalarModel* value = nullptr;  // with AdvantageEstimator::gae, and there alone
};

// Every step: responses are drawn for each prompt and scored, advantages found, then the policy moves over the step's
// responses in epochs of minibatches. The reward of a response is its score, with penalties for a missing end and for
// length and, where the options say so, less the KL to the reference: token by token with a value model, as a sum over
// its tokens else. All responses to a prompt stay in the grain that made them. Prompts whose responses are all worth
// the same give way to other prompts, `redraws` times at most. Response i of the step goes to minibatch i mod (number
// of minibatches) after a shuffle within its grain, so minibatches differ by at most one response for a grain.
// Policy and value model have their own optimizers, each clipped on its own, so that large value errors early on do not
// shrink the policy's steps. In value-only steps the policy's losses are computed for the metrics, its weights stay.
// Where all responses of a minibatch are masked the policy stays too.
// The draws are keyed by (seed, prompt id, i) with i the place of the response in the run. The policy's config names
// the end token; actions are the generated tokens with it.
// The first minibatch of a step has ratio 1 within rounding (1e-3); a larger deviation is an Error(internal).
// Metrics a step: step (from 1), reward (mean score, without penalties), gold, kl (a response, k1), entropy (over the
// first epoch), ended, length (tokens, with the end token), policy_loss, clip_fraction (of tokens), ratio_max_deviation
// (first minibatch), kl_coefficient (of this step), learning_rate (the policy's), gradient_norm (mean over the
// updates).
// Where the callback `asked` is there: labels and cost_usd, and failed (share of responses without a score).
// With a value model: value_loss, explained_variance (of returns by the values before the update), value_gradient_norm.
// Without: absolute_advantage (mean over tokens, before whitening: where the mean advantage is 0 the loss says
// nothing), failed, ratio_mean, ratio_least, ratio_most; silent_groups (share of
// prompts all of whose responses are worth the same) and redrawn_groups (prompts that gave way, to those kept) where
// there are several responses a prompt; kl_k2 or kl_k3, a token, where it is in the loss.
//
// Low-rank training: where the policy has an adapter, it alone is trained and the engine reads merged weights. Where
// reference and value model are views of the same base (Transformer::share), the layers below the first adapter are
// computed once a rollout for all of them; a value model without adapter is then a head on the reference's states.
// Throws Error(usage) for options that cannot be, naming the stage.
void train_policy_gradient(const PolicyModels& models, const PolicyGradientCallbacks& callbacks,
                           const PolicyGradientOptions& options, const StageRun& run);

// The coefficient after a step in which `responses` had a mean KL of `kl`: times 1 + clip(kl / target - 1, -0.2, 0.2)
// * responses / horizon (Ziegler et al. 1909.08593, eq. 4 and its published code).
double adapted_kl_coefficient(double coefficient, double kl, double target, double responses, double horizon);

}  // namespace rlaif::train
