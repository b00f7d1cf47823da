// First words of the keys under Stream::annotator, but for the simulated people's own (0 and 1).
#pragma once

#include <cstdint>

namespace rlaif::judge {

constexpr std::uint64_t principle_key = 2, fence_key = 3, canary_key = 4;

}  // namespace rlaif::judge
