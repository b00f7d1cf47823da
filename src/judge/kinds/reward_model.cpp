#include "rlaif/judge/kinds/reward_model.hpp"

#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "rlaif/core/error.hpp"

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

class RewardModelJudge final : public Judge {
 public:
  RewardModelJudge(std::string name, std::shared_ptr<const ResponseScorer> scorer, double temperature,
                   cost::Price price)
      : name_(std::move(name)), scorer_(std::move(scorer)), temperature_(temperature), price_(std::move(price)) {
    if (!(temperature_ > 0.0) || !std::isfinite(temperature_)) {
      throw usage_error("judge '" + name_ + "': a temperature above 0 was expected, found " +
                        std::to_string(temperature_));
    }
  }

  const std::string& name() const override { return name_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    DistinctResponses responses;
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (const Comparison& one : comparisons) {
      const std::size_t first = responses.add(one.prompt, one.first);
      places.emplace_back(first, responses.add(one.prompt, one.second));
    }
    const std::vector<ResponseScore> scores = scorer_->score(responses.all());
    RLAIF_CHECK(scores.size() == responses.all().size(), "one score a response");
    std::vector<Verdict> verdicts;
    for (const auto& [first, second] : places) verdicts.push_back(verdict_of(scores[first], scores[second]));
    return verdicts;
  }

 private:
  Verdict verdict_of(const ResponseScore& first, const ResponseScore& second) const {
    Verdict verdict;
    if (!first.fits || !second.fits) {
      verdict.status = VerdictStatus::truncated;
      verdict.p_first_by_order = {not_asked, not_asked};
      return verdict;
    }
    const bool finite = std::isfinite(first.score) && std::isfinite(second.score);
    const double p_first =
        finite ? two_way_softmax(first.score / temperature_, second.score / temperature_) : not_asked;
    verdict = combine_orders(p_first, p_first);
    verdict.usage.input_tokens = first.tokens + second.tokens;
    verdict.usage.cost_usd = price_.label_usd(verdict.usage);
    return verdict;
  }

  std::string name_;
  std::shared_ptr<const ResponseScorer> scorer_;
  double temperature_;
  cost::Price price_;
};

}  // namespace

std::unique_ptr<Judge> make_reward_model_judge(std::string name, std::shared_ptr<const ResponseScorer> scorer,
                                               double temperature, cost::Price price) {
  return std::make_unique<RewardModelJudge>(std::move(name), std::move(scorer), temperature, std::move(price));
}

}  // namespace rlaif::judge
