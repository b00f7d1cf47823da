#include "rlaif/judge/kinds/rules.hpp"

#include <utility>

#include "rlaif/judge/scorer.hpp"

namespace rlaif::judge {
namespace {

// The weight of the rules kept among that of all, on [-1, 1].
class RulesScorer final : public ResponseScorer {
 public:
  RulesScorer(const RuleBook& book, const cost::Price& price) : book_(&book), price_(&price) {}

  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    std::vector<ResponseScore> scores;
    for (const auto& [prompt, completion] : responses) {
      ResponseScore& score = scores.emplace_back();
      score.status = VerdictStatus::ok;
      const RuleScores kept = book_->score(prompt->text, completion->text, completion->ended);
      score.score = 2.0 * kept.score / book_->total_weight() - 1.0;
      score.usage.cost_usd = price_->label_usd({});
    }
    return scores;
  }

 private:
  const RuleBook* book_;
  const cost::Price* price_;
};

class RulesJudge final : public Judge {
 public:
  RulesJudge(std::string name, RuleBook book, cost::Price price)
      : name_(std::move(name)), book_(std::move(book)), price_(std::move(price)), scorer_(book_, price_) {}

  const std::string& name() const override { return name_; }
  ResponseScorer* scorer() override { return &scorer_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Verdict> verdicts;
    verdicts.reserve(comparisons.size());
    for (const Comparison& comparison : comparisons) verdicts.push_back(label(comparison));
    return verdicts;
  }

 private:
  Verdict label(const Comparison& comparison) const {
    const auto scores_of = [&](const Completion& answer) {
      return book_.score(comparison.prompt.text, answer.text, answer.ended);
    };
    const RuleScores first = scores_of(comparison.first), second = scores_of(comparison.second);
    const double p_first = two_way_softmax((first.score - second.score) / book_.scale(), 0.0);
    Verdict verdict = combine_orders(p_first, p_first);
    verdict.rationale = kept_alone("first", first, second);
    const std::string others = kept_alone("second", second, first);
    if (!verdict.rationale.empty() && !others.empty()) verdict.rationale += "; ";
    verdict.rationale += others;
    verdict.usage.cost_usd = price_.label_usd(verdict.usage);
    return verdict;
  }

  // "only first keeps: complete, plain text"
  std::string kept_alone(const std::string& whose, const RuleScores& one, const RuleScores& other) const {
    const std::vector<std::string> names = book_.names();
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (one.kept[i] && !other.kept[i]) text += (text.empty() ? "only " + whose + " keeps: " : ", ") + names[i];
    return text;
  }

  std::string name_;
  RuleBook book_;
  cost::Price price_;
  RulesScorer scorer_;
};

}  // namespace

std::unique_ptr<Judge> make_rules_judge(std::string name, RuleBook book, cost::Price price) {
  return std::make_unique<RulesJudge>(std::move(name), std::move(book), std::move(price));
}

}  // namespace rlaif::judge
