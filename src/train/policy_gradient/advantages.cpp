#include "rlaif/train/advantages.hpp"

#include <algorithm>
#include <cmath>

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

namespace {

constexpr double kDeviationFloor = 1e-4;

// Count and mean of what is there.
struct Valid {
  double count = 0.0, mean = 0.0;
  explicit Valid(std::span<const double> rewards) {
    double sum = 0.0;
    for (const double reward : rewards) {
      if (std::isnan(reward)) continue;
      count += 1.0;
      sum += reward;
    }
    if (count > 0.0) mean = sum / count;
  }
};

// (r - mean) * scale, 0 where there is no reward or no other one.
std::vector<double> scaled_differences(std::span<const double> rewards, const Valid& valid, double scale) {
  std::vector<double> advantages;
  for (const double reward : rewards)
    advantages.push_back(std::isnan(reward) || valid.count < 2.0 ? 0.0 : (reward - valid.mean) * scale);
  return advantages;
}

}  // namespace

std::vector<double> group_advantages(std::span<const double> rewards) {
  const Valid valid(rewards);
  double squares = 0.0;
  for (const double reward : rewards)
    if (!std::isnan(reward)) squares += (reward - valid.mean) * (reward - valid.mean);
  const double deviation = valid.count > 1.0 ? std::sqrt(squares / (valid.count - 1.0)) : 0.0;
  return scaled_differences(rewards, valid, 1.0 / (deviation + kDeviationFloor));
}

std::vector<double> group_mean_advantages(std::span<const double> rewards) {
  return scaled_differences(rewards, Valid(rewards), 1.0);
}

std::vector<double> leave_one_out_advantages(std::span<const double> rewards) {
  const Valid valid(rewards);
  return scaled_differences(rewards, valid, valid.count > 1.0 ? valid.count / (valid.count - 1.0) : 0.0);
}

std::vector<double> baseline_advantages(std::span<const double> rewards, double baseline) {
  std::vector<double> advantages;
  for (const double reward : rewards)
    advantages.push_back(std::isnan(reward) || std::isnan(baseline) ? 0.0 : reward - baseline);
  return advantages;
}

bool is_silent(std::span<const double> rewards) {
  double least = INFINITY, most = -INFINITY;
  std::size_t count = 0;
  for (const double reward : rewards) {
    if (std::isnan(reward)) continue;
    ++count;
    least = std::min(least, reward);
    most = std::max(most, reward);
  }
  return count > 1 && least == most;
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
