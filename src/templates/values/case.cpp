// Upper and lower case and the classes of characters, as Python's str has them (Unicode's own tables by utf8proc).
#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "letters.hpp"

namespace rlaif::templates {
namespace {

// Characters whose upper case is several (SpecialCasing.txt of the Unicode Character Database).
struct LongUpper {
  char32_t code;
  const char32_t* upper;
};
constexpr LongUpper kLongUpper[] = {
    // clang-format off
    {0xDF, U"SS"}, {0x149, U"\u02BCN"}, {0x1F0, U"J\u030C"}, {0x390, U"\u0399\u0308\u0301"},
    {0x3B0, U"\u03A5\u0308\u0301"}, {0x587, U"\u0535\u0552"}, {0x1E96, U"H\u0331"}, {0x1E97, U"T\u0308"},
    {0x1E98, U"W\u030A"}, {0x1E99, U"Y\u030A"}, {0x1E9A, U"A\u02BE"}, {0x1F50, U"\u03A5\u0313"},
    {0x1F52, U"\u03A5\u0313\u0300"}, {0x1F54, U"\u03A5\u0313\u0301"}, {0x1F56, U"\u03A5\u0313\u0342"},
    {0x1F80, U"\u1F08\u0399"}, {0x1F81, U"\u1F09\u0399"}, {0x1F82, U"\u1F0A\u0399"}, {0x1F83, U"\u1F0B\u0399"},
    {0x1F84, U"\u1F0C\u0399"}, {0x1F85, U"\u1F0D\u0399"}, {0x1F86, U"\u1F0E\u0399"}, {0x1F87, U"\u1F0F\u0399"},
    {0x1F88, U"\u1F08\u0399"}, {0x1F89, U"\u1F09\u0399"}, {0x1F8A, U"\u1F0A\u0399"}, {0x1F8B, U"\u1F0B\u0399"},
    {0x1F8C, U"\u1F0C\u0399"}, {0x1F8D, U"\u1F0D\u0399"}, {0x1F8E, U"\u1F0E\u0399"}, {0x1F8F, U"\u1F0F\u0399"},
    {0x1F90, U"\u1F28\u0399"}, {0x1F91, U"\u1F29\u0399"}, {0x1F92, U"\u1F2A\u0399"}, {0x1F93, U"\u1F2B\u0399"},
    {0x1F94, U"\u1F2C\u0399"}, {0x1F95, U"\u1F2D\u0399"}, {0x1F96, U"\u1F2E\u0399"}, {0x1F97, U"\u1F2F\u0399"},
    {0x1F98, U"\u1F28\u0399"}, {0x1F99, U"\u1F29\u0399"}, {0x1F9A, U"\u1F2A\u0399"}, {0x1F9B, U"\u1F2B\u0399"},
    {0x1F9C, U"\u1F2C\u0399"}, {0x1F9D, U"\u1F2D\u0399"}, {0x1F9E, U"\u1F2E\u0399"}, {0x1F9F, U"\u1F2F\u0399"},
    {0x1FA0, U"\u1F68\u0399"}, {0x1FA1, U"\u1F69\u0399"}, {0x1FA2, U"\u1F6A\u0399"}, {0x1FA3, U"\u1F6B\u0399"},
    {0x1FA4, U"\u1F6C\u0399"}, {0x1FA5, U"\u1F6D\u0399"}, {0x1FA6, U"\u1F6E\u0399"}, {0x1FA7, U"\u1F6F\u0399"},
    {0x1FA8, U"\u1F68\u0399"}, {0x1FA9, U"\u1F69\u0399"}, {0x1FAA, U"\u1F6A\u0399"}, {0x1FAB, U"\u1F6B\u0399"},
    {0x1FAC, U"\u1F6C\u0399"}, {0x1FAD, U"\u1F6D\u0399"}, {0x1FAE, U"\u1F6E\u0399"}, {0x1FAF, U"\u1F6F\u0399"},
    {0x1FB2, U"\u1FBA\u0399"}, {0x1FB3, U"\u0391\u0399"}, {0x1FB4, U"\u0386\u0399"}, {0x1FB6, U"\u0391\u0342"},
    {0x1FB7, U"\u0391\u0342\u0399"}, {0x1FBC, U"\u0391\u0399"}, {0x1FC2, U"\u1FCA\u0399"}, {0x1FC3, U"\u0397\u0399"},
    {0x1FC4, U"\u0389\u0399"}, {0x1FC6, U"\u0397\u0342"}, {0x1FC7, U"\u0397\u0342\u0399"}, {0x1FCC, U"\u0397\u0399"},
    {0x1FD2, U"\u0399\u0308\u0300"}, {0x1FD3, U"\u0399\u0308\u0301"}, {0x1FD6, U"\u0399\u0342"},
    {0x1FD7, U"\u0399\u0308\u0342"}, {0x1FE2, U"\u03A5\u0308\u0300"}, {0x1FE3, U"\u03A5\u0308\u0301"},
    {0x1FE4, U"\u03A1\u0313"}, {0x1FE6, U"\u03A5\u0342"}, {0x1FE7, U"\u03A5\u0308\u0342"}, {0x1FF2, U"\u1FFA\u0399"},
    {0x1FF3, U"\u03A9\u0399"}, {0x1FF4, U"\u038F\u0399"}, {0x1FF6, U"\u03A9\u0342"}, {0x1FF7, U"\u03A9\u0342\u0399"},
    {0x1FFC, U"\u03A9\u0399"}, {0xFB00, U"FF"}, {0xFB01, U"FI"}, {0xFB02, U"FL"}, {0xFB03, U"FFI"}, {0xFB04, U"FFL"},
    {0xFB05, U"ST"}, {0xFB06, U"ST"}, {0xFB13, U"\u0544\u0546"}, {0xFB14, U"\u0544\u0535"},
    {0xFB15, U"\u0544\u053B"}, {0xFB16, U"\u054E\u0546"}, {0xFB17, U"\u0544\u053D"}
    // clang-format on
};

const LongUpper* long_upper(char32_t code) {
  const auto found = std::lower_bound(std::begin(kLongUpper), std::end(kLongUpper), code,
                                      [](const LongUpper& entry, char32_t wanted) { return entry.code < wanted; });
  return found != std::end(kLongUpper) && found->code == code ? found : nullptr;
}

utf8proc_category_t category(char32_t letter) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_of(letter)));
}

