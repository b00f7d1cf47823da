#include "rlaif/train/advantages.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"

namespace rlaif::train {

std::vector<double> gae(std::span<const double> rewards, std::span<const double> values, double gamma, double lambda) {
  RLAIF_CHECK(rewards.size() == values.size(), "one value a reward");
  std::vector<double> advantages(rewards.size());
  double next_value = 0.0;
  double next_advantage = 0.0;
  for (std::size_t t = rewards.size(); t-- > 0;) {
    const double delta = rewards[t] + gamma * next_value - values[t];
    next_advantage = delta + gamma * lambda * next_advantage;
    next_value = values[t];
    advantages[t] = next_advantage;
  }
  return advantages;
}

void Moments::add(double value) {
  count += 1.0;
  sum += value;
  sum_of_squares += value * value;
}

double Moments::mean() const { return count > 0.0 ? sum / count : 0.0; }

double Moments::variance() const {
  if (count <= 0.0) return 0.0;
  return std::max(0.0, sum_of_squares / count - mean() * mean());
}

}  // namespace rlaif::train
