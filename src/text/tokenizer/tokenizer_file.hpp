// What a tokenizer.json says, checked and turned into tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bpe.hpp"
#include "rlaif/text/tokenizer.hpp"
#include "tokenizer_steps.hpp"

namespace rlaif::text {

struct TokenizerFile {
  std::vector<AddedToken> added_tokens;  // in the file's order
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> steps;
  Frame frame;
  std::optional<std::vector<DecoderStep>> decoder;  // nothing: ByteLevel
  BpeTables bpe;
  StringMap<TokenId> ids;  // model vocabulary and added tokens
};

// Throws Error(input) naming `name`, the key and what was expected.
TokenizerFile parse_tokenizer_file(std::string_view json, const std::string& name);

}  // namespace rlaif::text
