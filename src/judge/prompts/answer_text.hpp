// How answers of judges are walked through, word by word, in search of what they say. Private to judge.
//   Cursor cursor{lower("**Verdict:** A")};
//   const auto noun = take_cue(cursor, nouns);   // "verdict", and the cursor stands before the A
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rlaif/core/json.hpp"
#include "rlaif/text/blanks.hpp"

namespace rlaif::judge {

using text::is_blank, text::stripped;

inline bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0; }
// What may stand around a label without being part of it.
inline bool is_dressing(char c) {
  return std::string_view("*_`\"'()[]{}<>#.,:;!~ \t\r\n").find(c) != std::string_view::npos;
}

std::string lower(std::string_view text);

template <std::size_t n>
bool is_one_of(std::string_view word, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A walk over lower-cased text, word by word.
struct Cursor {
  std::string_view text;
  std::size_t at = 0;

  void skip_spaces() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  }
  void skip(std::string_view characters) {
    while (at < text.size() && characters.find(text[at]) != std::string_view::npos) ++at;
  }
  std::string_view word() const {
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    return text.substr(at, end - at);
  }
  bool take(std::string_view expected) {
    if (word() != expected) return false;
    at += expected.size();
    return true;
  }
  bool take_phrase(std::string_view phrase) {
    if (text.substr(at, phrase.size()) != phrase) return false;
    const std::size_t end = at + phrase.size();
    if (end < text.size() && is_word(text[end]) && is_word(phrase.back())) return false;
    at = end;
    return true;
  }
};

// "final verdict is": one of the nouns, what may stand before it, and the sign or "is" behind it. The cursor then stands
// behind all of it; none where the line does not begin so.
std::optional<std::string_view> take_cue(Cursor& cursor, std::span<const std::string_view> nouns);

// Whether the line that holds byte `at` begins with '>'.
bool is_in_quoted_line(std::string_view text, std::size_t at);

// The value of a key in an object that is the whole text, stands in a code fence, or ends the text.
struct JsonAtEnd {
  Json value;
  std::size_t open = 0, close = 0;  // of the object: its braces
};
std::optional<JsonAtEnd> json_at_end(std::string_view text, const char* key);

}  // namespace rlaif::judge
