// Commands about labels: what they cost, and labels by people.
#pragma once

#include "rlaif/cli/deck.hpp"

namespace rlaif::cli {

// These run on one rank and print to standard output. Errors: usage for wrong words and numbers, input for bad files.
void run_cost_command(const CommandLine& line);
void run_spotcheck_command(const CommandLine& line);

}  // namespace rlaif::cli
