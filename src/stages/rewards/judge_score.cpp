// Reward: the score of the arm's judge on each response by itself, without a reward model between them (Lee et al. 2309.00267,
// section 2.3): a language model that is asked for a number, rules, or a reward model that somebody has trained already.
#include <limits>

#include "rewards.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/judge/scorer.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {
namespace {

class JudgeScoreReward final : public Reward {
 public:
  JudgeScoreReward(const Context& context, const ArmOptions& arm, const Language& language)
      : context_(context),
        options_(context.study.judges.named(arm.judge)),
        language_(language),
        spending_(context, "reward-" + arm.name) {
    judge_ = std::move(make_judges(context, {options_}, &language, spending_, arm.start).front());
    RLAIF_CHECK(judge_.judge->scorer(), "a judge that scores responses");
  }

  std::vector<double> score(std::span<const train::Drawn> drawn) override {
    std::vector<Completion> texts;
    for (const train::Drawn& one : drawn) texts.push_back(with_text(language_, one));
    std::vector<judge::Response> responses;
    for (std::size_t i = 0; i < drawn.size(); ++i) responses.push_back({&drawn[i].prompt, &texts[i]});
    std::vector<double> scores;
    for (const judge::ResponseScore& one : judge_.judge->scorer()->score(responses)) {
      const bool is_ok = one.status == VerdictStatus::ok;
      scores.push_back(is_ok ? one.score : std::numeric_limits<double>::quiet_NaN());
      if (!one.was_asked()) continue;
      asked_.labels += 1.0;
      asked_.cost_usd += one.usage.cost_usd;
    }
    return scores;
  }

  bool asks_judge() const override { return true; }
  train::Asked asked() override { return std::exchange(asked_, {}); }

  Json facts() const override {
    Json facts{{"judge", options_.name}, {"scored", "responses"}};
    if (options_.kind == JudgeKind::reward_model) facts["temperature"] = score_temperature(options_);
    if (const Json paid = spending_.report(context_); !paid.empty()) facts["paid"] = paid;
    return facts;
  }

 private:
  const Context& context_;
  const JudgeOptions& options_;
  const Language& language_;
  StageSpending spending_;
  BoundJudge judge_;
  train::Asked asked_;
};

}  // namespace

std::unique_ptr<Reward> make_judge_score_reward(const Context& context, const ArmOptions& arm,
                                                const RewardParts& parts) {
  return std::make_unique<JudgeScoreReward>(context, arm, parts.language);
}

void check_judge_score_reward(const std::string& key, const Study& study, const ArmOptions& arm) {
  if (score_units(study.judges, study.judges.named(arm.judge)) != ScoreUnits::none) return;
  throw usage_error(key + " = judge_score: judge '" + arm.judge + "' of arm '" + arm.name +
                    "' compares responses and scores none by itself; a reward model, rules, a language model whose "
                    "conversation asks for a score ('%% scores'), or a mean or hierarchy of such was expected");
}

}  // namespace rlaif::stages
