#include "rlaif/text/words.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

using Characters = std::u32string_view;

// Followed by a name or an example: never the end of a sentence.
constexpr std::array<std::string_view, 19> leading_abbreviations{"approx", "capt", "cf",  "dr", "e.g", "eg", "gov",
                                                                 "i.e",    "ie",   "lt",  "mr", "mrs", "ms", "mt",
                                                                 "prof",   "rev",  "sgt", "st", "vs"};
// May end a sentence: the next capital tells.
constexpr std::array<std::string_view, 27> trailing_abbreviations{
    "a.m", "avg", "co",   "dept", "est", "etc", "ft",  "hr", "hrs",  "inc", "jr",  "lb",  "lbs", "ltd",
    "max", "min", "mins", "oz",   "p.m", "qt",  "sec", "sr", "tbsp", "tsp", "u.k", "u.s", "yr"};

bool is_one_of(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_apostrophe_or_hyphen(char32_t c) {
  static constexpr Characters joiners = U"'-\u00AD\u200C\u200D\u2010\u2011\u2019";
  return joiners.find(c) != joiners.npos;
}

char32_t at(Characters text, std::size_t i) { return i < text.size() ? text[i] : U' '; }

// A character between two word characters that parts no word.
bool joins(Characters text, std::size_t i) {
  if (i == 0) return false;
  const char32_t before = text[i - 1], c = text[i], after = at(text, i + 1);
  if (!is_word_character(before) || !is_word_character(after) || is_own_word(before) || is_own_word(after))
    return false;
  if (is_apostrophe_or_hyphen(c)) return true;
  if ((c == '.' || c == ',' || c == ':') && is_digit(before) && is_digit(after)) return true;
  const bool single_before = i == 1 || !is_word_character(text[i - 2]);
  return c == '.' && single_before && !is_digit(before) && !is_digit(after) && !is_word_character(at(text, i + 2));
}

std::vector<Word> find_words(Characters text) {
  std::vector<Word> found;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_word_character(text[i])) {
      ++i;
      continue;
    }
    Word word{i, i + 1, {}};
    if (!is_own_word(text[i])) {
      while (word.end < text.size() &&
             ((is_word_character(text[word.end]) && !is_own_word(text[word.end])) || joins(text, word.end)))
        ++word.end;
    }
    for (i = word.begin; i < word.end; ++i) append_utf8(word.text, folded(text[i]));
    found.push_back(std::move(word));
  }
  return found;
}

bool is_list_number(std::string_view word) {
  return word.size() <= 3 &&
         std::all_of(word.begin(), word.end(), [](char c) { return is_digit(static_cast<unsigned char>(c)); });
}

bool is_wide_terminator(char32_t c) { return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61; }
bool is_terminator(char32_t c) { return c == '.' || c == '!' || c == '?' || c == 0x2026 || is_wide_terminator(c); }

// Finds where sentences end, from the words and what follows the marks.
class SentenceFinder {
 public:
  SentenceFinder(Characters text, const std::vector<Word>& words) : text_(text), words_(words) { begin_line(0); }

  std::vector<Sentence> find() {
    for (std::size_t i = 0; i < text_.size();) {
      if (is_line_break(text_[i])) {
        end_sentence(i);
        begin_ = ++i;
        begin_line(i);
      } else if (!is_terminator(text_[i])) {
        ++i;
      } else {
        std::size_t marks = i, closed = i;
        while (is_terminator(at(text_, marks))) ++marks;
        for (closed = marks; is_closer(at(text_, closed));) ++closed;
        if (is_end(i, marks, closed)) {
          end_sentence(closed);
          begin_ = closed;
        }
        i = closed;
      }
    }
    end_sentence(text_.size());
    return std::move(found_);
  }

 private:
  void begin_line(std::size_t i) {
    line_ = i;
    line_end_ = static_cast<std::size_t>(
        std::find_if(text_.begin() + static_cast<std::ptrdiff_t>(i), text_.end(), is_line_break) - text_.begin());
  }

