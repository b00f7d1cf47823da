// UTF-8 as the Unicode Standard defines it (table 3-7): no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rlaif::text {

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
void append_utf8(std::string& out, char32_t code);  // code is a scalar value

}  // namespace rlaif::text
