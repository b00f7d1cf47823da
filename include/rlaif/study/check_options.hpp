// What two keys of a deck must be to each other. Ranges of single keys stand where the keys are bound (bind_sft and its like).
#pragma once

#include <string>

#include "rlaif/study/options.hpp"

namespace rlaif::study {

// Before anything starts, so that no stage is paid for whose follower would refuse. Throws Error(usage) naming the keys.
void check_options(const StudyOptions& options);

// A response takes at least one token less than the context, or no prompt fits. Throws Error(usage) naming the key.
void check_response_length(const StudyOptions& options, const std::string& key, int max_new_tokens);

}  // namespace rlaif::study
