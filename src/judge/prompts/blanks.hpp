// White space of ASCII, as answers are read. Private to judge.
//   is_blank('\t');   // true
#pragma once

namespace rlaif::judge {

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace rlaif::judge
