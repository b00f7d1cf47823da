// The table of rewards: a line each.
#include "rewards.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {

const std::vector<RewardEntry>& rewards() {
  static const std::vector<RewardEntry> entries{
      {"model", "the reward model that learned from the labels of the arm's judge",
       [](const std::string&, const Study&, const ArmOptions&) {}, make_model_reward},
      {"rules", "the file of rules of the arm's judge", check_rules_reward, make_rules_reward},
  };
  return entries;
}

const RewardEntry& reward_named(const std::string& key, const std::string& name) {
  return entry_named(rewards(), "reward", key, name);
}

Completion with_text(const Language& language, const train::Drawn& drawn) {
  Completion completion = drawn.completion;
  completion.text = language.tokenizer.decode_text(completion.tokens);
  return completion;
}

}  // namespace rlaif::stages
