// Texts for a line of output; numbers are put into texts by fmt::format, with formats that the compiler checks.
//   one_line("two\nlines")  ->  "two lines"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rlaif {

// The beginning of a text for a message: line breaks and control characters become spaces, what is cut off "...".
std::string one_line(std::string_view text, std::size_t most = 60);

}  // namespace rlaif
