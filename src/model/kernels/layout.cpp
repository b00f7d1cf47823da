#include "rlaif/model/layout.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {

torch::Tensor PackedSequences::last_rows_S() const {
  torch::Tensor rows_S = torch::empty({num_sequences()}, torch::kInt64);
  auto* const out = rows_S.data_ptr<std::int64_t>();
  for (std::int64_t s = 0; s < num_sequences(); ++s) out[s] = offsets[static_cast<std::size_t>(s) + 1] - 1;
  return rows_S.to(tokens_N.device());
}

PackedSequences pack(std::span<const std::vector<TokenId>> sequences, torch::Device device) {
  PackedSequences packed;
  packed.offsets.reserve(sequences.size() + 1);
  packed.offsets.push_back(0);
  for (const auto& sequence : sequences) {
    RLAIF_CHECK(!sequence.empty(), "a packed sequence has at least one token");
    packed.offsets.push_back(packed.offsets.back() + static_cast<std::int64_t>(sequence.size()));
  }
  torch::Tensor tokens_N = torch::empty({packed.num_tokens()}, torch::kInt64);
  torch::Tensor positions_N = torch::empty({packed.num_tokens()}, torch::kInt64);
  auto* token = tokens_N.data_ptr<std::int64_t>();
  auto* position = positions_N.data_ptr<std::int64_t>();
  for (const auto& sequence : sequences)
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      *token++ = sequence[i];
      *position++ = static_cast<std::int64_t>(i);
    }
  packed.tokens_N = tokens_N.to(device);
  packed.positions_N = positions_N.to(device);
  return packed;
}

}  // namespace rlaif::model
