#include "rlaif/evaluate/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rlaif/core/error.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

// Bins whose mean_confidence and share_right are sums yet.
std::vector<ReliabilityBin> empty_bins(int count) {
  std::vector<ReliabilityBin> bins(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < bins.size(); ++i) {
    bins[i].low = 0.5 + 0.5 * static_cast<double>(i) / count;
    bins[i].high = 0.5 + 0.5 * static_cast<double>(i + 1) / count;
  }
  return bins;
}

void add(std::vector<ReliabilityBin>& bins, double p, double reference) {
  const double confidence = std::max(p, 1.0 - p);
  const double place = (confidence - 0.5) * 2.0 * static_cast<double>(bins.size());
  ReliabilityBin& bin = bins[std::min(static_cast<std::size_t>(place), bins.size() - 1)];
  ++bin.count;
  bin.mean_confidence += confidence;
  bin.share_right += p == 0.5 ? 0.5 : p > 0.5 ? reference : 1.0 - reference;
}

}  // namespace

Calibration calibration(std::span<const double> p, std::span<const double> reference, int bins) {
  RLAIF_CHECK(p.size() == reference.size(), "verdicts and references are of different pairs");
  RLAIF_CHECK(bins > 0, "calibration needs at least one bin");
  Calibration result;
  result.bins = empty_bins(bins);
  double total = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isfinite(p[i]) || !std::isfinite(reference[i])) continue;
    add(result.bins, p[i], reference[i]);
    result.brier += (p[i] - reference[i]) * (p[i] - reference[i]);
    total += 1.0;
  }
  for (ReliabilityBin& bin : result.bins) {
    const auto count = static_cast<double>(bin.count);
    result.expected_error += std::abs(bin.share_right - bin.mean_confidence);
    bin.mean_confidence = bin.count > 0 ? bin.mean_confidence / count : not_a_number;
    bin.share_right = bin.count > 0 ? bin.share_right / count : not_a_number;
  }
  result.expected_error = total > 0.0 ? result.expected_error / total : not_a_number;
  result.brier = total > 0.0 ? result.brier / total : not_a_number;
  return result;
}

}  // namespace rlaif::evaluate
