// UTF-8 as the Unicode Standard defines it (table 3-7): no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rlaif {

// What stands at the front of some bytes. Where `valid` is false, `length` bytes are the maximal part of a sequence
// that could have become one, at least one byte.
struct Utf8Step {
  char32_t code = 0;
  std::size_t length = 0;
  bool valid = false;
};
Utf8Step decode_utf8(std::string_view bytes);  // bytes must not be empty

bool is_valid_utf8(std::string_view bytes);
// Index of the first byte that is not valid UTF-8; bytes.size() where all are.
std::size_t first_invalid_utf8(std::string_view bytes);
// Each maximal ill-formed part becomes one U+FFFD (Unicode 15, section 3.9, "best practices").
std::string replace_invalid_utf8(std::string_view bytes);
std::size_t count_characters(std::string_view bytes);  // a maximal ill-formed part counts as one
void append_utf8(std::string& out, char32_t code);     // code is a scalar value
// The beginning of a text for a message, cut between characters: line breaks and control characters become spaces, what is cut
// off "...".
std::string one_line(std::string_view text, std::size_t most = 60);

// --- of valid UTF-8 ---------------------------------------------------------------------------------------------
bool is_white_space(char32_t code);  // Unicode's White_Space
// Where the last character before `end` starts; end > 0.
std::size_t previous_character(std::string_view text, std::size_t end);
// Where the white space that ends at `end`, or begins at `begin`, leaves off.
std::size_t skip_spaces_left(std::string_view text, std::size_t end);
std::size_t skip_spaces_right(std::string_view text, std::size_t begin);

}  // namespace rlaif
