// The steps around the model that a tokenizer.json lists, read and checked.
#pragma once

#include <optional>
#include <vector>

#include "decoder.hpp"
#include "normalizer.hpp"
#include "pre_tokenizer.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::text {

// What a post-processor puts around one text.
struct Frame {
  std::vector<TokenId> before, after;
};

// All throw Error(input) naming file, key and what was expected.
std::vector<NormalizerStep> read_normalizer(const IndexedJsonReader& document);
std::vector<PreTokenizerStep> read_pre_tokenizer(const IndexedJsonReader& document);
Frame read_post_processor(const IndexedJsonReader& document);
// Nothing: ByteLevel.
std::optional<std::vector<DecoderStep>> read_decoder(const IndexedJsonReader& document);

}  // namespace rlaif::text
