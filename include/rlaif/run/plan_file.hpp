// The stages that a run has before it, for whoever looks at it from outside: plan.json in its directory, written at every start.
//   write_plan(directory, stages, comm.size());
//   for (const Json& stage : read_plan(directory).at("stages")) std::cout << stage["stage"] << "\n";
#pragma once

#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/run/run_directory.hpp"
#include "rlaif/run/stage.hpp"

namespace rlaif::run {

// {"ranks", "stages": [{"stage", "kind", "of", "size"}]}. Root rank only, with the lock held.
void write_plan(const RunDirectory& directory, const std::vector<Stage>& stages, int ranks);
// An object without stages where there is none: the run was begun by an earlier version. Throws Error(input) naming the file
// where it is damaged.
Json read_plan(const RunDirectory& directory);

}  // namespace rlaif::run
