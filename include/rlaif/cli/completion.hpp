// Completion of commands, flags, keys and their values for a shell, as a script of it.
//   source <(rlaif completion bash)
#pragma once

#include "rlaif/cli/deck.hpp"

namespace rlaif::cli {

// `rlaif completion bash|zsh`: prints the script. Throws Error(usage) for another shell.
void run_completion_command(const CommandLine& line);

}  // namespace rlaif::cli
