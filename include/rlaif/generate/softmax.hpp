// The softmax over one row of logits, in single passes that vectorise without fast-math: the same bits on any machine.
#pragma once

#include <span>
#include <vector>

namespace rlaif::generate {

// Unnormalised softmax of logits * scale: weights[i] = exp((logits[i] - max) * scale), in [0, 1].
struct SoftmaxRow {
  static constexpr std::size_t block = 256;
  std::vector<float> weights;      // [V]
  std::vector<double> block_sums;  // of every `block` weights; the last may be of fewer
  double total = 0.0;              // NaN where the logits hold a NaN or +infinity, or are all -infinity
  float maximum = 0.0f;            // of logits
};

// Fills `row`, whose buffers are used again. `logits` is not empty; scale > 0.
void softmax_row(std::span<const float> logits, double scale, SoftmaxRow& row);

// log sum exp(logits); NaN as above.
double log_sum_exp(std::span<const float> logits);

}  // namespace rlaif::generate