bool is_cased(char32_t letter) {
  return is_upper(letter) || is_lower(letter) || category(letter) == UTF8PROC_CATEGORY_LT;
}

// What stands between the letters of a word without being one of them (Case_Ignorable, in its common part).
bool is_ignored_by_case(char32_t letter) {
  const auto kind = category(letter);
  const char32_t code = code_of(letter);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_LM || kind == UTF8PROC_CATEGORY_SK || code == U'\'' || code == U'.' ||
         code == U':' || code == 0xB7 || code == 0x2019;
}

// A capital sigma at the end of a word becomes the final one.
bool ends_word(LettersView text, std::size_t at) {
  std::size_t before = at, after = at + 1;
  while (before > 0 && is_ignored_by_case(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  while (after < text.size() && is_ignored_by_case(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

void append_lower(LettersView text, std::size_t at, Letters& out) {
  const char32_t letter = text[at], code = code_of(letter);
  if (code == 0x130) {
    out += {like(U'i', letter), like(0x307, letter)};
  } else if (code == 0x3A3) {
    out += like(ends_word(text, at) ? 0x3C2 : 0x3C3, letter);
  } else {
    out += like(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))), letter);
  }
}

void append_upper(char32_t letter, Letters& out) {
  const char32_t code = code_of(letter);
  if (const LongUpper* entry = long_upper(code)) {
    for (const char32_t* next = entry->upper; *next != 0; ++next) out += like(*next, letter);
  } else {
    out += like(static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code))), letter);
  }
}

void append_title(char32_t letter, Letters& out) {
  const char32_t code = code_of(letter);
  const auto single = static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(code)));
  const LongUpper* entry = long_upper(code);
  if (entry == nullptr || single != code) {
    out += like(single, letter);
    return;
  }
  // "FF" of a ligature becomes "Ff".
  for (const char32_t* next = entry->upper; *next != 0; ++next) {
    const char32_t lowered = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(*next)));
    out += like(next == entry->upper ? *next : lowered, letter);
  }
}

}  // namespace

bool is_upper(char32_t letter) { return utf8proc_isupper(static_cast<utf8proc_int32_t>(code_of(letter))) != 0; }
bool is_lower(char32_t letter) { return utf8proc_islower(static_cast<utf8proc_int32_t>(code_of(letter))) != 0; }

bool is_letter(char32_t letter) {
  const auto kind = category(letter);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t letter) { return category(letter) == UTF8PROC_CATEGORY_ND; }

bool is_word(char32_t letter) {
  const auto kind = category(letter);
  return is_letter(letter) || (kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO) || code_of(letter) == U'_';
}

bool is_printable(char32_t letter) {
  const auto kind = category(letter);
  const bool other = kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_CS ||
                     kind == UTF8PROC_CATEGORY_CO || kind == UTF8PROC_CATEGORY_CN;
  const bool separates = kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL || kind == UTF8PROC_CATEGORY_ZP;
  return code_of(letter) == U' ' || (!other && !separates);
}

Letters upper(LettersView text) {
  Letters out;
  for (const char32_t letter : text) append_upper(letter, out);
  return out;
}

Letters lower(LettersView text) {
  Letters out;
  for (std::size_t at = 0; at < text.size(); ++at) append_lower(text, at, out);
  return out;
}

Letters capitalize(LettersView text) {
  Letters out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at == 0)
      append_title(text[at], out);
    else
      append_lower(text, at, out);
  }
  return out;
}

Letters title(LettersView text) {
  Letters out;
  bool within = false;  // a run of cased letters
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (within)
      append_lower(text, at, out);
    else
      append_title(text[at], out);
    within = is_cased(text[at]);
  }
  return out;
}

Letters swap_case(LettersView text) {
  Letters out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_upper(text[at]))
      append_lower(text, at, out);
    else if (is_lower(text[at]))
      append_upper(text[at], out);
    else
      out += text[at];
  }
  return out;
}

}  // namespace rlaif::templates
