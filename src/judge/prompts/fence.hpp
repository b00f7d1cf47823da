// What a comparison adds to a conversation: the word that stands in its {fence}.
#pragma once

#include <cstdint>
#include <string>

#include "rlaif/core/types.hpp"

namespace rlaif::judge {

// Twelve random hexadecimal digits that are in none of the comparison's texts; of both orders the same.
std::string fence_of(const Comparison& comparison, std::uint64_t seed);

}  // namespace rlaif::judge
