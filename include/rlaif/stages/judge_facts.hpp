// What is known of a study's judges once they have labelled its pairs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/judge_quality.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/data_sets.hpp"

namespace rlaif::stages {

// Records by judge. Those of all judges are of the same pairs in the same order.
struct JudgedPairs {
  std::map<std::string, std::vector<Preference>> heldout, training;
};
// Throws Error(input) naming a shard.
JudgedPairs read_judged_pairs(const Context& context, const DataSet& set);

// P(first is better) by the study's yardstick: 1, 0, 0.5 for a tie, NaN where it does not know the prompt.
double gold_side(const Context& context, const Comparison& comparison);
evaluate::JudgeQuality heldout_quality(const Context& context, const std::vector<Preference>& heldout, int resamples);

// The judge of the set that gives people's labels, simulated or recorded; empty: none.
std::string people_of(const DataSet& set);
// Share of pairs on which `p_first`, one a pair, names the side that people do, a tie on either side counting half, with its
// interval by prompt. Pairs without a label by people, or whose p_first is NaN, are left out.
evaluate::Interval people_agreement(const std::vector<double>& p_first, const std::vector<Preference>& people,
                                    std::uint64_t seed, int resamples);

// `resamples`: of the bootstrap that intervals come from.
// By judge: agreement and its kin on the held-out pairs, what the labels cost, who of a combined judge was asked.
Json judges_facts(const Context& context, const DataSet& set, const JudgedPairs& pairs, int resamples);
// By pair of judges, "a" then "b": share of held-out pairs on which a agrees with the yardstick less that of b, over
// those that both judged, with its interval by prompt.
Json agreement_differences(const Context& context, const JudgedPairs& pairs, int resamples);

// Counts texts that a judge, or one of its members, is shown with marks broken (judge/shown_text.hpp): each text once.
class AlteredTexts {
 public:
  AlteredTexts(const Judges& judges, const JudgeOptions& judge);
  void add(const Comparison& comparison);
  std::int64_t count() const { return static_cast<std::int64_t>(texts_.size()); }

 private:
  bool are_shown_ = false;  // a judge that reads texts as they come needs none of it
  std::set<std::uint64_t> texts_;
};

// How many comparisons each member was asked, from what combined judges wrote into their rationales.
void count_asked(std::span<const Preference> records, std::map<std::string, std::int64_t>& counts);
Json asked_facts(const JudgeOptions& judge, const std::map<std::string, std::int64_t>& counts);

}  // namespace rlaif::stages
