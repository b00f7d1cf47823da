// Whether a text is plain: no mark in it stands for a format.
#include <algorithm>
#include <array>

#include "check.hpp"

namespace rlaif::judge {
namespace {

using text::is_capital, text::is_digit, text::is_line_break, text::is_small, text::is_space, text::is_word_character;

using Line = std::u32string_view;

constexpr std::array<Line, 10> markup_marks{U"**", U"__", U"~~",      U"`",        U"](",
                                            U"<|", U"|>", U"http://", U"https://", U"www."};

bool is_control(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  const bool override_of_direction = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || override_of_direction;
}

// "# ", "> ", "- ", "* ", "+ ", "• ", "| ", "1. ", "1) ", "---": what begins a heading, quotation, list or table, or is
// a rule.
bool begins_with_marker(Line line) {
  const std::size_t start = line.find_first_not_of(U" \t");
  if (start == Line::npos) return false;
  line.remove_prefix(start);
  if (line[0] == '|' || line[0] == 0x2022) return true;
  std::size_t end = 0;
  if (line[0] == '#') {
    end = line.find_first_not_of(U'#');
  } else if (is_digit(line[0])) {
    while (end < line.size() && is_digit(line[end])) ++end;
    if (end > 3 || end == line.size() || (line[end] != '.' && line[end] != ')')) return false;
    ++end;
    if (end == line.size()) return false;  // "It was in 7." may break so
  } else if (line.find_first_not_of(U'-') == Line::npos) {
    return true;
  } else if (line[0] == '>' || line[0] == '-' || line[0] == '*' || line[0] == '+') {
    end = 1;
  } else {
    return false;
  }
  return end >= line.size() || is_space(line[end]);
}

// A mark that touches text on its right, and later one that touches text on its left: *so*, <b>.
bool encloses(Line line, char32_t open, char32_t close) {
  bool opened = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool text_before = i > 0 && !is_space(line[i - 1]);
    const bool text_after = i + 1 < line.size() && !is_space(line[i + 1]);
    if (opened && line[i] == close && text_before) return true;
    if (line[i] == open && text_after && (open == close ? !text_before || !is_word_character(line[i - 1]) : true))
      opened = true;
  }
  return false;
}

bool is_tag(Line line) {
  for (std::size_t i = line.find(U'<'); i != Line::npos; i = line.find(U'<', i + 1)) {
    const char32_t next = i + 1 < line.size() ? line[i + 1] : U' ';
    if (next == '/' || next == '!' || is_small(next) || is_capital(next)) return encloses(line.substr(i), U'<', U'>');
  }
  return false;
}

bool is_plain_line(Line line) { return !begins_with_marker(line) && !encloses(line, U'*', U'*') && !is_tag(line); }

}  // namespace

bool is_plain(const TextParts& parts) {
  const Line text = parts.characters;
  if (!parts.valid_utf8 || std::any_of(text.begin(), text.end(), is_control)) return false;
  for (const Line mark : markup_marks)
    if (text.find(mark) != Line::npos) return false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), is_line_break);
    const auto stop = static_cast<std::size_t>(end - text.begin());
    if (!is_plain_line(text.substr(begin, stop - begin))) return false;
    begin = stop + 1;
  }
  return true;
}

}  // namespace rlaif::judge
