#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "../temperature.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/scorer.hpp"

namespace rlaif::judge {
namespace {

// Responses of comparisons, those that read the same once.
class DistinctResponses {
 public:
  std::size_t add(const Prompt& prompt, const Completion& completion) {
    const auto [entry, is_new] = places_.try_emplace({prompt.id, completion.text, completion.ended}, responses_.size());
    // Two prompts may have one id where the comparisons are not of one set.
    if (!is_new && !same_prompt(*responses_[entry->second].prompt, prompt)) {
      responses_.push_back({&prompt, &completion});
      return responses_.size() - 1;
    }
    if (is_new) responses_.push_back({&prompt, &completion});
    return entry->second;
  }
  const std::vector<Response>& all() const { return responses_; }

 private:
  static bool same_prompt(const Prompt& a, const Prompt& b) { return a.text == b.text && a.turns == b.turns; }

  std::map<std::tuple<std::uint64_t, std::string, bool>, std::size_t> places_;
  std::vector<Response> responses_;
};

// The price of a label for every response that is scored.
class Priced final : public ResponseScorer {
 public:
  Priced(std::shared_ptr<ResponseScorer> scorer, cost::Price price)
      : scorer_(std::move(scorer)), price_(std::move(price)) {}

  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    std::vector<ResponseScore> scores = scorer_->score(responses);
    for (ResponseScore& one : scores)
      if (one.was_asked()) one.usage.cost_usd = price_.label_usd(one.usage);
    return scores;
  }

 private:
  std::shared_ptr<ResponseScorer> scorer_;
  cost::Price price_;
};

class ScoringJudge final : public Judge {
 public:
  ScoringJudge(std::string name, std::shared_ptr<ResponseScorer> scorer, double temperature,
               std::optional<cost::Price> price)
      : name_(std::move(name)), scorer_(std::move(scorer)), temperature_(temperature), price_(std::move(price)) {
    require_temperature(name_, temperature_);
    if (price_) priced_ = std::make_shared<Priced>(scorer_, *price_);
  }

  const std::string& name() const override { return name_; }
  ResponseScorer* scorer() override { return price_ ? priced_.get() : scorer_.get(); }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    DistinctResponses responses;
    std::vector<std::array<std::size_t, 2>> places;
    for (const Comparison& one : comparisons) {
      const std::size_t first = responses.add(one.prompt, one.first);
      places.push_back({first, responses.add(one.prompt, one.second)});
    }
    const std::vector<ResponseScore> scores = scorer_->score(responses.all());
    RLAIF_CHECK(scores.size() == responses.all().size(), "one score a response");
    std::set<std::size_t> counted;
    std::vector<Verdict> verdicts;
    for (const auto& [first, second] : places) {
      Verdict& verdict = verdicts.emplace_back(verdict_of(scores[first], scores[second]));
      for (const std::size_t place : {first, second})
        if (price_ || counted.insert(place).second) verdict.usage += scores[place].usage;
      if (!price_) continue;
      if (scores[first].was_asked() && scores[second].was_asked())
        verdict.usage.cost_usd = price_->label_usd(verdict.usage);
      else
        verdict.usage = {};
    }
    return verdicts;
  }

 private:
  Verdict verdict_of(const ResponseScore& first, const ResponseScore& second) const {
    Verdict verdict;
    for (const ResponseScore* one : {&second, &first})
      if (one->status != VerdictStatus::ok) verdict.status = one->status;
    if (first.status != VerdictStatus::ok || second.status != VerdictStatus::ok) {
      verdict.p_first_by_order = {not_asked, not_asked};
      return verdict;
    }
    const double p_first = two_way_softmax(first.score / temperature_, second.score / temperature_);
    verdict = combine_orders(p_first, p_first);
    if (!first.rationale.empty() || !second.rationale.empty())
      verdict.rationale = "first: " + first.rationale + " | second: " + second.rationale;
    return verdict;
  }

  std::string name_;
  std::shared_ptr<ResponseScorer> scorer_, priced_;
  double temperature_;
  std::optional<cost::Price> price_;
};

}  // namespace

std::unique_ptr<Judge> make_scoring_judge(std::string name, std::shared_ptr<ResponseScorer> scorer, double temperature,
                                          std::optional<cost::Price> price) {
  return std::make_unique<ScoringJudge>(std::move(name), std::move(scorer), temperature, std::move(price));
}

}  // namespace rlaif::judge
