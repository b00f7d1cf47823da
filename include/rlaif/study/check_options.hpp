// What two keys of a deck must be to each other. Ranges of single keys stand where the keys are bound (cli/options.cpp).
#pragma once

#include "rlaif/study/options.hpp"

namespace rlaif::study {

// Before anything starts, so that no stage is paid for whose follower would refuse. Throws Error(usage) naming the keys.
void check_options(const StudyOptions& options);

}  // namespace rlaif::study
