// A judge's score of one response: what it is worth, and how it is read from a text or from log-probabilities.
//   read_score("**Score:** 7/10", {1, 10}).score            // 7
//   score_reward(8.2, {1, 10})                              // 0.6
//
// A text says a score by a number of the scale, decimals allowed, bare or dressed (**7**, [7], "7."), also as 7/10 or 7 out of
// 10 where 10 is the scale's greatest:
//   whole     nothing but the number
//   line      its first or its last line is nothing but the number
//   cue       a line "Score: 7" (also rating, grade, verdict, after "final", "my", "the" or "overall", with : = or "is")
//   json      a JSON object, alone or in a code fence or at the end, whose key "score" is a number or a text of one
//   brackets  [[7]]
// Lines that begin with '>' are quoted and say nothing. All scores that a text says must be the same, and on the scale: 11 of 10,
// 7/5, "seven", 6-7 and a line "Score:" with anything else behind it are no scores, and none is guessed.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/remote/protocol.hpp"
#include "rlaif/text/conversation.hpp"

namespace rlaif::judge {

using text::ScoreScale;

struct ScoreReading {
  VerdictStatus status = VerdictStatus::unparseable;  // or ok, or not_a_number
  double score = 0.0;                                 // on the scale; meaningful only where ok
  std::size_t at = 0;                                 // read_score: byte of the text where the last number said begins
  const char* why = "";                               // where unparseable
};
ScoreReading read_score(std::string_view text, const ScoreScale& scale);

// sum of i * P(i) / sum of P(i) over the scale's numbers (Lee et al. 2309.00267, section 2.3.2). Unparseable where the mass on
// them is below `least_mass` or 0, not_a_number where a probability is none. One probability a score, from the least.
ScoreReading expected_score(std::span<const double> probabilities, const ScoreScale& scale, double least_mass);

// The same from what a server lists where the number was drawn: where the answer is a number alone (`at_once`), else where
// read_score finds it in the joined tokens. A token that begins a longer number of the scale ("1" of 10), where no token of the
// list is that number whole, is told from it by the token drawn behind; where it was not drawn, its mass is on neither.
ScoreReading read_score_tokens(std::span<const remote::TokenPosition> tokens, const ScoreScale& scale, bool at_once,
                               double least_mass);

// From the scale onto [-1, 1]: (s - 5.5) / 4.5 of 1 to 10 (Lee et al.).
double score_reward(double score, const ScoreScale& scale);

// Scores of the principles of one level with their weights, as they are obeyed: level after level.
struct LevelScores {
  std::vector<double> weights, scores;
  double mean() const;
};
// The weighted mean over the principles of all levels. Where a level's own mean is below `gate` the levels behind it are worth
// `nothing` each, whatever their scores, which may be missing: a response that does harm gets nothing for its style.
double gated_mean(std::span<const LevelScores> levels, double gate, double nothing);

}  // namespace rlaif::judge
