#include "pre_tokenizer.hpp"

#include <algorithm>
#include <string>

namespace rlaif::text {
namespace {

void split_isolated(const Regex& pattern, std::string_view text, const PreTokenizer::Word& f) {
  std::size_t done = 0;
  const auto emit = [&](std::size_t end) {
    if (end > done) f(text.substr(done, end - done));
    done = end;
  };
  pattern.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    emit(begin);
    emit(end);
  });
  emit(text.size());
}

void run_metaspace(const MetaspaceStep& step, std::string_view piece, Place place, const PreTokenizer::Word& f) {
  std::string text;
  text.reserve(piece.size() + piece.size() / 2 + step.replacement.size());
  const bool wanted =
      step.prepend == PrependScheme::always || (step.prepend == PrependScheme::first && place == Place::at_start);
  if (wanted && piece.front() != ' ' && !piece.starts_with(step.replacement)) text += step.replacement;
  for (const char c : piece) {
    if (c == ' ') {
      text += step.replacement;
    } else {
      text.push_back(c);
    }
  }
  const std::string_view whole = text;
  std::size_t begin = 0;
  while (step.split && begin < whole.size()) {
    const std::size_t end = std::min(whole.find(step.replacement, begin + 1), whole.size());
    f(whole.substr(begin, end - begin));
    begin = end;
  }
  if (!step.split) f(whole);
}

const Regex& digits_pattern(bool individual) {
  static const Regex one(R"(\p{N})"), run(R"(\p{N}+)");
  return individual ? one : run;
}

}  // namespace

const Regex& byte_level_pattern() {
  static const Regex pattern(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
  return pattern;
}

bool PreTokenizer::is_byte_level() const {
  return !steps_.empty() && std::holds_alternative<ByteLevelStep>(steps_.back());
}

bool PreTokenizer::adds_prefix_space() const {
  return is_byte_level() && std::get<ByteLevelStep>(steps_.back()).add_prefix_space;
}

void PreTokenizer::run(std::size_t index, std::string_view piece, Place place, const Word& f) const {
  if (piece.empty()) return;
  if (index == steps_.size()) return f(piece);
  const Word next = [&](std::string_view word) { run(index + 1, word, Place::later, f); };
  if (const auto* split = std::get_if<SplitStep>(&steps_[index])) {
    split_isolated(split->pattern, piece, next);
  } else if (const auto* digits = std::get_if<DigitsStep>(&steps_[index])) {
    split_isolated(digits_pattern(digits->individual), piece, next);
  } else if (const auto* metaspace = std::get_if<MetaspaceStep>(&steps_[index])) {
    run_metaspace(*metaspace, piece, place, next);
  } else {
    const auto& byte_level = std::get<ByteLevelStep>(steps_[index]);
    std::string spaced;
    if (byte_level.add_prefix_space && piece.front() != ' ') {
      spaced.append(" ").append(piece);
      piece = spaced;
    }
    if (byte_level.use_regex) {
      split_isolated(byte_level_pattern(), piece, next);
    } else {
      next(piece);
    }
  }
}

}  // namespace rlaif::text
