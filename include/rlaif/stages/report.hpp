// report/results.json and the table on standard output.
#pragma once

#include <string>

#include "rlaif/core/json.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// Results from the evaluation's facts and the stages' times.
Json make_results(const StudyOptions& options, const std::vector<Json>& markers);
// Plain text, one row an arm; of a study without arms, one a judge. Its first line says so where a judge fell short of
// judge.min_agreement and the study went on.
std::string results_table(const Json& results);

}  // namespace rlaif::stages
