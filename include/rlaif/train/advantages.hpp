// How much better a token or a response is than was to be expected: free functions of rewards and baselines.
//
//   const std::vector<double> advantages = gae(rewards, values, 1.0, 0.95);
#pragma once

#include <span>
#include <vector>

namespace rlaif::train {

// Generalised advantage estimation over one response (Schulman et al. 1506.02438, eq. 16); the value after the last
// token is 0. Returns advantages; returns = advantages + values.
std::vector<double> gae(std::span<const double> rewards, std::span<const double> values, double gamma, double lambda);

// Mean and variance from sums over a global batch; whitened = (a - mean) / (std + 1e-8).
struct Moments {
  double count = 0, sum = 0, sum_of_squares = 0;
  void add(double value);
  double mean() const;
  double variance() const;  // population
};

}  // namespace rlaif::train
