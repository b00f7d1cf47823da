// The word that stands in the {fence} of a conversation: twelve random hexadecimal digits that are in none of the texts shown.
//   fence_of(prompt.id, {&prompt.text, &completion.text}, seed);   // "3f81c20e97d4"
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "rlaif/core/types.hpp"

namespace rlaif::judge {

// Keyed by (seed, id).
std::string fence_of(std::uint64_t id, std::initializer_list<const std::string*> texts, std::uint64_t seed);
// Of both orders of a comparison the same.
std::string fence_of(const Comparison& comparison, std::uint64_t seed);

}  // namespace rlaif::judge
