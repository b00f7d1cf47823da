// Responses of two policies to one prompt, as judges see them and as they do not.
//   const ComparedPolicies policies(study, ComparedPairs::all);   // sft and the arms, and who meets whom
//   const EvaluationSamples samples(context, policies, 1, evaluation_draws(context));   // of evaluation/<policy>.jsonl
//   for (const Compared& one : samples.block(0, 25)) ... one.comparison
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "../sampling.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/stages/compare.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// Two policies by their places; `a` is whose wins are counted: an arm over sft, an arm over a later one.
struct Matchup {
  std::size_t a = 0, b = 0;
};

// sft, then the arms.
struct ComparedPolicies {
  ComparedPolicies(const Study& study, ComparedPairs pairs);
  // Two alone, whoever they are; wins of `a` are counted.
  ComparedPolicies(std::string a, std::string b);
  std::vector<std::string> names;
  std::vector<Matchup> matchups;  // every arm against sft, then arms among each other
  std::string name(const Matchup& matchup) const { return names[matchup.a] + "_vs_" + names[matchup.b]; }
};

struct Compared {
  Comparison comparison;  // which policy is `first` is drawn by its id
  std::int64_t item = 0;  // which prompt, in the order in which they are drawn
  std::size_t matchup = 0;
  bool swapped = false;            // b's response is `first`
  bool is_equal = false;           // both responses are the same: nobody is asked, it is a tie
  double length_difference = 0.0;  // a's less b's, in characters
  double yardstick = 0.0;          // P(a is better) by the study's yardstick; NaN where it does not know the prompt
  // P(a is better) from P(first is better).
  double of_a(double p_first) const { return swapped ? 1.0 - p_first : p_first; }
};

// One verdict each: what `ask` gives of those that differ, all at once, and a tie of equal ones, which nobody is asked about.
std::vector<Verdict> verdicts_on(std::span<const Compared> compared,
                                 const std::function<std::vector<Verdict>(std::span<const Comparison>)>& ask);

// The first samples of every policy, the k-th of one against the k-th of the other.
class EvaluationSamples {
 public:
  // Throws Error(input) naming file and line.
  EvaluationSamples(const Context& context, const ComparedPolicies& policies, int judged_samples, HeldoutDraws draws);
  // Of the prompts begin to end - 1 that all policies have answered, in one order.
  std::vector<Compared> block(std::int64_t begin, std::int64_t end) const;

 private:
  struct Sample {
    Completion completion;
    double utility = 0.0;  // NaN: not known
    double characters = 0.0;
  };
  Compared compared(const Prompt& prompt, std::int64_t item, std::size_t matchup, std::size_t sample) const;

  const Context& context_;
  const ComparedPolicies& policies_;
  HeldoutDraws draws_;
  std::vector<std::map<std::int64_t, std::vector<Sample>>> samples_;  // by policy and prompt
};

}  // namespace rlaif::stages
