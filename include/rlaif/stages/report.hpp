// report/results.json and what is printed at the end: a loop over the tables (src/stages/tables/tables.hpp).
//   const std::vector<Json> markers = run_stages(here, deck, stages, "study");  write_report(study.context(here), markers);
#pragma once

#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// From the stages' done markers. The first line printed says so where a judge fell short of judge.min_agreement and the study
// went on. Collective: the root writes and prints.
void write_report(const Context& context, const std::vector<Json>& markers);

}  // namespace rlaif::stages
