#include "rlaif/generate/softmax.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "rlaif/core/loop_versions.hpp"

namespace rlaif::generate {
namespace {

// Reductions run over a fixed number of lanes, whatever the width of the machine's registers: every version of these
// functions adds in the same order. Products and sums are not fused, so all give the same bits.
constexpr std::size_t lanes = 16;
static_assert(SoftmaxRow::block % lanes == 0);

// exp(x) for x <= 0, relative error under 3e-7; 0 below the normal range; NaN stays NaN.
// x = n ln 2 + r with |r| <= ln 2 / 2, then the Taylor series to r^7, scaled by 2^n.
[[gnu::always_inline]] inline float exp_nonpositive(float x) {
  constexpr float lowest = -87.0f;
  constexpr float rounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const float clamped = x < lowest ? lowest : x;
  const float shifted = clamped * 1.44269504088896341f + rounder;
  const float n = shifted - rounder;
  const float r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(rounder);
  const float power = std::bit_cast<float>((exponent + 127u) << 23);
  return x < lowest ? 0.0f : p * power;
}

// NaNs never win: they show in the sum.
RLAIF_UNFUSED_VERSIONS(float, maximum_of, (const float* x, std::size_t size), (x, size)) {
  std::array<float, lanes> best;
  best.fill(-std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::size_t j = 0; j < lanes; ++j) best[j] = x[i + j] > best[j] ? x[i + j] : best[j];
  for (; i < size; ++i) best[0] = x[i] > best[0] ? x[i] : best[0];
  return *std::max_element(best.begin(), best.end());
}

RLAIF_UNFUSED_VERSIONS(double, exponentials,
                       (const float* x, std::size_t size, float maximum, float scale, float* weights),
                       (x, size, maximum, scale, weights)) {
  std::array<float, lanes> sums{};
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    for (std::size_t j = 0; j < lanes; ++j) {
      const float weight = exp_nonpositive((x[i + j] - maximum) * scale);
      weights[i + j] = weight;
      sums[j] += weight;
    }
  }
  double sum = 0.0;
  for (; i < size; ++i) {
    weights[i] = exp_nonpositive((x[i] - maximum) * scale);
    sum += weights[i];
  }
  for (const float lane : sums) sum += lane;
  return sum;
}

}  // namespace

void softmax_row(std::span<const float> logits, double scale, SoftmaxRow& row) {
  const std::size_t size = logits.size();
  row.weights.resize(size);
  row.block_sums.resize((size + SoftmaxRow::block - 1) / SoftmaxRow::block);
  row.maximum = maximum_of(logits.data(), size);
  row.total = 0.0;
  for (std::size_t b = 0; b < row.block_sums.size(); ++b) {
    const std::size_t begin = b * SoftmaxRow::block;
    row.block_sums[b] = exponentials(logits.data() + begin, std::min(SoftmaxRow::block, size - begin), row.maximum,
                                     static_cast<float>(scale), row.weights.data() + begin);
    row.total += row.block_sums[b];
  }
}

double log_sum_exp(std::span<const float> logits) {
  std::array<float, SoftmaxRow::block> weights;
  const float maximum = maximum_of(logits.data(), logits.size());
  double total = 0.0;
  for (std::size_t begin = 0; begin < logits.size(); begin += SoftmaxRow::block)
    total += exponentials(logits.data() + begin, std::min(SoftmaxRow::block, logits.size() - begin), maximum, 1.0f,
                          weights.data());
  return maximum + std::log(total);
}

}  // namespace rlaif::generate
