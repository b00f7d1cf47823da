#include "rlaif/evaluate/sequence.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"

namespace rlaif::evaluate {
namespace {

constexpr double most_at_risk = 0.5;  // of the capital, in one bet
constexpr double first_mean = 0.5, first_variance = 0.25;

}  // namespace

ConfidenceSequence::ConfidenceSequence(double error_rate, std::size_t horizon)
    : error_rate_(error_rate),
      horizon_(horizon),
      bets_(horizon > 0 ? 2 : 1),
      sum_(first_mean),
      squares_(first_variance) {
  RLAIF_CHECK(error_rate > 0.0 && error_rate < 1.0, "an error rate lies between 0 and 1");
}

void ConfidenceSequence::add(double value) {
  RLAIF_CHECK(value >= 0.0 && value <= 1.0, "a confidence sequence is of values from 0 to 1");
  const auto t = static_cast<double>(values_.size() + 1);
  const double variance = squares_ / t;  // of the values before this one
  const auto bet_for = [&](double values) {
    return std::sqrt(2.0 * std::log(2.0 / error_rate_) / (variance * values));
  };
  bets_[0].push_back(bet_for(t * std::log1p(t)));
  if (horizon_ > 0) bets_[1].push_back(bet_for(static_cast<double>(horizon_)));
  values_.push_back(value);
  sum_ += value;
  const double deviation = value - sum_ / (t + 1.0);
  squares_ += deviation * deviation;
}

double ConfidenceSequence::log_capital(Side side, double mean) const {
  const double direction = side == Side::higher ? 1.0 : -1.0;
  const double room = side == Side::higher ? mean : 1.0 - mean;  // the most that a value can be on the wrong side by
  std::vector<double> capital(bets_.size(), 0.0);
  for (std::size_t gambler = 0; gambler < bets_.size(); ++gambler) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double wanted = bets_[gambler][i], bet = room > 0.0 ? std::min(wanted, most_at_risk / room) : wanted;
      capital[gambler] += std::log1p(direction * bet * (values_[i] - mean));
    }
  }
  const double most = *std::max_element(capital.begin(), capital.end());
  double sum = 0.0;
  for (const double one : capital) sum += std::exp(one - most);
  return most + std::log(sum / static_cast<double>(capital.size())) + std::log(0.5);
}

bool ConfidenceSequence::excludes(Side side, double mean) const {
  return log_capital(side, mean) >= -std::log(error_rate_);
}

bool ConfidenceSequence::excludes(double mean) const {
  return excludes(Side::higher, mean) || excludes(Side::lower, mean);
}

// The capital of who bets on "higher" falls as the mean that it bets against rises, and the other way round.
double ConfidenceSequence::low() const {
  double out = 0.0, in = 1.0;
  if (!excludes(Side::higher, out)) return out;
  while (in - out > 1e-9) {
    const double middle = 0.5 * (in + out);
    (excludes(Side::higher, middle) ? out : in) = middle;
  }
  return in;
}

double ConfidenceSequence::high() const {
  double in = 0.0, out = 1.0;
  if (!excludes(Side::lower, out)) return out;
  while (out - in > 1e-9) {
    const double middle = 0.5 * (in + out);
    (excludes(Side::lower, middle) ? out : in) = middle;
  }
  return in;
}

}  // namespace rlaif::evaluate
