// Byte-pair encoding of words over a fixed table of merges.
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

struct BpeTables {
  std::array<std::optional<TokenId>, 256> byte_ids;  // nothing: the byte is unknown
  std::vector<Merge> merges;                         // best first; of equal pairs the last counts
  std::optional<TokenId> unknown;                    // for unknown bytes; without it they are dropped
  bool fuse_unknown = false;                         // one `unknown` for a run of unknown bytes
  StringMap<TokenId> whole_words;                    // raw bytes that are one token whatever the merges say
};

// Safe to use from several threads: encoded words are remembered under a lock, up to a bound.
class Bpe {
 public:
  explicit Bpe(BpeTables tables);
  // Appends the tokens of one word, given as raw bytes.
  void encode(std::string_view word, std::vector<TokenId>& out) const;

 private:
  struct Rank {
    std::int32_t rank;
    TokenId result;
  };
  std::vector<TokenId> merge(std::string_view word) const;
  std::vector<TokenId> initial_tokens(std::string_view word) const;

  BpeTables tables_;
  std::unordered_map<std::uint64_t, Rank> ranks_;
  mutable std::shared_mutex mutex_;
  mutable StringMap<std::vector<TokenId>> cache_;
};

std::uint64_t pair_key(TokenId left, TokenId right);  // orders like (left, right)

}  // namespace rlaif::text
