#include "characters.hpp"

#include "rlaif/text/utf8.hpp"

namespace rlaif::text {

bool is_white_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

std::size_t previous_character(std::string_view text, std::size_t end) {
  std::size_t at = end - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) --at;
  return at;
}

std::size_t skip_spaces_left(std::string_view text, std::size_t end) {
  while (end > 0) {
    const std::size_t at = previous_character(text, end);
    if (!is_white_space(decode_utf8(text.substr(at)).code)) break;
    end = at;
  }
  return end;
}

std::size_t skip_spaces_right(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const Utf8Step step = decode_utf8(text.substr(begin));
    if (!is_white_space(step.code)) break;
    begin += step.length;
  }
  return begin;
}

}  // namespace rlaif::text
