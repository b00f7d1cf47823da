#include "minibatches.hpp"

#include <numeric>

#include "rlaif/core/rng.hpp"
#include "rlaif/train/throughput.hpp"

namespace rlaif::train {

std::vector<Shares> minibatches(const Experience& experience, const PolicyGradientOptions& options, std::int64_t step,
                                int epoch) {
  const std::int64_t count = (options.rollout.responses_per_step() + options.minibatch - 1) / options.minibatch;
  std::vector<Shares> all(static_cast<std::size_t>(count), Shares(experience.grains.size()));
  for (std::size_t g = 0; g < experience.grains.size(); ++g) {
    const GrainExperience& grain = experience.grains[g];
    std::vector<std::size_t> order(grain.responses.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Rng(options.seed, Stream::data_order,
        {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(grain.grain)})
        .shuffle(order);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::int64_t minibatch = (grain.first + static_cast<std::int64_t>(i)) % count;
      all[static_cast<std::size_t>(minibatch)][g].push_back(&grain.responses[order[i]]);
    }
  }
  return all;
}

std::vector<double> in_micro_batches(std::span<const Response* const> responses, std::int64_t limit, std::size_t width,
                                     const std::function<std::vector<double>(std::span<const Response* const>)>& pass) {
  std::vector<std::int64_t> tokens;
  for (const Response* response : responses) {
    tokens.push_back(static_cast<std::int64_t>(response->prompt_tokens.size() + response->actions.size()));
  }
  std::vector<double> sums(width, 0.0);
  for (const auto& group : micro_batches(tokens, limit)) {
    std::vector<const Response*> chosen;
    for (const std::size_t i : group) chosen.push_back(responses[i]);
    const auto row = pass(chosen);
    for (std::size_t i = 0; i < width; ++i) sums[i] += row[i];
  }
  return sums;
}

}  // namespace rlaif::train
