// Reward: a file of rules, whose score is standardised over the responses that the arm's judge has labelled.
#include <cmath>

#include "rewards.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/judge/rules/book.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {
namespace {

class RulesReward final : public Reward {
 public:
  RulesReward(const Language& language, judge::RuleBook book) : language_(language), book_(std::move(book)) {}

  // Mean and deviation over both responses of every record.
  void standardise(const std::vector<Preference>& records) {
    double sum = 0.0, squares = 0.0, count = 0.0;
    for (const Preference& record : records) {
      for (const Completion* completion : {&record.comparison.first, &record.comparison.second}) {
        const double score = raw_score(record.comparison.prompt, *completion);
        sum += score;
        squares += score * score;
        count += 1.0;
      }
    }
    if (count == 0.0) return;
    mean_ = sum / count;
    const double variance = squares / count - mean_ * mean_;
    if (variance > 1e-12) deviation_ = std::sqrt(variance);
  }

  std::vector<double> score(std::span<const train::Drawn> drawn) override {
    std::vector<double> scores;
    for (const train::Drawn& one : drawn)
      scores.push_back((raw_score(one.prompt, with_text(language_, one)) - mean_) / deviation_);
    return scores;
  }

  Json facts() const override { return {{"rules", book_.name()}, {"mean", mean_}, {"standard_deviation", deviation_}}; }

 private:
  double raw_score(const Prompt& prompt, const Completion& completion) const {
    return book_.score(prompt.text, completion.text, completion.ended).score;
  }

  const Language& language_;
  judge::RuleBook book_;
  double mean_ = 0.0, deviation_ = 1.0;
};

}  // namespace

std::unique_ptr<Reward> make_rules_reward(const Context& context, const ArmOptions& arm, const RewardParts& parts) {
  std::unique_ptr<RulesReward> reward;
  context.comm.agree([&] {
    reward = std::make_unique<RulesReward>(parts.language,
                                           judge::RuleBook::load(context.study.judges.named(arm.judge).rules));
    reward->standardise(preferences::read_store(context.directory.preferences(labels_of(arm))));
  });
  return reward;
}

void check_rules_reward(const std::string& key, const Study& study, const ArmOptions& arm) {
  if (study.judges.named(arm.judge).kind == JudgeKind::rules) return;
  throw usage_error(key + " = rules: judge '" + arm.judge + "' of arm '" + arm.name +
                    "' has no file of rules; kind = rules was expected");
}

}  // namespace rlaif::stages
