// What is known of the members of combined judges, from what these wrote down and from the members' own labels.
#pragma once

#include "rlaif/core/json.hpp"
#include "rlaif/stages/judge_facts.hpp"

namespace rlaif::stages {

// Of each member: {"asked", "answered", "agreement": interval against the yardstick} over the held-out pairs that the
// combined judge asked it about.
Json members_facts(const Context& context, const JudgeOptions& judge, const JudgedPairs& pairs, int resamples);

// A cascade with the thresholds in use against its members alone, on the held-out pairs that the yardstick decides and
// the last member has judged: steps of evaluate::cascade_report. Null where not every member's verdict on all pairs is
// known: its own label, or what the cascade wrote down of it.
Json cascade_facts(const Context& context, const JudgeOptions& judge, const JudgedPairs& pairs);

}  // namespace rlaif::stages
