// How likely a model finds answers: log-probabilities summed over an answer's tokens.
//
//   const std::vector<Answer> answers{{pair.first, pair.prompt_length}, {pair.second, pair.prompt_length}};
//   const torch::Tensor log_probs_S = answer_log_probs(policy, answers);
#pragma once

#include <cstdint>
#include <span>

#include "rlaif/core/types.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::train {

// A view of a prompt and its answer in one sequence, each of at least 1 token.
struct Answer {
  std::span<const TokenId> tokens;
  std::int64_t prompt_length = 0;
  std::int64_t length() const { return static_cast<std::int64_t>(tokens.size()) - prompt_length; }  // of the answer
};

// log π(answer | prompt) = sum of log π(y_t | x, y_<t) over the answer's tokens, its end token among them: float64 [S]
// on the model's device, differentiable. All answers go through the model at once; the sums are taken in double.
torch::Tensor answer_log_probs(const model::Transformer& model, std::span<const Answer> answers);

}  // namespace rlaif::train
