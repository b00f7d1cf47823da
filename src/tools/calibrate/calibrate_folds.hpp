// What calibration learned, on pairs it has not seen.
#pragma once

#include "calibrate_fit.hpp"
#include "rlaif/evaluate/judge_report.hpp"
#include "rlaif/tools/calibrate.hpp"

namespace rlaif::tools {

// Cross-fitting: prompts are cut into calibrate.folds parts by a draw of the seed; temperatures, weights, confusions,
// slopes and cascade thresholds (those of the deck set aside) are fitted to all parts but one, and the judges held
// against that one, each part in turn. {"folds", "judges": {name: {"agreement", "calibration_error", "usd_per_1000"}},
// "cascades": {name: {"agreement", "of_last_agreement", "usd_per_1000", "asked": {member: share}}}}; intervals by
// prompt over all parts. Null for fewer than two prompts or folds, and where some part's rest has nothing to fit to.
Json held_out_report(const Judges& of_study, const std::vector<const JudgeOptions*>& judges,
                     const CalibrateOptions& options, const std::vector<evaluate::LabelledPair>& pairs,
                     const VerdictsByJudge& asked, const evaluate::ReportOptions& settings);

}  // namespace rlaif::tools
