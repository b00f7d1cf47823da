// From stored tokens back to a text, for tokenizers that are not byte-level.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "normalizer.hpp"

namespace rlaif::text {

struct ByteFallbackStep {};  // runs of <0x..> become characters, or one U+FFFD a byte where they are no UTF-8
struct FuseStep {};          // all tokens become one
struct StripStep {           // of each token, at most `start` and `stop` such characters at its ends
  char32_t character;
  std::size_t start, stop;
};
struct MetaspaceDecodeStep {  // the replacement becomes a space, or nothing in the first token
  std::string replacement;
  bool drop_first;
};
using DecoderStep = std::variant<ReplaceStep, ByteFallbackStep, FuseStep, StripStep, MetaspaceDecodeStep>;

class Decoder {
 public:
  Decoder() = default;
  explicit Decoder(std::vector<DecoderStep> steps) : steps_(std::move(steps)) {}
  std::string decode(std::vector<std::string> tokens) const;

 private:
  std::vector<DecoderStep> steps_;
};

std::string byte_token(unsigned char byte);  // "<0x0A>"

}  // namespace rlaif::text
