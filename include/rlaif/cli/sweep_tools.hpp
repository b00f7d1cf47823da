// `rlaif sweep plan|collect DECK`.
#pragma once

#include "rlaif/cli/deck.hpp"

namespace rlaif::cli {

// Runs on one rank and prints to standard output. Errors: usage for a deck that has no sweep or a cell whose deck does not
// resolve (the message names the cell), input for a sweep that was not planned.
void run_sweep_command(const CommandLine& line);

}  // namespace rlaif::cli
