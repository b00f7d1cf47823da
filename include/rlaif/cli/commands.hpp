// The commands of the program.
#pragma once

namespace rlaif::cli {

// Parses, dispatches, and returns the exit code (core/error.hpp: 0 done, 1 defect, 2 usage, 3 input, 4 resource,
// 75 stopped by a signal with its state saved). Errors are printed as one line on stderr.
int run(int argc, char** argv);

}  // namespace rlaif::cli
