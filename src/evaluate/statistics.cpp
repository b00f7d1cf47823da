#include "rlaif/evaluate/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

constexpr double tie_tolerance = 1e-9;

// Quantile of sorted numbers, interpolated linearly between the two nearest (Hyndman and Fan 1996, type 7).
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double beats(double a, double b) {
  if (std::abs(a - b) <= tie_tolerance) return 0.5;
  return a > b ? 1.0 : 0.0;
}

}  // namespace

Interval bootstrap(std::size_t groups, const std::function<double(std::span<const std::size_t>)>& statistic,
                   std::uint64_t seed, int resamples) {
  RLAIF_CHECK(resamples > 0, "a bootstrap needs at least one resample");
  if (groups == 0) return {not_a_number, not_a_number, not_a_number};
  std::vector<std::size_t> chosen(groups);
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  Interval interval;
  interval.value = statistic(chosen);
  std::vector<double> numbers;
  numbers.reserve(static_cast<std::size_t>(resamples));
  for (int resample = 0; resample < resamples; ++resample) {
    Rng rng(seed, Stream::bootstrap, {static_cast<std::uint64_t>(resample)});
    for (std::size_t& group : chosen) group = rng.below(groups);
    const double number = statistic(chosen);
    if (!std::isnan(number)) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  interval.low = numbers.empty() ? not_a_number : quantile(numbers, 0.025);
  interval.high = numbers.empty() ? not_a_number : quantile(numbers, 0.975);
  return interval;
}

Interval bootstrap_mean(std::span<const double> group_values, std::uint64_t seed, int resamples) {
  const std::vector<double> ones(group_values.size(), 1.0);
  return bootstrap_ratio(group_values, ones, seed, resamples);
}

Interval bootstrap_ratio(std::span<const double> numerators, std::span<const double> denominators, std::uint64_t seed,
                         int resamples) {
  RLAIF_CHECK(numerators.size() == denominators.size(), "numerators and denominators are of different groups");
  return bootstrap(
      numerators.size(),
      [&](std::span<const std::size_t> chosen) {
        double numerator = 0.0, denominator = 0.0;
        for (const std::size_t group : chosen) {
          numerator += numerators[group];
          denominator += denominators[group];
        }
        return denominator == 0.0 ? not_a_number : numerator / denominator;
      },
      seed, resamples);
}

Interval GroupedMean::interval(std::uint64_t seed, int resamples) const {
  std::vector<double> sums, counts;
  for (const auto& [group, of_group] : groups_) {
    sums.push_back(of_group.first);
    counts.push_back(of_group.second);
  }
  return bootstrap_ratio(sums, counts, seed, resamples);
}

Interval mean(std::span<const std::vector<double>> rows, std::uint64_t seed, int resamples) {
  std::vector<double> sums, counts;
  for (const std::vector<double>& row : rows) {
    sums.push_back(std::accumulate(row.begin(), row.end(), 0.0));
    counts.push_back(static_cast<double>(row.size()));
  }
  return bootstrap_ratio(sums, counts, seed, resamples);
}

Interval rate(std::span<const std::vector<std::optional<bool>>> rows, std::uint64_t seed, int resamples) {
  std::vector<double> hits, counts;
  for (const auto& row : rows) {
    double hit = 0.0, count = 0.0;
    for (const std::optional<bool>& flag : row) {
      hit += flag.value_or(false) ? 1.0 : 0.0;
      count += flag.has_value() ? 1.0 : 0.0;
    }
    hits.push_back(hit);
    counts.push_back(count);
  }
  return bootstrap_ratio(hits, counts, seed, resamples);
}

double win_share(std::span<const double> a, std::span<const double> b) {
  double wins = 0.0;
  for (const double x : a) {
    for (const double y : b) wins += beats(x, y);
  }
  const auto pairs = static_cast<double>(a.size() * b.size());
  return pairs == 0.0 ? not_a_number : wins / pairs;
}

Interval win_rate(std::span<const std::vector<double>> a, std::span<const std::vector<double>> b, std::uint64_t seed,
                  int resamples) {
  RLAIF_CHECK(a.size() == b.size(), "the two sides answer different prompts");
  std::vector<double> wins, pairs;
  for (std::size_t prompt = 0; prompt < a.size(); ++prompt) {
    pairs.push_back(static_cast<double>(a[prompt].size() * b[prompt].size()));
    wins.push_back(pairs.back() == 0.0 ? 0.0 : win_share(a[prompt], b[prompt]) * pairs.back());
  }
  return bootstrap_ratio(wins, pairs, seed, resamples);
}

double same_side(double p_a, double p_b) {
  if (p_a == 0.5 || p_b == 0.5) return 0.5;
  return (p_a > 0.5) == (p_b > 0.5) ? 1.0 : 0.0;
}

double agreement(std::span<const double> p_a, std::span<const double> p_b) {
  RLAIF_CHECK(p_a.size() == p_b.size(), "the two labelers saw different pairs");
  double agreed = 0.0;
  for (std::size_t i = 0; i < p_a.size(); ++i) agreed += same_side(p_a[i], p_b[i]);
  return p_a.empty() ? not_a_number : agreed / static_cast<double>(p_a.size());
}

}  // namespace rlaif::evaluate
