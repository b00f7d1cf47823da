// White space of ASCII, as answers are read.
//   is_blank('\t');   // true
#pragma once

#include <string>
#include <string_view>

namespace rlaif::text {

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A text without the white space around it.
inline std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}
inline std::string trimmed(std::string_view text) { return std::string(stripped(text)); }

}  // namespace rlaif::text
