// Several sequences laid end to end, without padding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/model/tensor.hpp"

namespace rlaif::model {

// N tokens of S sequences. Shape legend for all of model and train: N tokens, S sequences, d hidden size,
// V vocabulary, H heads, KV key/value heads, D head size, F feed-forward size.
struct PackedSequences {
  std::vector<std::int64_t> offsets;  // S + 1; sequence s is tokens [offsets[s], offsets[s+1])
  torch::Tensor tokens_N;             // int64
  torch::Tensor positions_N;          // int64, from 0 in every sequence

  std::int64_t num_sequences() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t num_tokens() const { return offsets.back(); }
  // Row of the last token of every sequence, int64 [S].
  torch::Tensor last_rows_S() const;
};

PackedSequences pack(std::span<const std::vector<TokenId>> sequences, torch::Device device = torch::kCPU);

}  // namespace rlaif::model
