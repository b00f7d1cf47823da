// The byte-level alphabet: each byte is written as one printable character, so that vocabularies are text.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace rlaif::text {

// Character of each byte. Printable Latin-1 bytes stand for themselves; the other 68 take U+0100, U+0101, ... in
// the order of their value (Radford et al. 2019, the GPT-2 release): byte 0x20 is U+0120, byte 0x0A is U+010A.
const std::array<char32_t, 256>& byte_characters();

// The 256 bytes in the order of their characters: the order in which trainers give them ids.
std::array<unsigned char, 256> bytes_in_character_order();

std::string to_byte_level(std::string_view bytes);
// The bytes that a stored token stands for; nothing where a character is outside the alphabet.
std::optional<std::string> from_byte_level(std::string_view token);

}  // namespace rlaif::text
