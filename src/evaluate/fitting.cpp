#include "rlaif/evaluate/fitting.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/judge/kinds/combine.hpp"

#include "cholesky.hpp"
#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

double log_likelihood(double y, double x) { return y * log_logistic(x) + (1.0 - y) * log_logistic(-x); }

bool counts(double p, double reference) { return std::isfinite(p) && std::isfinite(reference); }

struct Regression {
  std::span<const std::vector<double>> columns;
  std::span<const double> y;
  double penalty;  // ridge * n

  double score(const std::vector<double>& coefficients, std::size_t row) const {
    double x = 0.0;
    for (std::size_t c = 0; c < columns.size(); ++c) x += coefficients[c] * columns[c][row];
    return x;
  }
  double objective(const std::vector<double>& coefficients) const {
    double sum = 0.0;
    for (std::size_t row = 0; row < y.size(); ++row) sum += log_likelihood(y[row], score(coefficients, row));
    for (const double one : coefficients) sum -= 0.5 * penalty * one * one;
    return sum;
  }
  std::vector<double> newton_step(const std::vector<double>& coefficients) const {
    const std::size_t n = columns.size();
    std::vector<double> gradient(n);
    Matrix hessian(n, std::vector<double>(n, 0.0));
    for (std::size_t c = 0; c < n; ++c) {
      gradient[c] = -penalty * coefficients[c];
      hessian[c][c] = penalty;
    }
    for (std::size_t row = 0; row < y.size(); ++row) {
      const double p = logistic(score(coefficients, row)), weight = p * (1.0 - p);
      for (std::size_t c = 0; c < n; ++c) {
        gradient[c] += (y[row] - p) * columns[c][row];
        for (std::size_t d = 0; d < n; ++d) hessian[c][d] += weight * columns[c][row] * columns[d][row];
      }
    }
    return solve(std::move(hessian), std::move(gradient));
  }
};

double root_mean_square(const std::vector<double>& values) {
  double squares = 0.0;
  for (const double value : values) squares += value * value;
  return values.empty() ? 0.0 : std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

double fitted_temperature(std::span<const double> p, std::span<const double> reference) {
  RLAIF_CHECK(p.size() == reference.size(), "verdicts and references are of different pairs");
  std::vector<double> odds, labels;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!counts(p[i], reference[i]) || p[i] == 0.5) continue;
    odds.push_back(judge::log_odds(p[i]));
    labels.push_back(reference[i]);
  }
  if (odds.empty()) return 1.0;
  const auto objective = [&](double log_temperature) {
    const double inverse = std::exp(-log_temperature);
    double sum = 0.0;
    for (std::size_t i = 0; i < odds.size(); ++i) sum += log_likelihood(labels[i], odds[i] * inverse);
    return sum;
  };
  // Concave in 1 / T, so there is one maximum in log T.
  const double golden = (std::sqrt(5.0) - 1.0) / 2.0;
  double low = std::log(1e-4), high = std::log(1e4);
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double at_left = objective(left), at_right = objective(right);
  while (high - low > 1e-10) {
    if (at_left >= at_right) {  // where all is right, the likelihood is 1 to the last digit at all small T
      high = right, right = left, at_right = at_left;
      left = high - golden * (high - low), at_left = objective(left);
    } else {
      low = left, left = right, at_left = at_right;
      right = low + golden * (high - low), at_right = objective(right);
    }
  }
  return std::exp(0.5 * (low + high));
}

std::vector<double> logistic_coefficients(std::span<const std::vector<double>> columns, std::span<const double> y,
                                          double ridge) {
  for (const auto& column : columns)
    RLAIF_CHECK(column.size() == y.size(), "columns and outcomes are of different rows");
  RLAIF_CHECK(ridge > 0.0, "a regression needs a ridge to be finite");
  std::vector<double> coefficients(columns.size(), 0.0);
  if (y.empty() || columns.empty()) return coefficients;
  const Regression regression{columns, y, ridge * static_cast<double>(y.size())};
  double best = regression.objective(coefficients);
  for (int round = 0; round < 200; ++round) {
    const std::vector<double> step = regression.newton_step(coefficients);
    double length = 0.0, share = 1.0;
    for (const double one : step) length = std::max(length, std::abs(one));
    std::vector<double> next(coefficients);
    if (length < 1e-6) {  // the objective no longer shows such a step, and the next one would be its square
      for (std::size_t c = 0; c < next.size(); ++c) next[c] += step[c];
      return next;
    }
    double reached = best;
    for (; share > 1e-6; share *= 0.5) {
      for (std::size_t c = 0; c < next.size(); ++c) next[c] = coefficients[c] + share * step[c];
      reached = regression.objective(next);
      if (reached > best) break;
    }
    if (reached <= best) break;
    coefficients = next;
    best = reached;
  }
  return coefficients;
}

std::vector<double> ensemble_weights(std::span<const std::vector<double>> p_by_judge,
                                     std::span<const double> temperatures, std::span<const double> reference,
                                     double ridge) {
  RLAIF_CHECK(p_by_judge.size() == temperatures.size(), "a temperature a judge");
  std::vector<std::vector<double>> columns(p_by_judge.size());
  std::vector<double> y;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (!std::isfinite(reference[i])) continue;
    y.push_back(reference[i]);
    for (std::size_t j = 0; j < p_by_judge.size(); ++j) {
      RLAIF_CHECK(p_by_judge[j].size() == reference.size(), "verdicts and references are of different pairs");
      const double p = p_by_judge[j][i];
      columns[j].push_back(std::isfinite(p) ? judge::log_odds(p) / temperatures[j] : 0.0);
    }
  }
  return logistic_coefficients(columns, y, ridge);
}

double length_slope(std::span<const double> p, std::span<const double> reference,
                    std::span<const double> length_differences) {
  RLAIF_CHECK(p.size() == reference.size() && p.size() == length_differences.size(),
              "verdicts and lengths are of different pairs");
  std::vector<std::vector<double>> columns(2);
  std::vector<double> y;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!counts(p[i], reference[i])) continue;
    y.push_back(p[i]);
    columns[0].push_back(2.0 * reference[i] - 1.0);
    columns[1].push_back(length_differences[i]);
  }
  const double scale = root_mean_square(columns[1]);
  if (scale == 0.0) return 0.0;
  for (double& difference : columns[1]) difference /= scale;
  return logistic_coefficients(columns, y, 1e-4)[1] / scale;
}

}  // namespace rlaif::evaluate
