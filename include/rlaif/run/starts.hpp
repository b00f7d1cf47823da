// The starts of a run, one after another: starts.jsonl in its directory.
#pragma once

#include <cstdint>

#include "rlaif/core/json.hpp"
#include "rlaif/run/run_directory.hpp"

namespace rlaif::run {

// Adds this start. Throws Error(resource) where a job that was queued again finds just what it found the last time it was: it
// would go on so for ever. Root rank only, with the lock held.
void record_start(const RunDirectory& directory, int ranks);

// This start ends while another job makes a stage for it: that it has kept nothing is no fault of its own.
void record_waiting(const RunDirectory& directory);

// Of results.json: "starts" of the run, "requeues" of them by Slurm.
Json starts_facts(const RunDirectory& directory);

}  // namespace rlaif::run
