// The mathematics of combined judges, and the correction for length.
#include "rlaif/judge/kinds/combine.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/text/words.hpp"

namespace rlaif::judge {
namespace {

constexpr double least_probability = 1e-6;

double sigmoid(double log_odds) { return 1.0 / (1.0 + std::exp(-log_odds)); }

// What a side named by a member says for the first one, in log-odds.
double confusion_log_odds(const FittedJudge& fitted, double p_first) {
  if (p_first == 0.5) return 0.0;
  const std::size_t named = p_first > 0.5 ? 0 : 1;
  const auto log_share = [&](std::size_t better) {
    return std::log(std::max(least_probability, fitted.confusion[better][named]));
  };
  return log_share(0) - log_share(1);
}

class LengthCorrected final : public Judge {
 public:
  LengthCorrected(std::unique_ptr<Judge> judge, double slope) : judge_(std::move(judge)), slope_(slope) {}

  const std::string& name() const override { return judge_->name(); }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Verdict> verdicts = judge_->judge(comparisons);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      Verdict& verdict = verdicts[i];
      const double shift = slope_ * length_difference(comparisons[i]);
      if (verdict.status != VerdictStatus::ok || shift == 0.0) continue;
      verdict.p_first = sigmoid(log_odds(verdict.p_first) - shift);
      for (double& p : verdict.p_first_by_order) {
        if (std::isfinite(p)) p = sigmoid(log_odds(p) - shift);
      }
    }
    return verdicts;
  }

 private:
  std::unique_ptr<Judge> judge_;
  double slope_;
};

}  // namespace

double log_odds(double p) {
  p = std::clamp(p, least_probability, 1.0 - least_probability);
  return std::log(p / (1.0 - p));
}

double calibrated(double p, double temperature) { return temperature == 1.0 ? p : sigmoid(log_odds(p) / temperature); }

double combined_vote(Vote vote, std::span<const double> p_first, std::span<const FittedJudge> fitted) {
  RLAIF_CHECK(!p_first.empty() && p_first.size() == fitted.size(), "a vote is of one member and more");
  double sum = 0.0;
  for (std::size_t i = 0; i < p_first.size(); ++i) {
    const double p = p_first[i];
    switch (vote) {
      case Vote::majority: sum += p > 0.5 ? 1.0 : p < 0.5 ? 0.0 : 0.5; break;
      case Vote::mean: sum += p; break;
      case Vote::weighted: sum += fitted[i].weight * log_odds(p) / fitted[i].temperature; break;
      case Vote::dawid_skene: sum += confusion_log_odds(fitted[i], p); break;
    }
  }
  const bool share = vote == Vote::majority || vote == Vote::mean;
  return share ? sum / static_cast<double>(p_first.size()) : sigmoid(sum);
}

double length_difference(const Comparison& comparison) {
  return static_cast<double>(text::words(comparison.first.text).size()) -
         static_cast<double>(text::words(comparison.second.text).size());
}

std::unique_ptr<Judge> make_length_corrected(std::unique_ptr<Judge> judge, double slope) {
  return std::make_unique<LengthCorrected>(std::move(judge), slope);
}

}  // namespace rlaif::judge
