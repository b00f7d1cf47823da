// Reward model training on soft preference labels.
#pragma once

#include <span>
#include <vector>

#include "rlaif/model/transformer.hpp"
#include "rlaif/train/loop.hpp"
#include "rlaif/train/options.hpp"
#include "rlaif/train/pairs.hpp"

namespace rlaif::train {

// Epochs shuffle prompts, not pairs; a completion that stands in several pairs of a grain is computed once for all (Ouyang
// et al. 2203.02155, section 3.5). A model whose body has an adapter trains adapter and head alone.
// Metrics a step: step, epoch, loss, accuracy (against the harder side of the label), margin (mean of score differences
// towards the preferred), learning_rate, gradient_norm. After the last step the model's offset and scale are set to mean
// and standard deviation of its raw scores over training completions, so that scores are centred with unit spread.
void train_reward_model(model::ScalarModel& model, std::span<const TokenPair> pairs, const RewardOptions& options,
                        const StageRun& run);

// Scores of sequences in packed batches of at most `batch_tokens`, in order, without gradients. `trunks`, where given, holds
// every sequence's states [T, d] before the first layer with an adapter: layers below are not computed again.
std::vector<double> score_sequences(const model::ScalarModel& model, std::span<const std::vector<TokenId>> sequences,
                                    std::int64_t batch_tokens = 2048, std::span<const torch::Tensor> trunks = {});

}  // namespace rlaif::train
