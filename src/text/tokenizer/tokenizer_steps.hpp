// The steps around the model that a tokenizer.json lists, read and checked.
#pragma once

#include <optional>
#include <vector>

#include "../json_field.hpp"
#include "decoder.hpp"
#include "normalizer.hpp"
#include "pre_tokenizer.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::text {

// What a post-processor puts around one text.
struct Frame {
  std::vector<TokenId> before, after;
};

// All throw Error(input) naming file, key and what was expected.
std::vector<NormalizerStep> read_normalizer(const JsonField& document);
std::vector<PreTokenizerStep> read_pre_tokenizer(const JsonField& document);
Frame read_post_processor(const JsonField& document);
// Nothing: ByteLevel.
std::optional<std::vector<DecoderStep>> read_decoder(const JsonField& document);

}  // namespace rlaif::text
