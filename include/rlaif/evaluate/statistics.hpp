// Win rates, agreement and their intervals. Pure functions. A statistic of nothing is NaN.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rlaif::evaluate {

struct Interval {
  double value = 0.0;
  double low = 0.0, high = 0.0;  // 95 %
};

// Percentile bootstrap over groups (prompts): resamples groups with replacement, `statistic` maps group indices to a
// number (Efron 1979; limits at 2.5 % and 97.5 % of the sorted numbers, interpolated linearly). Keyed by seed. A
// resample on which the statistic is NaN (undefined there) is left out.
Interval bootstrap(std::size_t groups, const std::function<double(std::span<const std::size_t>)>& statistic,
                   std::uint64_t seed, int resamples = 2000);
// Mean over groups of per-group means, with its interval.
Interval bootstrap_mean(std::span<const double> group_values, std::uint64_t seed, int resamples = 2000);
// Sum of numerators over sum of denominators, both by group: the share of what groups hold in unequal numbers.
Interval bootstrap_ratio(std::span<const double> numerators, std::span<const double> denominators, std::uint64_t seed,
                         int resamples = 2000);

// The mean of values that come from groups (prompts), kept by group so that the order in which they are told does not matter.
//   GroupedMean accuracy;  accuracy.add(prompt_id, 1.0);  accuracy.interval(seed)   // by bootstrap over groups; NaN of nothing
class GroupedMean {
 public:
  void add(std::uint64_t group, double value) {
    auto& [sum, count] = groups_[group];
    sum += value;
    count += 1.0;
  }
  Interval interval(std::uint64_t seed, int resamples = 2000) const;

 private:
  std::map<std::uint64_t, std::pair<double, double>> groups_;  // sum and number
};

// Mean over all values; rows are groups (the samples of a prompt), which are resampled whole.
Interval mean(std::span<const std::vector<double>> rows, std::uint64_t seed, int resamples = 2000);
// Share of true among the flags that apply; rows are groups.
Interval rate(std::span<const std::vector<std::optional<bool>>> rows, std::uint64_t seed, int resamples = 2000);

// Share of all pairs (one of a, one of b) in which a is larger; ties (|difference| <= 1e-9) count half. NaN of nothing.
double win_share(std::span<const double> a, std::span<const double> b);
// Share of comparisons in which a beats b, ties counting half, over all pairs of a prompt's samples. Rows are prompts: a[i], b[i] are utilities of the samples for prompt i. Interval by bootstrap over prompts.
Interval win_rate(std::span<const std::vector<double>> a, std::span<const std::vector<double>> b, std::uint64_t seed,
                  int resamples = 2000);

// 1 where both name the same side, 0 where they name different ones, half where either is 0.5.
double same_side(double p_a, double p_b);
// Share of pairs where two labelers name the same side; p = 0.5 on either side counts half. Spans of P(first is
// better).
double agreement(std::span<const double> p_a, std::span<const double> p_b);

}  // namespace rlaif::evaluate
