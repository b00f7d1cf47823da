// How the scores of a judge that scores single responses order them, and what each part of its scale is worth.
//   row["scores"] = judge_scores_facts(context, &language, judge, heldout, 2000);
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/judge_options.hpp"

namespace rlaif::stages {

// The distinct responses of held-out pairs, scored once more and held against the yardstick: responses, failed, Spearman's
// correlation, order within a prompt, the share of equal scores there, how often each part of the scale is used, reliability by
// tenths. Null where the judge only compares, or asks a server, whose answers these pairs may not have. Collective.
Json judge_scores_facts(const Context& context, const Language* language, const JudgeOptions& judge,
                        const std::vector<Preference>& heldout, int resamples);
// A line a judge with scores; empty where there is none.
std::string judge_scores_text(const Json& judges);

}  // namespace rlaif::stages
