#include <array>
#include <cmath>
#include <limits>

#include "members.hpp"
#include "rlaif/core/error.hpp"
#include "scores/combined_scores.hpp"

namespace rlaif::judge {
namespace {

class Ensemble final : public Judge {
 public:
  Ensemble(std::string name, std::vector<Member> members, EnsembleOptions options)
      : name_(std::move(name)), members_(std::move(members)), vote_(options.vote) {
    require_members("ensemble", name_, members_);
    const auto count = static_cast<int>(members_.size());
    if (options.least_members < 0 || options.least_members > count) {
      throw usage_error("ensemble '" + name_ + "': least_members of 0 to " + std::to_string(count) +
                        " was expected, found " + std::to_string(options.least_members));
    }
    least_ = static_cast<std::size_t>(options.least_members > 0 ? options.least_members : count / 2 + 1);
    if (vote_ == Vote::mean && all_score(members_)) scorer_ = make_mean_scorer(members_, least_);
  }

  const std::string& name() const override { return name_; }
  ResponseScorer* scorer() override { return scorer_.get(); }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<std::vector<Verdict>> answers;
    for (const Member& member : members_) answers.push_back(ask(member, comparisons));
    std::vector<Verdict> verdicts;
    for (std::size_t i = 0; i < comparisons.size(); ++i) verdicts.push_back(combine(answers, i));
    return verdicts;
  }

 private:
  Verdict combine(const std::vector<std::vector<Verdict>>& answers, std::size_t comparison) const {
    Verdict verdict;
    std::vector<double> p_first;
    std::vector<FittedJudge> fitted;
    Failures failures;
    std::array<double, 2> sums{}, asked{};
    for (std::size_t m = 0; m < members_.size(); ++m) {
      const Verdict& answer = answers[m][comparison];
      verdict.usage += answer.usage;
      verdict.members.push_back(said_by(members_[m], answer));
      if (answer.status != VerdictStatus::ok) {
        failures.add(answer.status);
        continue;
      }
      p_first.push_back(answer.p_first);
      fitted.push_back(members_[m].fitted);
      for (std::size_t order = 0; order < 2; ++order) {
        const double p = answer.p_first_by_order[order];
        if (!std::isfinite(p)) continue;
        sums[order] += p;
        asked[order] += 1.0;
      }
    }
    verdict.rationale = members_text(verdict.members, "");
    verdict.p_first_by_order.fill(std::numeric_limits<double>::quiet_NaN());
    if (p_first.size() < least_) {
      verdict.status = failures.commonest();
      return verdict;
    }
    verdict.status = VerdictStatus::ok;
    verdict.p_first = combined_vote(vote_, p_first, fitted);
    for (std::size_t order = 0; order < 2; ++order) {
      if (asked[order] > 0.0) verdict.p_first_by_order[order] = sums[order] / asked[order];
    }
    return verdict;
  }

  std::string name_;
  std::vector<Member> members_;
  Vote vote_;
  std::size_t least_ = 0;
  std::unique_ptr<ResponseScorer> scorer_;  // where the members have some, and their mean is wanted
};

}  // namespace

std::unique_ptr<Judge> make_ensemble(std::string name, std::vector<Member> members, EnsembleOptions options) {
  return std::make_unique<Ensemble>(std::move(name), std::move(members), options);
}

}  // namespace rlaif::judge
