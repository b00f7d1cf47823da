#include "rlaif/evaluate/length.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/statistics.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

// Root mean square about zero: the regression is read at a difference of zero, which scaling must not move.
double scale_of(std::span<const double> differences) {
  double squares = 0.0;
  for (const double difference : differences) squares += difference * difference;
  return squares > 0.0 ? std::sqrt(squares / static_cast<double>(differences.size())) : 1.0;
}

// Standard deviation about the mean; 1 where there is none.
double deviation_of(std::span<const double> differences) {
  if (differences.empty()) return 1.0;
  const auto count = static_cast<double>(differences.size());
  const double mean = std::accumulate(differences.begin(), differences.end(), 0.0) / count;
  double squares = 0.0;
  for (const double difference : differences) squares += (difference - mean) * (difference - mean);
  return squares > 0.0 ? std::sqrt(squares / count) : 1.0;
}

// Logistic regression of wins on a column, with an intercept, read where the column is zero.
double win_rate_at_zero(std::span<const double> wins, std::span<const double> column) {
  if (wins.empty()) return not_a_number;
  const auto pairs = static_cast<double>(wins.size());
  const double ridge = 1e-3 * pairs;
  // Where one side wins everything the intercept has no finite maximum: the win rate is that of the data.
  const auto [worst, best] = std::minmax_element(wins.begin(), wins.end());
  if (*worst == *best && (*best == 0.0 || *best == 1.0)) return *best;
  double intercept = 0.0, slope = 0.0;
  for (int iteration = 0; iteration < 100; ++iteration) {
    // Newton's method on the penalised log-likelihood.
    double gradient_0 = 0.0, gradient_1 = -ridge * slope;
    double h_00 = 1e-12, h_01 = 0.0, h_11 = ridge;
    for (std::size_t i = 0; i < wins.size(); ++i) {
      const double x = column[i];
      const double p = logistic(intercept + slope * x), weight = p * (1.0 - p);
      gradient_0 += wins[i] - p;
      gradient_1 += (wins[i] - p) * x;
      h_00 += weight;
      h_01 += weight * x;
      h_11 += weight * x * x;
    }
    const double determinant = h_00 * h_11 - h_01 * h_01;
    const double step_0 = (h_11 * gradient_0 - h_01 * gradient_1) / determinant;
    const double step_1 = (h_00 * gradient_1 - h_01 * gradient_0) / determinant;
    intercept += std::clamp(step_0, -1.0, 1.0);
    slope += std::clamp(step_1, -1.0, 1.0);
    if (std::abs(step_0) + std::abs(step_1) < 1e-12) break;
  }
  return logistic(intercept);
}

}  // namespace

double longer_preferred(std::span<const double> p_first, std::span<const double> length_differences) {
  RLAIF_CHECK(p_first.size() == length_differences.size(), "verdicts and lengths are of different pairs");
  double preferred = 0.0, pairs = 0.0;
  for (std::size_t i = 0; i < p_first.size(); ++i) {
    if (length_differences[i] == 0.0) continue;
    preferred += same_side(p_first[i], length_differences[i] > 0.0 ? 1.0 : 0.0);
    pairs += 1.0;
  }
  return pairs > 0.0 ? preferred / pairs : not_a_number;
}

double length_controlled_win_rate(std::span<const double> wins, std::span<const double> length_differences) {
  RLAIF_CHECK(wins.size() == length_differences.size(), "wins and lengths are of different pairs");
  const double scale = scale_of(length_differences);
  std::vector<double> columns;
  for (const double difference : length_differences) columns.push_back(difference / scale);
  return win_rate_at_zero(wins, columns);
}

double saturating_length_controlled_win_rate(std::span<const double> wins, std::span<const double> length_differences) {
  RLAIF_CHECK(wins.size() == length_differences.size(), "wins and lengths are of different pairs");
  const double scale = deviation_of(length_differences);
  std::vector<double> columns;
  for (const double difference : length_differences) columns.push_back(std::tanh(difference / scale));
  return win_rate_at_zero(wins, columns);
}

}  // namespace rlaif::evaluate