  // Keeps [begin_, end) where it has a word; one without goes with neither neighbour.
  void end_sentence(std::size_t end) {
    Sentence sentence{begin_, end, next_word_, next_word_};
    while (sentence.last_word < words_.size() && words_[sentence.last_word].begin < end) ++sentence.last_word;
    next_word_ = sentence.last_word;
    if (sentence.first_word == sentence.last_word) return;
    while (is_space(text_[sentence.begin])) ++sentence.begin;
    while (is_space(text_[sentence.end - 1])) --sentence.end;
    found_.push_back(sentence);
  }

  // Marks [first, marks), closing quotes and brackets [marks, closed).
  bool is_end(std::size_t first, std::size_t marks, std::size_t closed) const {
    if (closed >= text_.size()) return true;
    if (is_wide_terminator(text_[marks - 1])) return true;
    if (!is_space(text_[closed])) return first > 0 && is_small(text_[first - 1]) && is_capital(text_[closed]);
    const std::optional<char32_t> next = next_letter(closed);
    if (!next) return true;
    const bool dots = marks - first > 1 || text_[first] == 0x2026;
    if ((dots || closed > marks) && is_small(*next)) return false;
    return dots || text_[first] != '.' || closed > marks || !belongs_to_word(first, *next);
  }

  // The first character of the next word on the line.
  std::optional<char32_t> next_letter(std::size_t from) const {
    const auto word = word_from(from);
    if (word == words_.end() || word->begin >= line_end_) return std::nullopt;
    return text_[word->begin];
  }

  std::vector<Word>::const_iterator word_from(std::size_t place) const {
    return std::lower_bound(words_.begin(), words_.end(), place,
                            [](const Word& word, std::size_t i) { return word.begin < i; });
  }

  // Whether the dot at `dot` belongs to the word before it: an abbreviation, an initial, a list's number.
  bool belongs_to_word(std::size_t dot, char32_t next) const {
    const auto after = word_from(dot);
    if (after == words_.begin() || std::prev(after)->end != dot) return false;
    const auto word = std::prev(after);
    if (is_one_of(leading_abbreviations, word->text)) return true;
    if (is_one_of(trailing_abbreviations, word->text)) return !is_capital(next);
    const bool begins_line = word == words_.begin() || std::prev(word)->begin < line_;
    if (begins_line && is_list_number(word->text)) return true;
    const bool begins_sentence = word == words_.begin() || std::prev(word)->begin < begin_;
    const bool after_name = !begins_sentence && is_capital(text_[std::prev(word)->begin]);
    const bool one_capital =
        word->end == word->begin + 1 && is_capital(text_[word->begin]) && text_[word->begin] != 'I';
    return one_capital && is_capital(next) && (begins_sentence || after_name);
  }

  Characters text_;
  const std::vector<Word>& words_;
  std::vector<Sentence> found_;
  std::size_t begin_ = 0, line_ = 0, line_end_ = 0, next_word_ = 0;
};

}  // namespace

TextParts take_apart(std::string_view bytes) {
  TextParts parts;
  for (std::size_t i = 0; i < bytes.size();) {
    const Utf8Step step = decode_utf8(bytes.substr(i));
    parts.characters += step.valid ? step.code : U'\uFFFD';
    parts.valid_utf8 = parts.valid_utf8 && step.valid;
    i += step.length;
  }
  parts.words = find_words(parts.characters);
  parts.sentences = SentenceFinder(parts.characters, parts.words).find();
  return parts;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  for (Word& word : take_apart(text).words) result.push_back(std::move(word.text));
  return result;
}

std::vector<std::string> sentences(std::string_view text) {
  const TextParts parts = take_apart(text);
  std::vector<std::string> result;
  for (const Sentence& sentence : parts.sentences) {
    std::string& one = result.emplace_back();
    for (std::size_t i = sentence.begin; i < sentence.end; ++i) append_utf8(one, parts.characters[i]);
  }
  return result;
}

std::set<std::string> content_stems(std::string_view text) { return content_stems(take_apart(text).words); }

}  // namespace rlaif::text
