// Text as chat templates handle it: Unicode characters that know who wrote them. The mark travels with each character
// through slices, joins, replacements and changes of case, so that what users wrote is told from what the template
// wrote wherever it ends up.
//   Letters text = to_letters("<|im_start|>", Origin::markup) + to_letters("<|im_end|>", Origin::contents);
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "rlaif/templates/piece.hpp"

namespace rlaif::templates {

// A letter is a code point; its highest bit is set where it belongs to contents.
using Letters = std::u32string;
using LettersView = std::u32string_view;
constexpr char32_t contents_bit = 0x80000000u;
constexpr std::size_t no_position = LettersView::npos;

constexpr char32_t code_of(char32_t letter) { return letter & ~contents_bit; }
constexpr bool is_contents(char32_t letter) { return (letter & contents_bit) != 0; }
// The code as a letter of the same origin as another.
constexpr char32_t like(char32_t code, char32_t letter) { return code | (letter & contents_bit); }

Letters to_letters(std::string_view utf8, Origin origin = Origin::markup);  // ill-formed parts become U+FFFD
std::string to_utf8(LettersView letters);

// Who wrote a letter plays no part in comparing texts.
bool same_text(LettersView a, LettersView b);
bool same_text(LettersView a, std::string_view ascii);
int compare_text(LettersView a, LettersView b);  // by code point: below, at or above 0
std::size_t find_text(LettersView text, LettersView part, std::size_t from = 0);
std::size_t rfind_text(LettersView text, LettersView part);

// What Python's str.isspace() says, and what its methods of that name give.
bool is_python_space(char32_t letter);
LettersView strip(LettersView text, bool left, bool right, const std::function<bool(char32_t)>& drop);
Letters upper(LettersView text);
Letters lower(LettersView text);
Letters capitalize(LettersView text);
Letters title(LettersView text);  // str.title(): every run of cased letters
Letters swap_case(LettersView text);
bool is_upper(char32_t letter);
bool is_lower(char32_t letter);
bool is_letter(char32_t letter);     // str.isalpha() of one character
bool is_decimal(char32_t letter);    // str.isdecimal()
bool is_word(char32_t letter);       // \w of a regular expression
bool is_printable(char32_t letter);  // str.isprintable()

// Cut where Python's str.splitlines() cuts.
std::size_t line_break_length(LettersView text, std::size_t at);  // 0: no line break begins here

}  // namespace rlaif::templates
