#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "rlaif/core/error.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/generate/softmax.hpp"

namespace rlaif::generate {
namespace {

TokenId greedy_token(std::span<const float> logits, float maximum) {
  const auto best = std::find(logits.begin(), logits.end(), maximum);
  return best == logits.end() ? 0 : static_cast<TokenId>(best - logits.begin());
}

// First id whose cumulative weight exceeds u * total. The sums of blocks lead to the block.
TokenId inverse_cdf(const SoftmaxRow& row, double u) {
  const double target = u * row.total;
  double before = 0.0;
  std::size_t b = 0;
  while (b + 1 < row.block_sums.size() && before + row.block_sums[b] <= target) before += row.block_sums[b++];
  const std::size_t end = std::min((b + 1) * SoftmaxRow::block, row.weights.size());
  // Where rounding leaves the target just past the block's last weight, the last one with any weight is meant.
  std::size_t last = b * SoftmaxRow::block;
  for (std::size_t i = b * SoftmaxRow::block; i < end; ++i) {
    if (row.weights[i] <= 0.0f) continue;
    before += row.weights[i];
    last = i;
    if (before > target) break;
  }
  return static_cast<TokenId>(last);
}

// Ids that top-k and top-p leave, in increasing order.
std::vector<TokenId> kept_tokens(std::span<const float> logits, const SoftmaxRow& row, const SamplingOptions& options) {
  std::vector<TokenId> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto more_probable = [&](TokenId a, TokenId b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  double mass = row.total;
  if (options.top_k > 0 && static_cast<std::size_t>(options.top_k) < ids.size()) {
    std::nth_element(ids.begin(), ids.begin() + options.top_k, ids.end(), more_probable);
    ids.resize(options.top_k);
    mass = std::accumulate(ids.begin(), ids.end(), 0.0, [&](double sum, TokenId id) { return sum + row.weights[id]; });
  }
  if (options.top_p < 1.0) {
    // Few tokens carry most of the mass: sort the best 64, then ever more, until the mass is reached.
    std::size_t sorted = 0, kept = 0;
    double sum = 0.0;
    while (kept < ids.size() && sum < options.top_p * mass) {
      if (kept == sorted) {
        const std::size_t next = std::min(ids.size(), std::max<std::size_t>(64, sorted * 4));
        std::partial_sort(ids.begin() + sorted, ids.begin() + next, ids.end(), more_probable);
        sorted = next;
      }
      sum += row.weights[ids[kept++]];
    }
    ids.resize(std::max<std::size_t>(kept, 1));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

TokenId inverse_cdf_among(const std::vector<TokenId>& ids, const SoftmaxRow& row, double u) {
  double total = 0.0;
  for (const TokenId id : ids) total += row.weights[id];
  const double target = u * total;
  double sum = 0.0;
  TokenId last = ids.front();
  for (const TokenId id : ids) {
    if (row.weights[id] <= 0.0f) continue;
    sum += row.weights[id];
    last = id;
    if (sum > target) break;
  }
  return last;
}

}  // namespace

SampledToken sample_token(std::span<const float> logits, const SamplingOptions& options, double u,
                          std::span<const TokenId> never) {
  RLAIF_CHECK(!logits.empty(), "no logits to sample from");
  thread_local SoftmaxRow row;
  const bool greedy = options.temperature == 0.0;
  const double scale = greedy ? 1.0 : 1.0 / options.temperature;
  softmax_row(logits, scale, row);
  const double log_total = std::log(row.total);
  const float whole_maximum = row.maximum;
  const bool is_finite = std::isfinite(row.total);
  const std::span<const float> whole = logits;
  thread_local std::vector<float> drawable;
  if (!never.empty()) {
    drawable.assign(logits.begin(), logits.end());
    for (const TokenId id : never) drawable[static_cast<std::size_t>(id)] = -std::numeric_limits<float>::infinity();
    logits = drawable;
    softmax_row(logits, scale, row);
  }
  if (!is_finite || !std::isfinite(row.total))
    return {greedy_token(logits, row.maximum), std::numeric_limits<float>::quiet_NaN()};

  TokenId token;
  if (greedy)
    token = greedy_token(logits, row.maximum);
  else if (options.top_k > 0 || options.top_p < 1.0)
    token = inverse_cdf_among(kept_tokens(logits, row, options), row, u);
  else
    token = inverse_cdf(row, u);
  const double shifted = (static_cast<double>(whole[static_cast<std::size_t>(token)]) - whole_maximum) * scale;
  return {token, static_cast<float>(shifted - log_total)};
}

}  // namespace rlaif::generate
