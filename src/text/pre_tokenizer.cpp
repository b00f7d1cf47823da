#include "pre_tokenizer.hpp"

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

const Regex& digits_pattern(bool individual) {
  static const Regex one(R"(\p{N})"), run(R"(\p{N}+)");
  return individual ? one : run;
}

}  // namespace

const Regex& byte_level_pattern() {
  static const Regex pattern(
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
  return pattern;
}

bool PreTokenizer::adds_prefix_space() const {
  if (steps_.empty()) return false;
  const auto* last = std::get_if<ByteLevelStep>(&steps_.back());
  return last != nullptr && last->add_prefix_space;
}

void PreTokenizer::run(std::size_t index, std::string_view piece, const Word& f) const {
  if (piece.empty()) return;
  if (index == steps_.size()) return f(piece);
  const Word next = [&](std::string_view word) { run(index + 1, word, f); };
  if (const auto* split = std::get_if<SplitStep>(&steps_[index])) {
    split_isolated(split->pattern, piece, next);
  } else if (const auto* digits = std::get_if<DigitsStep>(&steps_[index])) {
    split_isolated(digits_pattern(digits->individual), piece, next);
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
