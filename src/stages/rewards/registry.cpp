// The table of rewards: a line each.
#include <cmath>

#include "../planning.hpp"
#include "rewards.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {

const std::vector<RewardEntry>& rewards() {
  static const std::vector<RewardEntry> entries{
      {.name = "judge",
       .about = "the arm's judge itself, on pairs of the responses to a prompt",
       .check = check_judge_reward,
       .make = make_judge_reward,
       .asks_judge = true,
       .least_responses = 2,
       .most_responses = 22},
      {.name = "judge_score",
       .about = "the score that the arm's judge gives each response by itself",
       .check = check_judge_score_reward,
       .make = make_judge_score_reward,
       .asks_judge = true,
       .asks_about = AsksAbout::responses},
      {.name = "model",
       .about = "the reward model that learned from the labels of the arm's judge",
       .check = nullptr,
       .make = make_model_reward,
       .from_model = true},
      {.name = "rules",
       .about = "the file of rules of the arm's judge",
       .check = check_rules_reward,
       .make = make_rules_reward},
  };
  return entries;
}

const RewardEntry& reward_named(const std::string& key, const std::string& name) {
  return entry_named(rewards(), "reward", key, name);
}

void check_reward(const std::string& key, const RewardEntry& entry, int responses, const Study& study,
                  const ArmOptions& arm) {
  if (responses < entry.least_responses || responses > entry.most_responses) {
    throw usage_error(key + " = " + entry.name + ": " + std::to_string(entry.least_responses) + " to " +
                      std::to_string(entry.most_responses) +
                      " responses to a prompt were expected, which it compares; arm '" + arm.name + "' draws " +
                      std::to_string(responses));
  }
  if (entry.check) entry.check(key, study, arm);
}

double comparisons_asked(const RewardEntry& entry, double responses, double to_a_prompt) {
  if (!entry.asks_judge) return 0.0;
  return entry.asks_about == AsksAbout::responses ? responses : responses * (to_a_prompt - 1.0) / 2.0;
}

run::Needs::Asked asked_by(const RewardEntry& entry, const ArmOptions& arm, double responses, double to_a_prompt) {
  return {arm.judge, comparisons_asked(entry, responses, to_a_prompt), entry.asks_about};
}

std::vector<double> Reward::prefer(std::span<const train::Drawn> pairs) {
  const std::vector<double> scores = score(pairs);
  std::vector<double> preferred;
  for (std::size_t i = 0; i < scores.size(); i += 2)
    preferred.push_back(1.0 / (1.0 + std::exp(scores[i + 1] - scores[i])));
  return preferred;
}

train::Asked Reward::asked() { return {}; }

void add_reward_reads(const Study& study, const ArmOptions& arm, const RewardEntry& reward, run::Stage& stage) {
  const JudgeOptions& judge = study.judges.named(arm.judge);
  if (reward.asks_judge)
    add_judge_models(study, judge, stage.reads);
  else
    stage.reads.push_back("preferences/" + labels_of(arm));
  if (reward.from_model) stage.reads.push_back("models/reward-" + labels_of(arm));
  add_judge(study, judge, stage.sections);
  if (reward.asks_judge) stage.sections.push_back("cost.prices");
}

Completion with_text(const Language& language, const train::Drawn& drawn) {
  Completion completion = drawn.completion;
  completion.text = language.tokenizer.decode_text(completion.tokens);
  return completion;
}

}  // namespace rlaif::stages
