// The loop of training on pairs of answers, whatever the model and its loss. Private to train.
//   PairTraining training{.groups = {{"policy", policy.trainable_parameters()}}, ...};
//   train_on_pairs(training, pairs, PairSteps(pairs, batch, epochs, seed), run);
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "pair_batches.hpp"
#include "rlaif/train/loop.hpp"
#include "rlaif/train/optimizer.hpp"

namespace rlaif::train {

// What a step did, for its line of metrics.
struct PairStep {
  std::int64_t step = 0, epoch = 0;  // from 0
  const std::vector<double>& sums;   // of the columns, over the batch
  double learning_rate = 0, gradient_norm = 0;
};

struct PairTraining {
  std::vector<FlatParameters::Group> groups;  // what is trained
  AdamWOptions adam;
  ScheduleOptions schedule;
  double flops_per_token = 0;
  std::size_t columns = 0;  // of a row of sums
  std::size_t weight = 0;   // the column that the sum of losses is divided by
  std::size_t tokens = 0;   // the column of tokens processed
  // Optional: what a step needs to know of all its pairs before. Collective.
  std::function<void(std::int64_t step, PairSteps& steps)> before_step = {};
  // Forward and backward of the sum of losses of some pairs, added to the row of sums. `last_of`: whose grain ends
  // with it.
  std::function<void(std::span<const std::size_t> chosen, std::vector<double>& row, DataParallel* last_of)> backward;
  std::function<Json(const PairStep&)> metrics;
  std::function<std::string(const Json&)> progress_text;
};

// Of a policy, or of its adapter alone where it has one. Columns and functions are the caller's.
PairTraining policy_on_pairs(const model::Transformer& policy, const ScheduleOptions& schedule,
                             const AdamWOptions& adam);

// All epochs of `steps`, from the newest checkpoint on.
void train_on_pairs(const PairTraining& training, std::span<const TokenPair> pairs, PairSteps steps,
                    const StageRun& run);

}  // namespace rlaif::train
