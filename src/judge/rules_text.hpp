// A text taken apart as rules.hpp defines it.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/judge/rules.hpp"

namespace rlaif::judge {

struct Word {
  std::size_t begin = 0, end = 0;  // characters
  std::string text;                // folded, UTF-8
};

struct Sentence {
  std::size_t begin = 0, end = 0;             // characters, white space around it left out
  std::size_t first_word = 0, last_word = 0;  // [first, last)
};

struct TextParts {
  std::u32string characters;
  std::vector<Word> words;
  std::vector<Sentence> sentences;
  bool valid_utf8 = true;
};
TextParts take_apart(std::string_view text);

// The stem of one word without hyphens, folded.
std::string stem(const std::string& word);
std::set<std::string> content_stems(const std::vector<Word>& words);

struct Reading {
  TextParts question, response;
  bool ended = false;
};

bool is_space(char32_t c);
bool is_line_break(char32_t c);
bool is_digit(char32_t c);  // ASCII
bool is_word_character(char32_t c);
bool is_own_word(char32_t c);  // Han, Hiragana, Katakana
bool is_closer(char32_t c);    // closing quotes and brackets, marks of emphasis
bool is_small(char32_t c);
bool is_capital(char32_t c);
char32_t folded(char32_t c);
std::string to_utf8(std::u32string_view characters);

}  // namespace rlaif::judge
