#include "group_wins.hpp"

#include <cmath>

#include "rlaif/core/error.hpp"

namespace rlaif::stages {

std::vector<double> wins_in_groups(std::span<const double> preferred, std::span<const std::size_t> sizes) {
  std::vector<double> wins;
  std::size_t next = 0;
  for (const std::size_t size : sizes) {
    std::vector<double> sums(size, 0.0), counts(size, 0.0);
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = i + 1; j < size; ++j) {
        RLAIF_CHECK(next < preferred.size(), "a number for every pair");
        const double p = preferred[next++];
        if (std::isnan(p)) continue;
        sums[i] += p;
        sums[j] += 1.0 - p;
        counts[i] += 1.0;
        counts[j] += 1.0;
      }
    }
    for (std::size_t i = 0; i < size; ++i) wins.push_back(sums[i] / counts[i]);
  }
  RLAIF_CHECK(next == preferred.size(), "no number without a pair");
  return wins;
}

}  // namespace rlaif::stages
