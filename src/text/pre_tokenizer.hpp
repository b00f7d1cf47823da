// From text to words: the steps that a tokenizer file lists, applied one after the other.
#pragma once

#include <functional>
#include <string_view>
#include <variant>
#include <vector>

#include "regex.hpp"

namespace rlaif::text {

// The pattern that ByteLevel carries itself (GPT-2).
const Regex& byte_level_pattern();

struct SplitStep {  // matches and what lies between them become words
  Regex pattern;
};
struct DigitsStep {  // numeric characters (Nd, Nl, No) part from the rest, one by one or as runs
  bool individual;
};
struct ByteLevelStep {  // always the last step: its words are bytes
  bool add_prefix_space;
  bool use_regex;
};
using PreTokenizerStep = std::variant<SplitStep, DigitsStep, ByteLevelStep>;

class PreTokenizer {
 public:
  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<PreTokenizerStep> steps) : steps_(std::move(steps)) {}

  using Word = std::function<void(std::string_view)>;
  // Calls f for each word of a valid UTF-8 text, in order; none is empty. A word is seen only during its call.
  void for_each_word(std::string_view text, const Word& f) const { run(0, text, f); }
  bool adds_prefix_space() const;

 private:
  void run(std::size_t step, std::string_view piece, const Word& f) const;
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace rlaif::text
