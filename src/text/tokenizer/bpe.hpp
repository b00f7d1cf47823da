// Byte-pair encoding of words over a fixed table of merges; the symbols are bytes or characters.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::text {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

struct Merge {
  TokenId left = 0, right = 0, result = 0;
};

enum class Alphabet { bytes, characters };

struct BpeTables {
  Alphabet alphabet = Alphabet::bytes;
  std::unordered_map<char32_t, TokenId> character_ids;  // of an alphabet of characters
  // Tokens of single bytes; nothing: the byte is unknown. Where the alphabet is characters, they stand for the bytes of
  // a character without a token, if all of these bytes have one.
  std::array<std::optional<TokenId>, 256> byte_ids;
  std::vector<Merge> merges;       // best first; of equal pairs the last counts
  std::optional<TokenId> unknown;  // for unknown symbols; without it they are dropped
  bool fuse_unknown = false;       // one `unknown` for a run of unknown symbols
  StringMap<TokenId> whole_words;  // words that are one token whatever the merges say
};

// Safe to use from several threads: encoded words are remembered under a lock, up to a bound.
class Bpe {
 public:
  explicit Bpe(BpeTables tables);
  // Appends the tokens of one word: raw bytes, or valid UTF-8 where the alphabet is characters.
  void encode(std::string_view word, std::vector<TokenId>& out) const;

 private:
  struct Rank {
    std::int32_t rank;
    TokenId result;
  };
  std::vector<TokenId> merge(std::string_view word) const;
  std::vector<TokenId> byte_tokens(std::string_view word) const;
  std::vector<TokenId> character_tokens(std::string_view word) const;

  BpeTables tables_;
  std::unordered_map<std::uint64_t, Rank> ranks_;
  mutable std::shared_mutex mutex_;
  mutable StringMap<std::vector<TokenId>> cache_;
};

std::uint64_t pair_key(TokenId left, TokenId right);  // orders like (left, right)

}  // namespace rlaif::text
