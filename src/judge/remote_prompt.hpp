// What a comparison adds to a style's text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rlaif/judge/remote.hpp"

namespace rlaif::judge {

// One principle drawn by the comparison, or all of them numbered.
std::string principles_of(const Comparison& comparison, const std::vector<std::string>& principles, PrincipleUse use,
                          std::uint64_t seed);
// Twelve random hexadecimal digits that are in none of the comparison's texts; of both orders the same.
std::string fence_of(const Comparison& comparison, std::uint64_t seed);

}  // namespace rlaif::judge
