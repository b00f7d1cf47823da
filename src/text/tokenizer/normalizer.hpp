// What a tokenizer file does to a text before it is cut into words.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "regex.hpp"

namespace rlaif::text {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };  // UAX 15

struct UnicodeStep {
  UnicodeForm form;
};
struct LowercaseStep {};     // each character on its own, without regard to its neighbours
struct StripAccentsStep {};  // drops combining marks (Mn, Mc, Me); letters that hold theirs keep them
struct PrependStep {         // before a text that is not empty
  std::string text;
};
struct ReplaceStep {
  Regex pattern;
  std::string content;
};
using NormalizerStep = std::variant<UnicodeStep, LowercaseStep, StripAccentsStep, PrependStep, ReplaceStep>;

std::string replace_matches(const ReplaceStep& step, std::string_view text);

class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<NormalizerStep> steps) : steps_(std::move(steps)) {}

  bool empty() const { return steps_.empty(); }
  std::string apply(std::string_view text) const;  // text is valid UTF-8

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace rlaif::text
