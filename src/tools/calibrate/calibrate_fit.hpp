// What the verdicts of judges on labelled pairs teach, judges of judges included.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/labelled_pairs.hpp"
#include "rlaif/judge/fitted.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/study/judge_options.hpp"

namespace rlaif::tools {

using VerdictsByJudge = std::map<std::string, std::vector<Verdict>>;

struct FittedStudy {
  judge::FittedJudges fitted;
  VerdictsByJudge verdicts;        // as the deck's judges give them with this calibration
  Json cascades = Json::object();  // by name: [{"judge", "chosen": point, "of_last_agreement", "curve": [points]}]
};

// `verdicts`: of the judges that have no members, one a pair, before any correction; they alone were asked. `judges`:
// those to be calibrated. A judge of others is worked out from its members' verdicts with what was fitted to them; the
// thresholds of a cascade are fitted even where the deck has its own, by which it then goes. Weights are fitted to the
// members of each ensemble that votes by them, else to all judges that were asked together.
// `target`: share of its last judge's agreement that a cascade is to keep.
// Throws Error(usage) for a judge in two weighted ensembles, Error(input) naming the judge that answered no pair.
FittedStudy fit_judges(const Judges& of_study, const std::vector<const JudgeOptions*>& judges, double target,
                       const std::vector<evaluate::LabelledPair>& pairs, VerdictsByJudge verdicts);

// The same judges on other pairs, which teach nothing: ids of comparisons are their places.
VerdictsByJudge calibrated_verdicts(const Judges& of_study, const std::vector<const JudgeOptions*>& judges,
                                    const judge::FittedJudges& fitted, const std::vector<evaluate::LabelledPair>& pairs,
                                    const VerdictsByJudge& asked);

}  // namespace rlaif::tools
