// `rlaif convert FILE OUT --to FORM`.
#pragma once

#include "rlaif/cli/deck.hpp"

namespace rlaif::cli {

// Runs on one rank and prints what was written. Errors: usage for wrong words, input for bad files.
void run_convert_command(const CommandLine& line);

}  // namespace rlaif::cli
