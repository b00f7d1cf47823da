#include "check.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace rlaif::judge {
namespace {

using text::is_closer, text::is_space;

std::size_t count(const TextParts& text, Measure measure) {
  switch (measure) {
    case Measure::words: return text.words.size();
    case Measure::sentences: return text.sentences.size();
    case Measure::characters: return text.characters.size();
  }
  return 0;
}

bool stands_at(const std::vector<Word>& words, std::size_t place, const Phrase& phrase) {
  if (words.size() < place + phrase.size()) return false;
  return std::equal(phrase.begin(), phrase.end(), words.begin() + static_cast<std::ptrdiff_t>(place),
                    [](const std::string& text, const Word& word) { return text == word.text; });
}

bool stands_in(const std::vector<Word>& words, const Phrase& phrase) {
  for (std::size_t i = 0; i + phrase.size() <= words.size(); ++i)
    if (stands_at(words, i, phrase)) return true;
  return false;
}

// Words as numbers, equal where the words are.
std::vector<int> numbered(const std::vector<Word>& words) {
  std::map<std::string_view, int> numbers;
  std::vector<int> result;
  for (const Word& word : words)
    result.push_back(numbers.emplace(word.text, static_cast<int>(numbers.size())).first->second);
  return result;
}

using Stretch = std::span<const int>;

bool has_two_equal(std::vector<Stretch> stretches) {
  std::sort(stretches.begin(), stretches.end(),
            [](Stretch a, Stretch b) { return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()); });
  return std::adjacent_find(stretches.begin(), stretches.end(), [](Stretch a, Stretch b) {
           return std::equal(a.begin(), a.end(), b.begin(), b.end());
         }) != stretches.end();
}

bool repeats(const TextParts& text, std::size_t n) {
  const std::vector<int> words = numbered(text.words);
  std::vector<Stretch> stretches;
  for (std::size_t i = 0; i + n <= words.size(); ++i) stretches.push_back(Stretch(words).subspan(i, n));
  if (has_two_equal(std::move(stretches))) return true;
  std::vector<Stretch> sentences;
  for (const Sentence& sentence : text.sentences)
    sentences.push_back(Stretch(words).subspan(sentence.first_word, sentence.last_word - sentence.first_word));
  return has_two_equal(std::move(sentences));
}

bool ends_complete(const TextParts& text) {
  const std::u32string& characters = text.characters;
  std::size_t end = characters.size();
  while (end > 0 && (is_space(characters[end - 1]) || is_closer(characters[end - 1]))) --end;
  if (end == 0 || text.words.empty()) return false;
  const bool trails_off =
      end > 1 && characters[end - 1] == '.' && (characters[end - 2] == '.' || characters[end - 2] == 0x2026);
  return !trails_off &&
         std::u32string_view(U".!?\u3002\uFF01\uFF1F").find(characters[end - 1]) != std::u32string_view::npos;
}

}  // namespace

Check count_between(Measure measure, std::size_t low, std::size_t high) {
  return [=](const Reading& reading) {
    const std::size_t seen = count(reading.response, measure);
    return low <= seen && seen <= high;
  };
}

Check complete() {
  return [](const Reading& reading) { return reading.ended && ends_complete(reading.response); };
}

Check no_repetition(std::size_t n) {
  return [n](const Reading& reading) { return !repeats(reading.response, n); };
}

Check no_banned_opener(std::vector<Phrase> openers) {
  return [openers = std::move(openers)](const Reading& reading) {
    return std::none_of(openers.begin(), openers.end(),
                        [&](const Phrase& opener) { return stands_at(reading.response.words, 0, opener); });
  };
}

Check required_words(std::vector<Phrase> phrases, Match match) {
  return [phrases = std::move(phrases), match](const Reading& reading) {
    const auto is_there = [&](const Phrase& phrase) { return stands_in(reading.response.words, phrase); };
    return match == Match::any ? std::any_of(phrases.begin(), phrases.end(), is_there)
                               : std::all_of(phrases.begin(), phrases.end(), is_there);
  };
}

Check no_banned_words(std::vector<Phrase> phrases) {
  return [phrases = std::move(phrases)](const Reading& reading) {
    return std::none_of(phrases.begin(), phrases.end(),
                        [&](const Phrase& phrase) { return stands_in(reading.response.words, phrase); });
  };
}

Check shares_content_stem(std::size_t at_least) {
  return [at_least](const Reading& reading) {
    const std::set<std::string> asked = content_stems(reading.question.words);
    if (asked.empty()) return !reading.response.words.empty();
    const std::set<std::string> answered = content_stems(reading.response.words);
    const auto shared = static_cast<std::size_t>(
        std::count_if(asked.begin(), asked.end(), [&](const std::string& stem) { return answered.contains(stem); }));
    return shared >= std::min(at_least, asked.size());
  };
}

Check plain_text() {
  return [](const Reading& reading) { return is_plain(reading.response); };
}

}  // namespace rlaif::judge
