// Words, sentences and stems of a text.
//   words("Don't stop!")   // {"don't", "stop"}
//
// How a text is read (UTF-8; an ill-formed part counts as one U+FFFD):
//   character   a code point. Folded for comparison: small letters (ASCII, Latin-1, Greek, Cyrillic), ’ as '.
//   word        a maximal run of letters, marks and digits, of any script. Within a word may stand, between two such
//               characters: an apostrophe or hyphen ("don't", "well-known"); . , or : between digits ("3.5", "10:30");
//               a dot between single letters ("e.g.", "U.S."). Each Han, Hiragana or Katakana character is a word of
//               its own. Punctuation, symbols and emoji are in no word.
//   sentence    a stretch with at least one word, up to a line break, the end of the text, or a run of . ! ? … with its
//               closing quotes, brackets, * and _ before white space; 。！？ need none after them, and neither does a
//               run between a small and a capital letter ("It dries.Then"). An unfinished stretch is a sentence too.
//               No sentence ends at a dot within a word; after e.g. i.e. vs. Mr. Dr. and the like; after etc. p.m. U.S.
//               oz. and the like unless a capital follows; after the initial of a name ("J. Smith", "John F. Kennedy");
//               after the number that begins a line ("1. Boil"); nor, where a small letter follows, at "..." or "…" or
//               at a closed quotation ("\"Stop!\" he said.").
//   stem        of a word, hyphens parting it, in small letters and without 's: irregular forms are looked up ("frozen"
//               is "freeze"). Of words of four and more ASCII letters these ends go, each once, in this order: the
//               plural (-ies to y, -es after x ch sh zz o ss, -s but not of -ss -us -is); -ied to y, -ed, -ing (not
//               -eed; three letters with a vowel stay); -ly (four stay); -e (three stay); the second of two equal last
//               letters. Then an end's y becomes i: dry dries dried drying -> dri; store stored storing -> stor.
//   content     a stem of a word that is neither a stop word (articles, pronouns, auxiliaries, prepositions, question
//               words, and verbs that say little: get, make, use, keep, help ...) nor a single ASCII letter.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rlaif::text {

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

std::vector<std::string> words(std::string_view text);      // folded
std::vector<std::string> sentences(std::string_view text);  // as they stand, without white space around them
std::set<std::string> content_stems(std::string_view text);

bool is_space(char32_t c);
bool is_line_break(char32_t c);
bool is_digit(char32_t c);  // ASCII
bool is_word_character(char32_t c);
bool is_own_word(char32_t c);  // Han, Hiragana, Katakana
bool is_closer(char32_t c);    // closing quotes and brackets, marks of emphasis
bool is_small(char32_t c);
bool is_capital(char32_t c);
char32_t folded(char32_t c);

}  // namespace rlaif::text
