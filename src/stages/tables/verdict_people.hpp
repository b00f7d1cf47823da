// People's labels of what was compared (`rlaif spotcheck`), which come after the stage that compares.
#pragma once

#include "rlaif/core/json.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// A yardstick "people-NAME" for every people/NAME of the run, and its agreement with the others. Throws Error(input) naming a
// shard or sample.
void add_people(const Context& context, Json& verdict);

}  // namespace rlaif::stages
