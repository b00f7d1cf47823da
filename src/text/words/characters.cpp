// Kinds of characters, as far as words and sentences tell them apart.
#include "rlaif/text/words.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace rlaif::text {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode blocks and stretches of punctuation, symbols, emoji and private use; what is not here, nor ASCII, is a
// letter, mark or digit of some script. Sorted.
constexpr std::array outside_words{
    Range{0x0080, 0x00A9}, Range{0x00AB, 0x00B1},   Range{0x00B4, 0x00B4},   Range{0x00B6, 0x00B8},
    Range{0x00BB, 0x00BB}, Range{0x00BF, 0x00BF},   Range{0x00D7, 0x00D7},   Range{0x00F7, 0x00F7},
    Range{0x02C2, 0x02DF}, Range{0x037E, 0x037E},   Range{0x0387, 0x0387},   Range{0x055A, 0x055F},
    Range{0x0589, 0x058F}, Range{0x05BE, 0x05BE},   Range{0x05C0, 0x05C0},   Range{0x05C3, 0x05C3},
    Range{0x05F3, 0x05F4}, Range{0x0600, 0x060F},   Range{0x061B, 0x061F},   Range{0x066A, 0x066D},
    Range{0x06D4, 0x06D4}, Range{0x0964, 0x0965},   Range{0x0E3F, 0x0E3F},   Range{0x0E4F, 0x0E4F},
    Range{0x0E5A, 0x0E5B}, Range{0x0F04, 0x0F14},   Range{0x104A, 0x104F},   Range{0x1360, 0x1368},
    Range{0x1680, 0x1680}, Range{0x17D4, 0x17DB},   Range{0x1800, 0x180A},   Range{0x2000, 0x206F},
    Range{0x20A0, 0x214F}, Range{0x2190, 0x2BFF},   Range{0x2E00, 0x2E7F},   Range{0x2FF0, 0x3004},
    Range{0x3008, 0x3020}, Range{0x3030, 0x3030},   Range{0x303D, 0x303F},   Range{0x30A0, 0x30A0},
    Range{0x30FB, 0x30FB}, Range{0xD800, 0xF8FF},   Range{0xFE00, 0xFE1F},   Range{0xFE30, 0xFE6F},
    Range{0xFEFF, 0xFF0F}, Range{0xFF1A, 0xFF20},   Range{0xFF3B, 0xFF40},   Range{0xFF5B, 0xFF65},
    Range{0xFFE0, 0xFFFF}, Range{0x1D100, 0x1D1FF}, Range{0x1F000, 0x1FBFF}, Range{0xE0000, 0x10FFFF}};

bool in_ranges(std::span<const Range> ranges, char32_t c) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c, [](char32_t x, Range r) { return x < r.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

bool within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

}  // namespace

bool is_line_break(char32_t c) { return within(c, 0x0A, 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029; }

bool is_space(char32_t c) {
  return c == ' ' || c == '\t' || is_line_break(c) || c == 0xA0 || c == 0x1680 || within(c, 0x2000, 0x200A) ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_digit(char32_t c) { return within(c, '0', '9'); }

bool is_word_character(char32_t c) {
  if (c < 0x80) return is_digit(c) || within(c, 'a', 'z') || within(c, 'A', 'Z');
  return !in_ranges(outside_words, c);
}

bool is_own_word(char32_t c) {
  return within(c, 0x2E80, 0x2FDF) || within(c, 0x3005, 0x3007) || within(c, 0x3021, 0x303C) ||
         within(c, 0x3041, 0x30FF) || within(c, 0x31F0, 0x31FF) || within(c, 0x3400, 0x4DBF) ||
         within(c, 0x4E00, 0x9FFF) || within(c, 0xF900, 0xFAFF) || within(c, 0xFF66, 0xFF9F) ||
         within(c, 0x20000, 0x323AF);
}

bool is_closer(char32_t c) {
  static constexpr std::u32string_view closers =
      U"\"')]}*_\u00BB\u2019\u201D\u203A\u3009\u300B\u300D\u300F\u3011\uFF09";
  return closers.find(c) != closers.npos;
}

char32_t folded(char32_t c) {
  if (c == 0x2019) return '\'';
  if (c == 0x2010 || c == 0x2011) return '-';
  if (within(c, 'A', 'Z') || (within(c, 0xC0, 0xDE) && c != 0xD7) || (within(c, 0x391, 0x3A9) && c != 0x3A2) ||
      within(c, 0x410, 0x42F))
    return c + 0x20;
  return within(c, 0x400, 0x40F) ? c + 0x50 : c;
}

bool is_capital(char32_t c) { return is_word_character(c) && folded(c) != c; }

bool is_small(char32_t c) {
  return within(c, 'a', 'z') || (within(c, 0xDF, 0xFF) && c != 0xF7) || within(c, 0x3B1, 0x3C9) ||
         within(c, 0x430, 0x45F);
}

}  // namespace rlaif::text
