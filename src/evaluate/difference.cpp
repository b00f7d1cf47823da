#include "rlaif/evaluate/difference.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "numbers.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::evaluate {

Interval independent_difference(const Interval& a, const Interval& b) {
  const double value = b.value - a.value;
  return {value, value - std::hypot(b.value - b.low, a.high - a.value),
          value + std::hypot(b.high - b.value, a.value - a.low)};
}

bool have_same_groups(const Grouped& a, const Grouped& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& one, const auto& other) {
           return one.first == other.first;
         });
}

Interval paired_difference(const Grouped& a, const Grouped& b, std::uint64_t seed, int resamples) {
  RLAIF_CHECK(have_same_groups(a, b), "what is paired must be of the same groups");
  std::vector<std::pair<double, double>> of_a, of_b;
  for (const auto& [group, values] : a) of_a.push_back(values);
  for (const auto& [group, values] : b) of_b.push_back(values);
  const auto mean = [](const std::vector<std::pair<double, double>>& values, std::span<const std::size_t> chosen) {
    double sum = 0.0, count = 0.0;
    for (const std::size_t group : chosen) {
      sum += values[group].first;
      count += values[group].second;
    }
    return count == 0.0 ? not_a_number : sum / count;
  };
  return bootstrap(
      of_a.size(), [&](std::span<const std::size_t> chosen) { return mean(of_b, chosen) - mean(of_a, chosen); }, seed,
      resamples);
}

bool tells_apart(const Interval& difference) { return difference.low > 0.0 || difference.high < 0.0; }

}  // namespace rlaif::evaluate
