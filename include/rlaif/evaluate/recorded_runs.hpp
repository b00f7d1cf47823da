// Figures of verdicts that were recorded in one or both orders, as papers on judges state them: whoever gave none is wrong.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/labelled_pairs.hpp"

namespace rlaif::evaluate {

// A verdict as a category: the side it names (named_sides in labelers.hpp), or none.
inline constexpr int no_side = 2;

// Means over the labels a, b and tie (1, -1, 0) of each one's precision, recall and F1 (their harmonic mean); 0 where there
// is nothing to divide by. A verdict of no_side is of none of the three.
struct MacroScores {
  double accuracy = 0.0, precision = 0.0, recall = 0.0, f1 = 0.0;
};
MacroScores macro_scores(std::span<const int> said, std::span<const int> labels);

// Of n pairs with both orders, or the first alone (`ba` empty, what needs it NaN).
struct RunFigures {
  std::size_t n = 0;
  std::size_t correct_ab = 0, correct_ba = 0, correct_both = 0, agree = 0, null_ab = 0, null_ba = 0;
  double accuracy = 0.0;                                      // right verdicts over all
  double agreement = 0.0;                                     // the same verdict in both orders, two of no side too
  double first_shown_rate = 0.0;                              // of all verdicts, that name the response shown first
  double kappa_ab = 0.0, kappa_ba = 0.0, kappa_orders = 0.0;  // Cohen's; no_side is a category of its own
  MacroScores null_is_wrong, null_is_tie;                     // over all verdicts
};
RunFigures run_figures(std::span<const int> ab, std::span<const int> ba, std::span<const int> labels);

// Every (subset, judge, style) of a file of recorded verdicts (judge/remote.hpp) against the labels, in the order of their
// first lines; a pair without a record counts as a verdict of no side.
struct RecordedRun {
  std::string subset, judge, style;
  bool both_orders = false;
  RunFigures figures;
};
// Throws Error(input) naming file and line: a malformed record, one that stands twice; naming the file: no verdict on one of
// these pairs.
std::vector<RecordedRun> recorded_runs(const std::filesystem::path& file, std::span<const LabelledPair> pairs);

// Of people who labelled the same pairs: Cohen's kappa by pair of them ("1-2") and Fleiss' of all, over the pairs with as many
// labels as most. Null where there are no two.
Json annotator_agreement(std::span<const LabelledPair> pairs);

Json to_json(const RecordedRun& run);
std::string runs_table(std::span<const RecordedRun> runs);

}  // namespace rlaif::evaluate
