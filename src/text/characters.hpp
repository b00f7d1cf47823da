// Characters of valid UTF-8 texts: white space and walking backwards.
#pragma once

#include <cstddef>
#include <string_view>

namespace rlaif::text {

bool is_white_space(char32_t code);  // Unicode's White_Space

// Where the last character before `end` starts; end > 0.
std::size_t previous_character(std::string_view text, std::size_t end);
// Where the white space that ends at `end`, or begins at `begin`, leaves off.
std::size_t skip_spaces_left(std::string_view text, std::size_t end);
std::size_t skip_spaces_right(std::string_view text, std::size_t begin);

}  // namespace rlaif::text
