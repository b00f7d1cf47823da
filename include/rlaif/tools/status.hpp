// How far a run is, read from its files alone: beside the job that works on it, from any machine that sees them.
//   const Json status = run_status("runs/demo");   std::cout << status_text(status);
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/core/json.hpp"

namespace rlaif::tools {

// {"run", "name", "state", "holder", "stages": [{"stage", "kind", "of", "size", "state", "wall_seconds"}], "progress",
//  "silent_seconds", "done_seconds", "starts", "requeues", "paid": {"judges", "paid_usd", "held_usd", "cap_usd"}}
//
// The run's state is done, running, stopped or waiting (nothing was begun); a stage's done, running, stopped or waiting.
// silent_seconds: since the run's process gave its last sign of life. Throws Error(input) for what is no run directory, or a
// damaged file.
Json run_status(const std::filesystem::path& run);
std::string status_text(const Json& status);

}  // namespace rlaif::tools
