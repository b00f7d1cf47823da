// The algorithms that ship, each in the file of its name.
#pragma once

#include "rlaif/stages/algorithm.hpp"

namespace rlaif::stages {

const Algorithm& ppo_algorithm();

}  // namespace rlaif::stages
