// When rounds of iterative training end: after each a judge that was not trained along compares its policy with the one it
// started from, and where nothing is gained the rounds behind it are not run. What the loop does to the round's own judge is
// measured beside it.
//   [rounds]  stop_by = referee  prompts = 300
//   RoundsOptions rounds;  bind_rounds(table, rounds);  check_rounds(study, rounds);  plan_round_end(plan, study, arm);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::stages {

struct RoundsOptions {
  std::string stop_by;  // a judge of the study, or a member; empty: all rounds are run
  std::int64_t prompts = 300;
  double collapse_share = 0.5;  // of prompts that one text answers
};
void bind_rounds(OptionTable& table, RoundsOptions& options);
// Throws Error(usage) naming the key: no judge of the study, one that is the policy itself or that a round learns from, a study
// without rounds.
void check_rounds(const Study& study, const RoundsOptions& options);

// The stage "round-end-<round>" behind the one that makes models/<round>: held-out prompts drawn for rounds alone, one response
// of either policy, verdicts of rounds.stop_by -> rounds/<round>. Facts: wins with their interval by that judge and by the study's
// yardstick, outcome, `ends`, which policy is kept, the commonest text, and how the round's own judge judges now, on these pairs and
// on the first held-out ones, which are the same in every round; one behind HTTP is not asked for that. Nothing for an arm that
// is no round, or where the deck names no judge.
void plan_round_end(StudyPlan& plan, const Study& study, const ArmOptions& arm);

// Stages that end rounds, of which any may leave a stage out that is for `of`: a round, or the data that it learns from.
std::vector<std::string> round_ends_before(const Study& study, const RoundsOptions& options, const std::string& of);

}  // namespace rlaif::stages
