// What a round of iterative training has come to, and whether another one follows. Pure functions.
//   outcome_of({0.53, 0.48, 0.58}, 0.02, 0.5);   // nothing_shown: the interval holds one half
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::stages {

enum class RoundOutcome {
  gained,         // the whole interval of its wins over its start lies above one half
  nothing_shown,  // the interval holds one half, or there is none
  lost,           // all of it lies below
  collapsed       // one text answers so many of the prompts that no comparison of answers means anything
};
const char* to_string(RoundOutcome outcome);
// `commonest`: the share of prompts that the policy's commonest text answers; from `collapse_share` on it has collapsed.
RoundOutcome outcome_of(const evaluate::Interval& wins, double commonest, double collapse_share);
// Only a gain is worth another round; where there is none, the policy that the round started from is kept.
inline bool ends_rounds(RoundOutcome outcome) { return outcome != RoundOutcome::gained; }

// The text that answers most of the prompts, and their share. Of several the first in the order of their bytes. A prompt counts
// once, however often it was drawn. `answers`: prompt and response.
struct CommonestText {
  std::string text;
  double share = 0.0;  // 0 where there are no answers
};
CommonestText commonest_text(std::span<const std::pair<std::string, std::string>> answers);

// What a judge says of two responses of which one may be its own.
struct RoundVerdict {
  std::string prompt;
  double p_new;              // P(the first of the two, or the new policy's, is better); NaN: no verdict
  double known;              // the same by the study's yardstick: 1, 0.5, 0; NaN where it does not know the prompt
  double length_difference;  // of the two, in the same sense
  int same_position;         // 1 where one position won in both orders, 0 where not, -1 where it was not shown both
};
Json to_json(const RoundVerdict& verdict);
RoundVerdict read_round_verdict(const Json& json);

// Mean of p_new by prompt, with its interval.
evaluate::Interval wins_of(std::span<const RoundVerdict> verdicts, std::uint64_t seed, int resamples);
evaluate::Interval known_wins_of(std::span<const RoundVerdict> verdicts, std::uint64_t seed, int resamples);

// How a judge judges: verdicts, failed, agreement (with the yardstick, over pairs that it decides), same_position_rate,
// longer_preferred, and `favour`: mean of p_new less what the yardstick says, over what both know. Of pairs in which the new
// policy's response stands first by p_new, favour is self-preference where the judge is that policy. Each with its interval.
Json judge_measures(std::span<const RoundVerdict> verdicts, std::uint64_t seed, int resamples);

}  // namespace rlaif::stages
