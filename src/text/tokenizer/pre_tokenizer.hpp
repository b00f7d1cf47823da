// From text to words: the steps that a tokenizer file lists, applied one after the other.
#pragma once

#include <functional>
#include <string>
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
enum class PrependScheme { always, first, never };  // first: only where the text itself begins
struct MetaspaceStep {  // always the first step: spaces become `replacement`, one is put before
  std::string replacement;
  PrependScheme prepend;
  bool split;  // each word begins with the replacement; otherwise the piece is one word
};
struct ByteLevelStep {  // always the last step: its words are bytes
  bool add_prefix_space;
  bool use_regex;
};
using PreTokenizerStep = std::variant<SplitStep, DigitsStep, MetaspaceStep, ByteLevelStep>;

// Where a piece of a text stands.
enum class Place { at_start, later };

class PreTokenizer {
 public:
  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<PreTokenizerStep> steps) : steps_(std::move(steps)) {}

  using Word = std::function<void(std::string_view)>;
  // Calls f for each word of a valid UTF-8 piece, in order; none is empty. A word is seen only during its call.
  void for_each_word(std::string_view piece, Place place, const Word& f) const { run(0, piece, place, f); }
  bool adds_prefix_space() const;  // by ByteLevel: decoders do not take it off again
  bool is_byte_level() const;

 private:
  void run(std::size_t step, std::string_view piece, Place place, const Word& f) const;
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace rlaif::text
