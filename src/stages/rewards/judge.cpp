// Reward: the arm's judge, asked while the policy is trained, without a reward model between them (Lee et al. 2309.00267,
// section 2.3, on pairs instead of scores).
#include <cmath>
#include <limits>

#include "group_wins.hpp"
#include "rewards.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {
namespace {

class JudgeReward final : public Reward {
 public:
  JudgeReward(const Context& context, const ArmOptions& arm, const Language& language)
      : context_(context), language_(language), spending_(context, "reward-" + arm.name) {
    const JudgeOptions& judge = context.study.judges.named(arm.judge);
    judge_ = std::move(make_judges(context, {judge}, &language, spending_, arm.start).front());
  }

  std::vector<double> score(std::span<const train::Drawn> drawn) override {
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (i == 0 || drawn[i].prompt.id != drawn[i - 1].prompt.id) sizes.push_back(0);
      ++sizes.back();
    }
    return wins_in_groups(judged(drawn, sizes), sizes);
  }

  std::vector<double> prefer(std::span<const train::Drawn> pairs) override {
    return judged(pairs, std::vector<std::size_t>(pairs.size() / 2, 2));
  }

  bool asks_judge() const override { return true; }
  train::Asked asked() override { return std::exchange(asked_, {}); }

  Json facts() const override {
    Json facts{{"judge", judge_.judge->name()}};
    if (const Json paid = spending_.report(context_); !paid.empty()) facts["paid"] = paid;
    return facts;
  }

 private:
  // P(i is better than j) of all pairs i < j of each group, group by group; NaN where the judge said nothing. All are asked at
  // once.
  std::vector<double> judged(std::span<const train::Drawn> drawn, const std::vector<std::size_t>& sizes) {
    std::vector<Completion> texts;
    for (const train::Drawn& one : drawn) texts.push_back(with_text(language_, one));
    std::vector<double> preferred;
    std::vector<Comparison> comparisons;
    std::vector<std::size_t> places;  // of the comparisons among the pairs
    std::size_t begin = 0;
    for (const std::size_t size : sizes) {
      std::uint64_t pair = 0;
      for (std::size_t i = begin; i < begin + size; ++i) {
        for (std::size_t j = i + 1; j < begin + size; ++j, ++pair) {
          const Prompt& prompt = drawn[i].prompt;
          const bool same = texts[i].text == texts[j].text && texts[i].ended == texts[j].ended;
          preferred.push_back(same ? 0.5 : std::numeric_limits<double>::quiet_NaN());
          if (same) continue;
          places.push_back(preferred.size() - 1);
          comparisons.push_back({pair_id(prompt.id, pair), prompt, texts[i], texts[j]});
        }
      }
      begin += size;
    }
    const std::vector<Verdict> verdicts = judge_.judge->judge(comparisons);
    RLAIF_CHECK(verdicts.size() == comparisons.size(), "a judge must give one verdict per comparison");
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      asked_.labels += 1.0;
      asked_.cost_usd += verdicts[i].usage.cost_usd;
      if (verdicts[i].status == VerdictStatus::ok) preferred[places[i]] = verdicts[i].p_first;
    }
    return preferred;
  }

  const Context& context_;
  const Language& language_;
  StageSpending spending_;
  BoundJudge judge_;
  train::Asked asked_;
};

}  // namespace

std::unique_ptr<Reward> make_judge_reward(const Context& context, const ArmOptions& arm, const RewardParts& parts) {
  return std::make_unique<JudgeReward>(context, arm, parts.language);
}

void check_judge_reward(const std::string& key, const Study& study, const ArmOptions& arm) {
  for (const JudgeOptions* asked : leaves_of(study.judges, study.judges.named(arm.judge))) {
    if (asked->kind != JudgeKind::replay) continue;
    throw usage_error(key + " = judge: judge '" + asked->name + "' of arm '" + arm.name +
                      "' has recorded verdicts only (kind = replay); one that can be asked about new responses was "
                      "expected");
  }
}

}  // namespace rlaif::stages
