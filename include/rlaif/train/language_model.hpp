// Next-token training on weighted tokens: supervised fine-tuning of the policy, and of a judge.
#pragma once

#include <functional>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/train/loop.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::train {

struct Example {
  std::vector<TokenId> tokens;
  std::vector<float> weights;  // loss weight of each token as a target; weights[0] is not used
};

// `example(i)` gives the i-th example of the whole run, i in [0, steps * batch): keyed, so any rank can make any one.
// Loss: sum of weighted cross-entropy over the sum of weights of the global batch. Logits are computed only where the
// weight is not 0.
// Metrics a step: step (from 1), loss, tokens (with a loss), learning_rate, gradient_norm.
// Throws Error(input) for an example whose weights do not match its tokens or that exceeds the context, and for a
// step without any weight.
void train_language_model(model::Transformer& model, const std::function<Example(std::int64_t)>& example,
                          const LanguageModelOptions& options, const StageRun& run);

}  // namespace rlaif::train
