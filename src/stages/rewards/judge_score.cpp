// Reward: the score of the arm's judge, a reward model that somebody has trained already, on each response by itself.
#include "rewards.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/response_scorer.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {
namespace {

class JudgeScoreReward final : public Reward {
 public:
  JudgeScoreReward(const Context& context, const JudgeOptions& judge, const Language& language)
      : name_(judge.name), language_(language), scorer_(load_response_scorer(context, judge)) {
    context.comm.agree([&] {
      price_ = judge_price(context.study.judges, judge);
      temperature_ = score_temperature(judge);
    });
  }

  std::vector<double> score(std::span<const train::Drawn> drawn) override {
    std::vector<Completion> texts;
    for (const train::Drawn& one : drawn) texts.push_back(with_text(language_, one));
    std::vector<judge::Response> responses;
    for (std::size_t i = 0; i < drawn.size(); ++i) responses.push_back({&drawn[i].prompt, &texts[i]});
    std::vector<double> scores;
    for (const judge::ResponseScore& one : scorer_->score(responses)) {
      scores.push_back(one.score / temperature_);
      if (!one.fits) continue;
      Usage usage;
      usage.input_tokens = one.tokens;
      asked_.labels += 1.0;
      asked_.cost_usd += price_.label_usd(usage);
    }
    return scores;
  }

  bool asks_judge() const override { return true; }
  train::Asked asked() override { return std::exchange(asked_, {}); }
  Json facts() const override { return {{"judge", name_}, {"temperature", temperature_}}; }

 private:
  std::string name_;
  const Language& language_;
  std::shared_ptr<const judge::ResponseScorer> scorer_;
  cost::Price price_;
  double temperature_ = 1.0;
  train::Asked asked_;
};

}  // namespace

std::unique_ptr<Reward> make_judge_score_reward(const Context& context, const ArmOptions& arm,
                                                const RewardParts& parts) {
  return std::make_unique<JudgeScoreReward>(context, context.study.judges.named(arm.judge), parts.language);
}

void check_judge_score_reward(const std::string& key, const Study& study, const ArmOptions& arm) {
  if (study.judges.named(arm.judge).kind == JudgeKind::reward_model) return;
  throw usage_error(key + " = judge_score: judge '" + arm.judge + "' of arm '" + arm.name +
                    "' compares responses and scores none by itself; kind = reward_model was expected");
}

}  // namespace rlaif::stages
