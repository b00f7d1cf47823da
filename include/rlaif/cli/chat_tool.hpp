// `rlaif chat MODEL [MODEL]`.
#pragma once

#include "rlaif/cli/deck.hpp"

namespace rlaif::cli {

// Talks on standard input and output until the input ends. Errors: usage for wrong words and numbers, input for folders.
void run_chat_command(const CommandLine& line);

}  // namespace rlaif::cli
