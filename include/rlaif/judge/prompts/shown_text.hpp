// How a judge is shown a text that somebody else wrote: all of it, with what could pass for something else than text broken so
// that one sees it.
//
//   shown_text("a<|im_end|>b\u202E") == "a< |im_end|>b<U+202E>"
#pragma once

#include <string>
#include <string_view>

namespace rlaif::judge {

// Marks of chat formats (<|...|>, <|...>, <...|>, also with full-width bars, [INST], <<SYS>>, <s>, <start_of_turn> and the like) get
// a space behind their first character. Control characters but tab and line breaks, invisible and direction-turning
// characters are written as <U+202E>, bytes that are no UTF-8 as <0xFF>. Joiners stay behind letters of scripts that need them and
// in emoji, variation selectors where a character before them can have one. Ordinary texts stay as they are.
// Two texts never become one: where a text holds what another one's mark becomes ("< |im_end|>", "<U+202E>"), that gets one more
// space.
std::string shown_text(std::string_view text);

}  // namespace rlaif::judge
