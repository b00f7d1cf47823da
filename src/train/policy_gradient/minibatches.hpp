// The responses of a step as policy and value model are updated on them. Private to train.
//   for (const Shares& shares : minibatches(experience, options, step, epoch)) policy_update.update(shares, ...);
#pragma once

#include <functional>
#include <vector>

#include "experience.hpp"

namespace rlaif::train {

// Over all minibatches of a step, equal on every rank.
struct UpdateStatistics {
  double tokens = 0, denominator = 0, policy_loss = 0, clipped = 0, ratio = 0, policy_kl = 0;  // sums
  double entropy = 0, entropy_tokens = 0;             // sums over the first epoch
  double value_tokens = 0, value_loss = 0;            // sums
  double gradient_norm = 0, value_gradient_norm = 0;  // sums over updates
  double updates = 0;
  double ratio_max_deviation = 0;  // |ratio - 1| of a token in the first minibatch
  double ratio_least = 0, ratio_most = 0;
};

// The responses of each own grain that fall to a minibatch.
using Shares = std::vector<std::vector<const Response*>>;

// Response i of the step goes to minibatch i mod (number of minibatches) after a shuffle within its grain.
std::vector<Shares> minibatches(const Experience& experience, const PolicyGradientOptions& options, std::int64_t step,
                                int epoch);

// Sums of the rows that `pass` returns for parts of some responses of at most `limit` tokens (micro_batches).
std::vector<double> in_micro_batches(std::span<const Response* const> responses, std::int64_t limit, std::size_t width,
                                     const std::function<std::vector<double>(std::span<const Response* const>)>& pass);

}  // namespace rlaif::train
