// What the run has cost so far, as `rlaif cost` says it.
#include "rlaif/stages/run_costs.hpp"
#include "tables.hpp"

namespace rlaif::stages {

void costs_finish(const Finished& finished, Json& results) {
  results["costs"] = costs_json(measure_run(finished.context.directory.root()));
  results["costs"].erase("run");  // where it lies is no result
}

}  // namespace rlaif::stages
