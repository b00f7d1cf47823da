// Scores of single responses held against what they are worth. Pure functions. A statistic of nothing is NaN.
//   spearman(scores, utilities);   // 1 where they order all responses alike
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

// Places from 1 in rising order; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values);
// Pearson's correlation of the ranks (Spearman 1904), ties by mean ranks. NaN where either side is constant.
double spearman(std::span<const double> a, std::span<const double> b);

// A response with its score, and with what it is known to be worth.
struct ScoredResponse {
  std::uint64_t prompt = 0;
  double score = 0.0, known = 0.0;
};

struct ScoreBin {
  double score = 0.0, known = 0.0;  // means over its responses
  std::int64_t responses = 0;
};

struct ScoreQuality {
  std::int64_t responses = 0;
  Interval spearman;  // over responses, interval by prompt
  Interval
      within_prompt;  // of pairs of responses to one prompt that are worth differently: right order, equal scores half
  double silent = 0.0;                // share of those pairs whose scores are equal
  std::vector<ScoreBin> reliability;  // in order of score, as many responses each as can be
};
ScoreQuality score_quality(std::span<const ScoredResponse> responses, int bins, std::uint64_t seed, int resamples);

}  // namespace rlaif::evaluate
