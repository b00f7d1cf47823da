// How much better a token or a response is than was to be expected: free functions of rewards and baselines.
//
//   const std::vector<double> advantages = gae(rewards, values, 1.0, 0.95);               // of a response's tokens
//   const std::vector<double> of_group = leave_one_out_advantages(rewards_of_one_prompt);  // of its responses
#pragma once

#include <span>
#include <vector>

namespace rlaif::train {

// Generalised advantage estimation over one response (Schulman et al. 1506.02438, eq. 16); the value after the last
// token is 0. Returns advantages; returns = advantages + values.
std::vector<double> gae(std::span<const double> rewards, std::span<const double> values, double gamma, double lambda);

// Advantages of the responses to one prompt from their rewards r. A reward that is NaN could not be had: it leaves mean
// and deviation, and its advantage is 0; so is that of a reward that is alone. m is the mean, G the number of the
// others' rewards and one more.
//   group_advantages          (r - m) / (s + 1e-4), s the deviation over G - 1, from the differences to m: the mean square
//                             less the squared mean would round near ties to anything (Shao et al. 2402.03300, eq. 3)
//   group_mean_advantages     r - m (Liu et al. 2503.20783)
//   leave_one_out_advantages  r less the mean of the others, G / (G - 1) (r - m) (Ahmadian et al. 2402.14740, eq. 7)
std::vector<double> group_advantages(std::span<const double> rewards);
std::vector<double> group_mean_advantages(std::span<const double> rewards);
std::vector<double> leave_one_out_advantages(std::span<const double> rewards);
// r less a baseline from elsewhere: the mean of a batch, or the greedy response's reward (Li et al. 2310.10505). 0
// where either is NaN.
std::vector<double> baseline_advantages(std::span<const double> rewards, double baseline);

// Whether there are at least two rewards and all are the same: a group that says nothing. NaN is left out.
bool is_silent(std::span<const double> rewards);

// Mean and variance from sums over a global batch; whitened = (a - mean) / (std + 1e-8).
struct Moments {
  double count = 0, sum = 0, sum_of_squares = 0;
  void add(double value);
  double mean() const;
  double variance() const;  // population
};

}  // namespace rlaif::train
