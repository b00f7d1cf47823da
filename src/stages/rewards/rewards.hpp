// The rewards that ship, each in the file of its name.
#pragma once

#include "rlaif/stages/reward.hpp"

namespace rlaif::stages {

// The reward model that learned from the labels of the arm's judge.
std::unique_ptr<Reward> make_model_reward(const Context& context, const ArmOptions& arm, const RewardParts& parts);
// The arm's judge: a response is worth the mean of P(it is better) over the others to its prompt, so that those of a prompt add up
// to half their number. Equal texts are worth half to each other and are not asked about.
std::unique_ptr<Reward> make_judge_reward(const Context& context, const ArmOptions& arm, const RewardParts& parts);
void check_judge_reward(const std::string& key, const Study& study, const ArmOptions& arm);
// The arm's judge on each response by itself: a reward on [-1, 1] or, of a reward model, its score over the judge's temperature, so
// that a difference of two is the log-odds of its preference. NaN, and so no reward, where there is no score.
std::unique_ptr<Reward> make_judge_score_reward(const Context& context, const ArmOptions& arm,
                                                const RewardParts& parts);
void check_judge_score_reward(const std::string& key, const Study& study, const ArmOptions& arm);
// The file of rules of the arm's judge, in standard deviations over responses of the policy that the arm starts from.
std::unique_ptr<Reward> make_rules_reward(const Context& context, const ArmOptions& arm, const RewardParts& parts);
void check_rules_reward(const std::string& key, const Study& study, const ArmOptions& arm);

// What decides the reward of a stage: the judge, and what is learned from its labels or, where the reward asks it, its models.
void add_reward_reads(const Study& study, const ArmOptions& arm, const RewardEntry& reward, run::Stage& stage);

// A response as text: rollouts carry tokens.
Completion with_text(const Language& language, const train::Drawn& drawn);

}  // namespace rlaif::stages
