// printf into a string, for tables.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rlaif {

std::string text_format(const char* format, ...) __attribute__((format(printf, 1, 2)));

// The beginning of a text for a message: line breaks and control characters become spaces, what is cut off "...".
std::string one_line(std::string_view text, std::size_t most = 60);

}  // namespace rlaif
