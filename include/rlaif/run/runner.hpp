// Stages in their order, each run once and kept: what is done is not done again, unless what it read came out otherwise or
// what it made is damaged.
//   std::vector<Json> markers = run::run_stages(here, deck, stages, "study");
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/run/stage.hpp"

namespace rlaif::run {

// Runs the stages of `command` ("study": all) that are not done. Returns the done marker of every stage, null where it is
// not done. A stage that an earlier one ends is left out: `left_out` is told before anything behind it is run. Collective. Throws Error(usage) where an earlier stage that the command does not run is not done, Error(input)
// naming the file where one is damaged.
std::vector<Json> run_stages(const Here& here, const ResolvedDeck& deck, const std::vector<Stage>& stages,
                             const std::string& command, const std::function<void(const Stage&)>& left_out = {});

// Instruction sets that a done marker names: of all starts that worked on the stage.
std::vector<std::string> instruction_sets_of(const Json& marker);

}  // namespace rlaif::run
