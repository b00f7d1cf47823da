// Judges made of judges. A member may be any judge, a combined one too.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlaif/judge/fitted.hpp"
#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {

// A judge, and what calibration found about it: nothing, as FittedJudge is made.
struct Member {
  std::shared_ptr<Judge> judge;
  FittedJudge fitted;
};

// log(p / (1 - p)), with p kept within [1e-6, 1 - 1e-6]: certainty has a finite say.
double log_odds(double p);
// sigmoid(log_odds(p) / temperature) (Guo et al. 1706.04599); p itself at temperature 1.
double calibrated(double p, double temperature);

enum class Vote {
  majority,  // share of the members that name the first, a tie as half a vote
  mean,      // mean of P(first)
  weighted,  // sigmoid(sum of weight * log_odds(p) / temperature)
  dawid_skene,  // posterior from the confusion matrices, sides equally likely before (Dawid and Skene 1979); a tie says nothing
};
// P(first is better) by the members' P(first), at least one; entries of both spans are of the same member.
double combined_vote(Vote vote, std::span<const double> p_first, std::span<const FittedJudge> fitted);

struct EnsembleOptions {
  Vote vote = Vote::mean;
  int least_members = 0;  // with an ok verdict; 0: more than half
};

// Every member is asked. Those without an ok verdict are left out; fewer than least_members: the status that most of the
// others have (ties: the first of the enum) and no score. p_first_by_order: the mean of the members that were asked so.
// Of all combined judges: usage is the sum over the members that were asked, `members` holds what each of them said, and
// `rationale` says it to people ("small 0.6213, big 0.9078"), after " | " with the words of the one that decided. These throw Error(usage) for
// fewer than two members and options out of range.
std::unique_ptr<Judge> make_ensemble(std::string name, std::vector<Member> members, EnsembleOptions options);

// Members from cheap to dear. A member's verdict stands where its calibrated confidence max(p, 1 - p) reaches its threshold;
// otherwise, and where it has none, the next is asked, all such comparisons of a call at once; the last one's stands as it
// is. `thresholds`: one in [0.5, 1] for each member but the last.
std::unique_ptr<Judge> make_cascade(std::string name, std::vector<Member> members, std::vector<double> thresholds);

// Levels, the first to be obeyed first: safety before help before style. Each is the gate of the next: its verdict stands where
// its calibrated confidence reaches its gate, in [0.5, 1]; where it finds no difference (a tie, whatever the gate) or is not that
// sure, the next level is asked, and the last one's stands as it is. A level that gives no verdict has not opened the gate: there
// is none, for what it could not clear no lower level may.
// Where all levels score responses, so does it: the mean of their scores, in which those behind a level below the gate of scores are
// not asked and worth -1. So does an ensemble by the mean: that of its members' scores. A cascade only compares.
struct HierarchyGates {
  double confidence = 0.8;
  double score = 0.0;  // a reward, on [-1, 1]
};
std::unique_ptr<Judge> make_hierarchy(std::string name, std::vector<Member> levels, HierarchyGates gates);

// Words of the first response less words of the second (text/words.hpp says what a word is).
double length_difference(const Comparison& comparison);
// Takes slope * length_difference off the log-odds of every ok verdict and of each order: what is left at equal length
// (the judge's part of length-controlled AlpacaEval, 2404.04475).
std::unique_ptr<Judge> make_length_corrected(std::unique_ptr<Judge> judge, double slope);

}  // namespace rlaif::judge
