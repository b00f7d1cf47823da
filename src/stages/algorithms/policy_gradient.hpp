// What policy gradients of a study have in common: keys, prompts of the task, a reward of the table, gold as the monitor.
//   bind_steps(table, "ppo", options, "one response each");
//   const auto callbacks = policy_gradient_callbacks(context, *language, "ppo-rlaif", "ppo", options, ..., *scorer);
#pragma once

#include <string>

#include "../planning.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/stages/reward.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {

// steps, prompts_per_step, epochs, minibatch.
void bind_steps(OptionTable& table, const std::string& section, train::PolicyGradientOptions& options,
                const std::string& responses);
// temperature, top_k, top_p, max_new_tokens, slots.
void bind_sampling(OptionTable& table, const std::string& section, train::RolloutOptions& options);

// `stage` and `options` are referred to, not copied.
train::PolicyGradientCallbacks policy_gradient_callbacks(const Context& context, const Language& language,
                                                         const std::string& stage, const std::string& section,
                                                         const train::PolicyGradientOptions& options,
                                                         std::int64_t max_positions, Reward& scorer);

// Parts of the policy and of what it starts from. `rollout_tokens`: of a step, on one rank.
void add_policy_parts(run::Needs& needs, const Sizes& sizes, const LowRankOptions& adapter, double rollout_tokens);

// Of the reward model, where there is one: its weights, or its adapter alone.
void add_reward_model_part(run::Needs& needs, const Sizes& sizes);

// Steps, what the reward says of itself and, where it asks a judge, how many verdicts it took in all starts and what they cost.
// Collective.
Json policy_gradient_facts(const Context& context, const std::string& stage, std::int64_t steps, const Reward& scorer);

// The stage "<algorithm>-<arm>" of an algorithm whose responses a reward scores; its size, needs and run are the caller's.
run::Stage stage_on_rollouts(const Study& study, const ArmOptions& arm, const std::string& algorithm,
                             const RewardEntry& reward);

}  // namespace rlaif::stages
