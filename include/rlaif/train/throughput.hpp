// What a training pass costs, and the items of a batch that are processed together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rlaif/model/transformer.hpp"

namespace rlaif::train {

enum class OutputMatrix { used, unused };

// Floating-point operations that forward and backward pass spend on one token in products with weights: 2 for every weight
// forward, 2 for every weight that gradients pass through (all from the lowest trained layer up), 2 for every weight that is
// trained. So 6 N for full training, and about 4 N with low-rank adapters in all layers. Attention scores, activation
// checkpointing and the rows without a loss, for which the output matrix is not used, are left out.
double training_flops_per_token(const model::Transformer& model, OutputMatrix output);

// Items of a grain in groups of at most `limit` tokens, longest first, at least one item a group; gradients of the groups
// add up to the grain's. With limit 0 there is one group of all items in their order, none where there are no items.
std::vector<std::vector<std::size_t>> micro_batches(std::span<const std::int64_t> item_tokens, std::int64_t limit);

}  // namespace rlaif::train
