// What the tests of the text module share: small tokenizer files.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/text/tokenizer.hpp"
#include "support/expect_error.hpp"

namespace rlaif::text {

// Byte characters of the printable ASCII bytes, the space and the line end; enough for texts worked by hand.
inline std::vector<std::string> ascii_characters() {
  std::vector<std::string> characters;
  for (char c = '!'; c <= '~'; ++c) characters.emplace_back(1, c);
  characters.insert(characters.end(), {"Ġ", "Ċ"});
  return characters;
}

// A tokenizer.json: the given tokens first, then the ASCII characters, then the results of the merges.
inline Json tokenizer_document(const std::vector<std::string>& first, const std::vector<std::string>& merges) {
  Json vocab = Json::object();
  const auto add = [&](const std::string& token) {
    if (!vocab.contains(token)) vocab[token] = vocab.size();
  };
  for (const auto& token : first) add(token);
  for (const auto& token : ascii_characters()) add(token);
  for (const auto& merge : merges) {
    const auto space = merge.find(' ');
    add(merge.substr(0, space) + merge.substr(space + 1));
  }
  return {{"added_tokens", Json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}};
}

inline Json added_token(int id, const std::string& content, bool special) {
  return {{"id", id}, {"content", content}, {"special", special}, {"normalized", false}};
}

inline Tokenizer make(const Json& document) { return Tokenizer::parse(document.dump(), "test.json"); }

inline std::vector<std::string> names(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::vector<std::string> tokens;
  for (const TokenId id : ids) tokens.push_back(tokenizer.id_to_token(id));
  return tokens;
}

}  // namespace rlaif::text
