// Pairs of answers as token sequences: what reward models and policies learn preferences from.
//
//   TokenPair pair{{1, 7, 9, 2}, {1, 7, 8, 5, 2}, 0.9};  // the first answer, 9 2, is better with probability 0.9
//   pair.prompt_length = 2;                              // 1 7 is the prompt
#pragma once

#include <cstdint>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::train {

// Prompt and answer with its end token (where it ended) together. A reward model's score is read at the last token; a
// policy learns the tokens of the answer.
struct TokenPair {
  std::vector<TokenId> first, second;
  double p_first = 0.5;            // P(first is better), a soft label
  std::uint64_t prompt_id = 0;     // pairs of one prompt that stand next to each other stay together
  double weight = 1.0;             // of its loss, above 0; a batch's loss is the weighted mean
  std::int64_t prompt_length = 0;  // leading tokens of both that are the prompt; reward models do not look at it
};

// The label of who looks at the better side alone: 1, 0, and 0.5 for a tie.
inline double hard_label(double p_first) { return p_first > 0.5 ? 1.0 : p_first < 0.5 ? 0.0 : 0.5; }

}  // namespace rlaif::train
