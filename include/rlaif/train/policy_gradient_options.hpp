// How policies are trained on responses that they draw themselves: how responses are drawn, what they are worth, and how the
// policy moves. No tensors here.
//
//   PolicyGradientOptions options;           // PPO
//   options.rollout.prompts_per_step = 64;
//   options.loss.clip_low = options.loss.clip_high = 0.1;
#pragma once

#include <cstdint>

#include "rlaif/train/options.hpp"

namespace rlaif::train {

struct RolloutOptions {
  std::int64_t prompts_per_step = 128;
  int responses = 1;                  // drawn for each prompt: its group
  double missing_end_penalty = -1.0;  // added to the score of a response without an end token
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

struct KlOptions {
  double coefficient = 0.2;  // per token, in the reward
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

struct PolicyLossOptions {
  double clip_low = 0.2, clip_high = 0.2;  // the ratio is held to [1 - clip_low, 1 + clip_high]
};

struct PolicyGradientOptions {
  std::int64_t steps = 60;
  int epochs = 1;
  std::int64_t minibatch = 32;  // responses per update over all ranks
  ScheduleOptions schedule{3e-4, 5, 0.1};
  AdamWOptions adam{0.9, 0.98, 1e-5, 0.0, 1.0};
  RolloutOptions rollout;
  KlOptions kl;
  CriticOptions critic;
  PolicyLossOptions loss;
  bool whiten_advantages = true;  // over the tokens of the global batch
  std::uint64_t seed = 0;
};

}  // namespace rlaif::train
