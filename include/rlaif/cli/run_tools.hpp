// Commands before and beside a run: new, status, diff.
#pragma once

#include "rlaif/cli/deck.hpp"

namespace rlaif::cli {

// They need no ranks and print to standard output. Errors: usage for wrong words, input for bad files.
void run_new_command(const CommandLine& line);
void run_status_command(const CommandLine& line);
void run_diff_command(const CommandLine& line);

}  // namespace rlaif::cli
