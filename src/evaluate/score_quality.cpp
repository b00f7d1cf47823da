#include "rlaif/evaluate/score_quality.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "numbers.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::evaluate {
namespace {

double correlation(std::span<const double> a, std::span<const double> b) {
  const double n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double both = 0.0, of_a = 0.0, of_b = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - mean_a) * (b[i] - mean_b);
    of_a += (a[i] - mean_a) * (a[i] - mean_a);
    of_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return of_a > 0.0 && of_b > 0.0 ? both / std::sqrt(of_a * of_b) : not_a_number;
}

std::vector<ScoreBin> reliability_of(std::span<const ScoredResponse> responses, int bins) {
  std::vector<std::size_t> order(responses.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return responses[a].score < responses[b].score; });
  std::vector<ScoreBin> reliability;
  const std::size_t count = std::min(static_cast<std::size_t>(bins), responses.size());
  for (std::size_t b = 0; b < count; ++b) {
    ScoreBin& bin = reliability.emplace_back();
    for (std::size_t i = b * order.size() / count; i < (b + 1) * order.size() / count; ++i) {
      bin.score += responses[order[i]].score;
      bin.known += responses[order[i]].known;
      ++bin.responses;
    }
    bin.score /= static_cast<double>(bin.responses);
    bin.known /= static_cast<double>(bin.responses);
  }
  return reliability;
}

}  // namespace

std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> places(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = 0.5 * static_cast<double>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) places[order[i]] = mean;
    begin = end;
  }
  return places;
}

double spearman(std::span<const double> a, std::span<const double> b) {
  RLAIF_CHECK(a.size() == b.size(), "values in pairs");
  return a.empty() ? not_a_number : correlation(ranks(a), ranks(b));
}

ScoreQuality score_quality(std::span<const ScoredResponse> responses, int bins, std::uint64_t seed, int resamples) {
  ScoreQuality quality;
  quality.responses = static_cast<std::int64_t>(responses.size());
  std::map<std::uint64_t, std::vector<const ScoredResponse*>> prompts;
  for (const ScoredResponse& one : responses) prompts[one.prompt].push_back(&one);
  std::vector<std::vector<const ScoredResponse*>> groups;
  GroupedMean right;
  double pairs = 0.0, equal = 0.0;
  for (const auto& [prompt, of_prompt] : prompts) {
    groups.push_back(of_prompt);
    for (std::size_t i = 0; i < of_prompt.size(); ++i) {
      for (std::size_t j = i + 1; j < of_prompt.size(); ++j) {
        const ScoredResponse &a = *of_prompt[i], &b = *of_prompt[j];
        if (std::fabs(a.known - b.known) <= 1e-9) continue;
        const bool is_equal = a.score == b.score;
        right.add(prompt, is_equal ? 0.5 : (a.score > b.score) == (a.known > b.known) ? 1.0 : 0.0);
        pairs += 1.0;
        equal += is_equal;
      }
    }
  }
  quality.within_prompt = right.interval(seed, resamples);
  quality.silent = pairs > 0.0 ? equal / pairs : not_a_number;
  quality.spearman = bootstrap(
      groups.size(),
      [&](std::span<const std::size_t> drawn) {
        std::vector<double> scores, known;
        for (const std::size_t group : drawn) {
          for (const ScoredResponse* one : groups[group]) {
            scores.push_back(one->score);
            known.push_back(one->known);
          }
        }
        return spearman(scores, known);
      },
      seed, resamples);
  quality.reliability = reliability_of(responses, bins);
  return quality;
}

}  // namespace rlaif::evaluate
