// A pass of DPO over some pairs: forward, backward, and the sums that its metrics are made of. Private to train.
//   dpo_backward(policy, reference, pairs, chosen, options, row, last_of);   // row has kDpoColumns sums
//   line.update(dpo_metrics(row));
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/train/dpo.hpp"

namespace rlaif::train {

enum DpoColumn : std::size_t {
  kDpoLoss,
  kDpoNll,
  kDpoWeight,
  kDpoDecided,  // pairs that are no ties
  kDpoMargin,
  kDpoCorrect,
  kDpoPolicyCorrect,
  kDpoChosen,
  kDpoChosenTokens,
  kDpoRejected,
  kDpoRejectedTokens,
  kDpoTokens,
  kDpoLogRatio,  // of policy to reference, both answers of all pairs; 0 without a reference
  kDpoColumns
};

// Forward and backward of the sum of losses of some pairs, added to the row of sums. `reference`: of all `pairs`, or empty for a
// loss that uses none. `last_of`: whose grain ends with it.
void dpo_backward(const model::Transformer& policy, std::span<const AnswerLogProbs> reference,
                  std::span<const TokenPair> pairs, std::span<const std::size_t> chosen, const DpoLossOptions& options,
                  std::vector<double>& row, DataParallel* last_of);

// loss, accuracy, margin, policy_accuracy, log-probabilities of preferred and other answers, nll (dpo.hpp): null where nothing was
// counted.
Json dpo_metrics(std::span<const double> sums);
// "loss 0.612, margin 0.201"
std::string dpo_progress(const Json& line);

// log π of every pair's answers under the reference, without gradients. Throws Error(input) naming stage and pair, counted from
// `first`, for an answer that the reference cannot give.
std::vector<AnswerLogProbs> pair_log_probs(const model::Transformer& reference, std::span<const TokenPair> pairs,
                                           std::size_t first, const std::string& stage);

}  // namespace rlaif::train
