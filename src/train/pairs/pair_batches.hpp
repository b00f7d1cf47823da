// Pairs of answers in the orders and groups in which models are trained on them. Private to train.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rlaif/train/answers.hpp"
#include "rlaif/train/pairs.hpp"

namespace rlaif::train {

// Throws Error(input) naming stage and pair where there are no pairs, where a label or weight is out of its range, and
// where a sequence is empty or longer than the model's context.
void check_pairs(std::span<const TokenPair> pairs, std::int64_t context, const std::string& stage);
// The same where prompt and answer are not both there, or the two answers are not to one prompt.
void check_answers(std::span<const TokenPair> pairs, const std::string& stage);

// Which pairs every step takes: in each epoch runs of pairs with one prompt are shuffled, as seed and epoch say, and
// cut into batches, the last of which may be short.
class PairSteps {
 public:
  PairSteps(std::span<const TokenPair> pairs, std::int64_t batch, int epochs, std::uint64_t seed);
  std::int64_t total() const { return steps_per_epoch_ * epochs_; }
  std::int64_t epoch_of(std::int64_t step) const { return step / steps_per_epoch_; }  // from 0
  // Those of a step that fall to a grain; valid until a step of another epoch is asked for.
  std::span<const std::size_t> of(std::int64_t step, int grain, int grains);

 private:
  std::span<const TokenPair> pairs_;
  std::int64_t batch_, steps_per_epoch_, epochs_;
  std::uint64_t seed_;
  std::int64_t ordered_epoch_ = -1;
  std::vector<std::size_t> order_;
};

// The pairs of a grain in groups that are processed at once, as micro_batches of throughput.hpp. Neighbours of one
// prompt stay together, as they share completions.
std::vector<std::vector<std::size_t>> micro_batches(std::span<const TokenPair> pairs,
                                                    std::span<const std::size_t> chosen, std::int64_t limit);

// The different answers of some pairs, each once in the order of first appearance, and where both of every pair are
// among them.
struct DistinctAnswers {
  std::vector<Answer> answers;
  std::vector<std::int64_t> places;  // 2 a pair: first, second
};
DistinctAnswers distinct_answers(std::span<const TokenPair> pairs, std::span<const std::size_t> chosen);

}  // namespace rlaif::train
