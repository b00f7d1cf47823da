// How policies are trained on responses that they draw themselves: how responses are drawn, what they are worth, and how the
// policy moves. No tensors here.
//
//   PolicyGradientOptions options;           // PPO
//   options.rollout.prompts_per_step = 64;
//   options.loss.clip_low = options.loss.clip_high = 0.1;
#pragma once

#include <cstdint>
#include <string>

#include "rlaif/train/options.hpp"

namespace rlaif::train {

struct RolloutOptions {
  std::int64_t prompts_per_step = 128;
  int responses = 1;                  // drawn for each prompt: its group
  int redraws = 0;                    // of prompts all of whose responses are worth the same, a step
  double missing_end_penalty = -1.0;  // added to the score of a response without an end token
  double overlong_share = 0.0;        // of max_new_tokens, from whose beginning on length is penalised; 0: not at all
  double overlong_penalty = 1.0;      // at the end of that share
  double temperature = 1.0;           // of rollout and update alike
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
  int slots = 64;
  std::int64_t responses_per_step() const { return prompts_per_step * responses; }
};

// Estimators of KL(policy || reference) from log-probabilities of the policy's own samples, per token (Schulman 2020):
// with d = log p - log q: k1 = d, k2 = d^2 / 2, k3 = exp(-d) - 1 + d.
enum class KlEstimator { k1, k2, k3 };

// Where the distance to the reference counts. In the loss its gradient passes through the estimator: that of k2 is the
// gradient of KL(policy || reference), that of k3 is the one of KL(reference || policy), that of k1 is 0 in the mean.
enum class KlPlace { reward, loss, none };

struct KlOptions {
  double coefficient = 0.2;  // per token
  KlPlace place = KlPlace::reward;
  KlEstimator estimator = KlEstimator::k1;
  double target = 0.0;       // > 0: adaptive coefficient (Ziegler et al. 1909.08593, sec. 2.2), KL a response
  double horizon = 10000.0;  // responses
};

// The value model, and the advantages that are estimated over it.
struct CriticOptions {
  double learning_rate_scale = 2.0;  // its rate has no warm-up and decays over all steps
  int only_steps = 4;                // the policy's schedule starts after these
  double clip = 0.2;                 // of a value's move
  double gamma = 1.0, lambda = 0.95;
};

// What a response is held against; advantages.hpp says what each one is.
enum class AdvantageEstimator {
  gae,            // over a value model, token by token
  group,          // mean and deviation of the prompt's responses
  group_mean,     // their mean alone
  leave_one_out,  // the mean of the others
  batch,          // the mean of the step's responses
  greedy,         // the reward of the prompt's greedy response
};

// Of new to old probabilities: of a token, or of its response (exp of the mean over its tokens, Zheng et al. 2507.18071).
enum class RatioLevel { token, sequence };

// How the losses of a minibatch's tokens are summed: divided by the number of tokens; by the tokens of their response, then
// by the number of responses; by the number of responses and max_new_tokens.
enum class LossSum { token, response, constant };

struct PolicyLossOptions {
  double clip_low = 0.2, clip_high = 0.2;  // the ratio is held to [1 - clip_low, 1 + clip_high]
  double dual_clip = 0.0;                  // where A < 0 no loss is above -A times this (Ye et al. 1912.09729); 0: off
  RatioLevel ratio = RatioLevel::token;
  LossSum sum = LossSum::token;
  bool mask_truncated = false;  // responses without an end token are left out of the loss
};

struct PolicyGradientOptions {
  std::int64_t steps = 60;
  int epochs = 1;
  std::int64_t minibatch = 32;  // responses per update over all ranks
  ScheduleOptions schedule{3e-4, 5, 0.1};
  AdamWOptions adam{0.9, 0.98, 1e-5, 0.0, 1.0};
  RolloutOptions rollout;
  AdvantageEstimator advantage = AdvantageEstimator::gae;
  KlOptions kl;
  CriticOptions critic;
  PolicyLossOptions loss;
  bool whiten_advantages = true;  // over the tokens of the global batch
  std::uint64_t seed = 0;
};

// What cannot be of the options themselves. Throws Error(usage) naming `where`, the key and what was expected.
void check_policy_gradient_options(const PolicyGradientOptions& options, const std::string& where);

}  // namespace rlaif::train
