#include "letters.hpp"

#include <algorithm>

#include "rlaif/core/utf8.hpp"

namespace rlaif::templates {

Letters to_letters(std::string_view utf8, Origin origin) {
  const char32_t mark = origin == Origin::contents ? contents_bit : 0;
  Letters letters;
  letters.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const Utf8Step step = decode_utf8(utf8.substr(at));
    letters.push_back((step.valid ? step.code : U'\uFFFD') | mark);
    at += step.length;
  }
  return letters;
}

std::string to_utf8(LettersView letters) {
  std::string out;
  out.reserve(letters.size());
  for (const char32_t letter : letters) append_utf8(out, code_of(letter));
  return out;
}

int compare_text(LettersView a, LettersView b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (code_of(a[i]) != code_of(b[i])) return code_of(a[i]) < code_of(b[i]) ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

bool same_text(LettersView a, LettersView b) { return a.size() == b.size() && compare_text(a, b) == 0; }

bool same_text(LettersView a, std::string_view ascii) {
  if (a.size() != ascii.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (code_of(a[i]) != static_cast<unsigned char>(ascii[i])) return false;
  }
  return true;
}

std::size_t find_text(LettersView text, LettersView part, std::size_t from) {
  for (std::size_t at = from; at <= text.size() && part.size() <= text.size() - at; ++at) {
    if (same_text(text.substr(at, part.size()), part)) return at;
  }
  return no_position;
}

std::size_t rfind_text(LettersView text, LettersView part) {
  if (part.size() > text.size()) return no_position;
  for (std::size_t at = text.size() - part.size() + 1; at-- > 0;) {
    if (same_text(text.substr(at, part.size()), part)) return at;
  }
  return no_position;
}

bool is_python_space(char32_t letter) {
  const char32_t code = code_of(letter);
  return is_white_space(code) || (code >= 0x1C && code <= 0x1F);
}

LettersView strip(LettersView text, bool left, bool right, const std::function<bool(char32_t)>& drop) {
  while (left && !text.empty() && drop(text.front())) text.remove_prefix(1);
  while (right && !text.empty() && drop(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t line_break_length(LettersView text, std::size_t at) {
  const char32_t code = code_of(text[at]);
  if (code == U'\r') return at + 1 < text.size() && code_of(text[at + 1]) == U'\n' ? 2 : 1;
  const bool breaks = (code >= 0x0A && code <= 0x0C) || (code >= 0x1C && code <= 0x1E) || code == 0x85 ||
                      code == 0x2028 || code == 0x2029;
  return breaks ? 1 : 0;
}

}  // namespace rlaif::templates
