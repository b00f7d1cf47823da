#include "rlaif/evaluate/student.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "rlaif/core/error.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// P(|T| <= t).
double within(double t, int degrees) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const bool odd = degrees % 2 == 1;
  double sum = 0.0, term = odd ? cosine : 1.0;
  for (int k = odd ? 3 : 2; k <= degrees; k += 2) {
    sum += term;
    term *= cosine * cosine * static_cast<double>(k - 1) / static_cast<double>(k);
  }
  return odd ? 2.0 / std::numbers::pi * (angle + sine * sum) : sine * sum;
}

}  // namespace

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return not_a_number;
  const double mean = mean_of(values);
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double student_t95(int degrees) {
  RLAIF_CHECK(degrees >= 1, "degrees of freedom");
  double low = 1.9, high = 13.0;  // 1.96 for many degrees, 12.706 for one
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2.0;
    (within(middle, degrees) < 0.95 ? low : high) = middle;
  }
  return (low + high) / 2.0;
}

Interval student_mean(std::span<const double> values) {
  if (values.empty()) return {not_a_number, not_a_number, not_a_number};
  const double mean = mean_of(values);
  if (values.size() == 1) return {mean, not_a_number, not_a_number};
  const double half = student_t95(static_cast<int>(values.size()) - 1) * standard_deviation(values) /
                      std::sqrt(static_cast<double>(values.size()));
  return {mean, mean - half, mean + half};
}

}  // namespace rlaif::evaluate
