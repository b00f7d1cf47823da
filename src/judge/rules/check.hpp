// What a single rule asks of a text. Each answers whether the rule is kept.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/text/words.hpp"

namespace rlaif::judge {

using text::TextParts, text::Word, text::Sentence;

// A question and an answer, taken apart.
struct Reading {
  TextParts question, response;
  bool ended = false;
};

using Check = std::function<bool(const Reading&)>;
using Phrase = std::vector<std::string>;  // folded words, at least one

enum class Measure { words, sentences, characters };
enum class Match { any, all };

Check count_between(Measure measure, std::size_t low, std::size_t high);
Check complete();
Check no_repetition(std::size_t n);
Check no_banned_opener(std::vector<Phrase> openers);
Check required_words(std::vector<Phrase> phrases, Match match);
Check no_banned_words(std::vector<Phrase> phrases);
Check shares_content_stem(std::size_t at_least);
Check plain_text();

// Markdown and other marks of a text that is shown as it is; see plain_text in book.hpp.
bool is_plain(const TextParts& text);

}  // namespace rlaif::judge
