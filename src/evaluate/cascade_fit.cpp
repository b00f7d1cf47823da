#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>

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
    if (one >= 0.5 && (thresholds.empty() || one > thresholds.back() + rounding))
      thresholds.push_back(std::min(one, 1.0));
  }
  return thresholds;
}

// Steps from the last to the first, each with what follows as its dear judge; `choose` gives a step's curve and threshold.
CascadeFit backwards(std::span<const std::vector<double>> confidence, std::span<const std::vector<double>> right,
                     std::span<const std::vector<double>> cost_usd,
                     const std::function<std::pair<CascadeCurve, double>(const CascadeStep&, std::size_t)>& choose) {
  const std::size_t judges = confidence.size();
  RLAIF_CHECK(judges >= 2 && right.size() == judges && cost_usd.size() == judges,
              "a cascade is of two judges and more");
  CascadeFit fit;
  fit.thresholds.resize(judges - 1);
  fit.curves.resize(judges - 1);
  std::vector<double> dear_right = right.back(), dear_cost = cost_usd.back();
  for (std::size_t j = judges - 1; j-- > 0;) {
    std::tie(fit.curves[j], fit.thresholds[j]) =
        choose({confidence[j], right[j], cost_usd[j], dear_right, dear_cost}, j);
    for (std::size_t i = 0; i < dear_right.size(); ++i) {
      const bool asked = !stands(confidence[j][i], fit.thresholds[j]);
      dear_right[i] = asked ? dear_right[i] : right[j][i];
      dear_cost[i] = cost_usd[j][i] + (asked ? dear_cost[i] : 0.0);
    }
  }
  return fit;
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
  const double least = target * mean(right.back());
  return backwards(confidence, right, cost_usd, [&](const CascadeStep& step, std::size_t) {
    const CascadeCurve curve = cascade_curve(step, least);
    return std::pair(curve, curve.points[curve.chosen].threshold);
  });
}

CascadeFit cascade_at(std::span<const std::vector<double>> confidence, std::span<const std::vector<double>> right,
                      std::span<const std::vector<double>> cost_usd, std::span<const double> thresholds) {
  RLAIF_CHECK(thresholds.size() + 1 == confidence.size(), "a cascade has a threshold for each judge but the last");
  return backwards(confidence, right, cost_usd, [&](const CascadeStep& step, std::size_t j) {
    CascadeCurve curve = cascade_curve(step, 1.0);
    curve.chosen = curve.points.size() - 1;
    while (curve.chosen > 0 && stands(curve.points[curve.chosen - 1].threshold, thresholds[j])) --curve.chosen;
    return std::pair(curve, thresholds[j]);
  });
}

}  // namespace rlaif::evaluate
