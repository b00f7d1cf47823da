// Whether a judge is right as often as it claims.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace rlaif::evaluate {

struct ReliabilityBin {
  double low = 0.0, high = 0.0;  // confidence in [low, high), the last one closed
  std::size_t count = 0;
  double mean_confidence = 0.0;  // NaN where the bin is empty
  double share_right = 0.0;      // NaN where the bin is empty
};

struct Calibration {
  std::vector<ReliabilityBin> bins;
  double expected_error = 0.0;  // sum over bins of count / total * |share right - mean confidence|
  double brier = 0.0;           // mean of (p - reference)^2
};

// Expected calibration error (Guo et al. 1706.04599, eq. 3). Which completion of a pair is called first is arbitrary,
// so a verdict p counts by its confidence max(p, 1 - p), and the bins part [0.5, 1] evenly; it is right by the
// reference's probability of the side it names (0.5 where it names none). Pairs whose p or reference is not finite are
// left out.
Calibration calibration(std::span<const double> p, std::span<const double> reference, int bins = 10);

}  // namespace rlaif::evaluate
