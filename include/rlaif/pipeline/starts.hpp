// The starts of a run, one after another: starts.jsonl in its directory.
#pragma once

#include <cstdint>

#include "rlaif/core/json.hpp"
#include "rlaif/pipeline/run_directory.hpp"

namespace rlaif::pipeline {

// Adds this start. Throws Error(resource) where a job that was queued again finds just what it found the last time it was: it
// would go on so for ever. Root rank only, with the lock held.
void record_start(const RunDirectory& directory, int ranks);

// Of results.json: "starts" of the run, "requeues" of them by Slurm.
Json starts_facts(const RunDirectory& directory);

}  // namespace rlaif::pipeline
