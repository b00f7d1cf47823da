#include <algorithm>
#include <numeric>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/fitting.hpp"

namespace rlaif::evaluate {
namespace {

constexpr double rounding = 1e-9;  // as a cascade reads its thresholds

bool stands(double confidence, double threshold) { return confidence >= threshold - rounding; }

double mean(const std::vector<double>& values) {
  return values.empty() ? 0.0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Observed confidences, those within rounding of each other once, and 1.
std::vector<double> grid(std::vector<double> confidence) {
  confidence.push_back(1.0);
  std::sort(confidence.begin(), confidence.end());
  std::vector<double> thresholds;
  for (const double one : confidence) {
    if (one >= 0.5 && (thresholds.empty() || one > thresholds.back() + rounding)) thresholds.push_back(std::min(one, 1.0));
  }
  return thresholds;
}

}  // namespace

CascadeCurve cascade_curve(const CascadeStep& step, double least_agreement) {
  const std::size_t pairs = step.confidence.size();
  for (const auto* column : {&step.right, &step.cost_usd, &step.dear_right, &step.dear_cost_usd}) {
    RLAIF_CHECK(column->size() == pairs, "the columns of a cascade are of different pairs");
  }
  std::vector<std::size_t> by_confidence(pairs);
  std::iota(by_confidence.begin(), by_confidence.end(), std::size_t{0});
  std::stable_sort(by_confidence.begin(), by_confidence.end(),
                   [&](std::size_t a, std::size_t b) { return step.confidence[a] < step.confidence[b]; });
  CascadeCurve curve;
  double right = std::accumulate(step.right.begin(), step.right.end(), 0.0);
  double cost = std::accumulate(step.cost_usd.begin(), step.cost_usd.end(), 0.0);
  std::size_t asked = 0;
  const double all = std::max<double>(1.0, static_cast<double>(pairs));
  for (const double threshold : grid(step.confidence)) {
    for (; asked < pairs && !stands(step.confidence[by_confidence[asked]], threshold); ++asked) {
      const std::size_t i = by_confidence[asked];
      right += step.dear_right[i] - step.right[i];
      cost += step.dear_cost_usd[i];
    }
    curve.points.push_back({threshold, static_cast<double>(asked) / all, right / all, cost / all});
  }
  const auto better = [&](const CascadePoint& a, const CascadePoint& b) {
    const bool a_reaches = a.agreement >= least_agreement - 1e-12, b_reaches = b.agreement >= least_agreement - 1e-12;
    if (a_reaches != b_reaches) return a_reaches;
    if (!a_reaches && a.agreement != b.agreement) return a.agreement > b.agreement;
    return a.share_asked < b.share_asked;
  };
  for (std::size_t k = 1; k < curve.points.size(); ++k) {
    if (better(curve.points[k], curve.points[curve.chosen])) curve.chosen = k;
  }
  return curve;
}

CascadeFit fit_cascade(std::span<const std::vector<double>> confidence, std::span<const std::vector<double>> right,
                       std::span<const std::vector<double>> cost_usd, double target) {
  const std::size_t judges = confidence.size();
  RLAIF_CHECK(judges >= 2 && right.size() == judges && cost_usd.size() == judges, "a cascade is of two judges and more");
  const double least = target * mean(right.back());
  CascadeFit fit;
  fit.thresholds.resize(judges - 1);
  fit.curves.resize(judges - 1);
  std::vector<double> dear_right = right.back(), dear_cost = cost_usd.back();
  for (std::size_t j = judges - 1; j-- > 0;) {
    const CascadeStep step{confidence[j], right[j], cost_usd[j], dear_right, dear_cost};
    fit.curves[j] = cascade_curve(step, least);
    fit.thresholds[j] = fit.curves[j].points[fit.curves[j].chosen].threshold;
    for (std::size_t i = 0; i < dear_right.size(); ++i) {
      const bool asked = !stands(confidence[j][i], fit.thresholds[j]);
      dear_right[i] = asked ? dear_right[i] : right[j][i];
      dear_cost[i] = cost_usd[j][i] + (asked ? dear_cost[i] : 0.0);
    }
  }
  return fit;
}

}  // namespace rlaif::evaluate
