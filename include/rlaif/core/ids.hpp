// Ids of prompts, pairs and training texts: the one place that says which bits mean what. They key random draws, so that none may
// change its place.
//   prompt.id = prompt_id(1, 0, 17);  pair_id(prompt.id, 2);  prompt_item(prompt.id)   // 17
//
//   prompt    purpose 63-56 | split 55-48 | item 39-0
//   pair      its prompt's, with its number among the prompt's pairs in 47-40: 8 bits, for 22 completions' 231 pairs
//   recorded  a pair of a file: the number that the file calls it by, else a checksum of its name
//   text      whose it is 63-41 | register text 40 | item 39-0
#pragma once

#include <cstdint>

namespace rlaif {

constexpr std::uint64_t prompt_id(std::uint64_t purpose, std::uint64_t split, std::uint64_t item) {
  return (purpose << 56) | (split << 48) | item;
}
// What a file of samples calls the prompt.
constexpr std::uint64_t prompt_item(std::uint64_t id) { return id & 0xffffffffull; }
// The item that takes the place of one whose prompt cannot be used, at the given attempt.
constexpr std::int64_t redrawn_item(std::int64_t item, std::int64_t attempt) { return item + (attempt << 40); }

constexpr std::uint64_t pair_id(std::uint64_t prompt, std::uint64_t pair) { return prompt | (pair << 40); }

// Texts of one model or purpose, by a checksum of its name.
constexpr std::uint64_t text_family(std::uint64_t checksum) { return checksum << 41; }
constexpr std::uint64_t register_text(std::uint64_t text) { return text | (1ull << 40); }

}  // namespace rlaif
