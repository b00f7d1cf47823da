// What algorithms that learn from labelled pairs have in common: their stage, what it needs, what is known of their
// pairs.
//   run::Stage stage = stage_on_pairs(study, arm, "dpo", options_.epochs, options_.batch);   // needs and run are the caller's
#pragma once

#include <cstdint>
#include <string>

#include "../learning.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/run/stage.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::stages {

// `algorithm`: its kind, its command and its section; the stage is "<algorithm>-<arm>".
run::Stage stage_on_pairs(const Study& study, const ArmOptions& arm, const std::string& algorithm, int epochs,
                          std::int64_t batch);

// What a policy that is trained on `batch` pairs a step needs. `reference_flops`: of the reference in all epochs, a
// weight and token of the pairs; a forward pass has 2.
run::Needs needs_on_pairs(const Study& study, const run::Assumed& assumed, const LowRankOptions& adapter, int epochs,
                          std::int64_t batch, double reference_flops);

Json pair_facts(const LabelledPairs& labelled, std::int64_t ties);

}  // namespace rlaif::stages
