// What two keys of a deck must be to each other. Ranges of single keys stand where the keys are bound (bind_task and
// its like).
//   check_study(study);  check_response_length(study.policy, "ppo.max_new_tokens", 40);
#pragma once

#include <string>

#include "rlaif/study/study.hpp"

namespace rlaif::study {

// Before anything starts, so that no stage is paid for whose follower would refuse. Throws Error(usage) naming the
// keys.
void check_study(const Study& study);

// Of random weights; a folder brings its own sizes, which its reader checks. Throws Error(usage) naming the key.
void check_network(const std::string& section, const ModelOptions& network);

// A response takes at least one token less than the context, or no prompt fits. Throws Error(usage) naming the key.
void check_response_length(const PolicyOptions& policy, const std::string& key, int max_new_tokens);

}  // namespace rlaif::study
