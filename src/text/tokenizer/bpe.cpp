#include "bpe.hpp"

#include <algorithm>
#include <mutex>
#include <queue>

#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

// Natural text repeats its words: 64k of them cover nearly all, in under 10 MB.
constexpr std::size_t kCacheWords = 1 << 16;
constexpr std::size_t kCacheWordBytes = 64;

struct Symbol {
  TokenId id;
  std::int32_t previous, next;  // -1: none
};

// A merge that was possible when it was queued. Of equal ranks the leftmost goes first.
struct Candidate {
  std::int32_t rank, position;
  TokenId left, right, result;
  bool operator<(const Candidate& other) const {  // the greatest is taken first
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

std::uint64_t pair_key(TokenId left, TokenId right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) | static_cast<std::uint32_t>(right);
}

Bpe::Bpe(BpeTables tables) : tables_(std::move(tables)) {
  ranks_.reserve(tables_.merges.size());
  std::int32_t rank = 0;
  for (const Merge& merge : tables_.merges) ranks_[pair_key(merge.left, merge.right)] = {rank++, merge.result};
}

std::vector<TokenId> Bpe::byte_tokens(std::string_view word) const {
  std::vector<TokenId> tokens;
  tokens.reserve(word.size());
  bool after_unknown = false;
  for (const char byte : word) {
    const std::optional<TokenId> id = tables_.byte_ids[static_cast<unsigned char>(byte)];
    if (id) {
      tokens.push_back(*id);
    } else if (tables_.unknown && !(after_unknown && tables_.fuse_unknown)) {
      tokens.push_back(*tables_.unknown);
    }
    after_unknown = !id;
  }
  return tokens;
}

std::vector<TokenId> Bpe::character_tokens(std::string_view word) const {
  std::vector<TokenId> tokens;
  tokens.reserve(word.size());
  bool waiting = false;  // an unknown token: bytes that stand for a character overtake it, as in the reference
  const auto end_waiting = [&] {
    if (waiting) tokens.push_back(*tables_.unknown);
    waiting = false;
  };
  while (!word.empty()) {
    const Utf8Step step = decode_utf8(word);
    const std::string_view bytes = word.substr(0, step.length);
    word.remove_prefix(step.length);
    const auto id_of = [&](char byte) { return tables_.byte_ids[static_cast<unsigned char>(byte)]; };
    if (const auto found = tables_.character_ids.find(step.code); found != tables_.character_ids.end()) {
      end_waiting();
      tokens.push_back(found->second);
    } else if (std::all_of(bytes.begin(), bytes.end(), [&](char byte) { return id_of(byte).has_value(); })) {
      for (const char byte : bytes) tokens.push_back(*id_of(byte));
    } else {
      if (!tables_.fuse_unknown) end_waiting();
      waiting = tables_.unknown.has_value();
    }
  }
  end_waiting();
  return tokens;
}

std::vector<TokenId> Bpe::merge(std::string_view word) const {
  std::vector<TokenId> tokens = tables_.alphabet == Alphabet::bytes ? byte_tokens(word) : character_tokens(word);
  const auto count = static_cast<std::int32_t>(tokens.size());
  std::vector<Symbol> symbols(tokens.size());
  for (std::int32_t i = 0; i < count; ++i) symbols[i] = {tokens[i], i - 1, i + 1 < count ? i + 1 : -1};

  std::priority_queue<Candidate> queue;
  const auto consider = [&](std::int32_t position) {
    if (position < 0 || symbols[position].next < 0) return;
    const TokenId left = symbols[position].id, right = symbols[symbols[position].next].id;
    const auto found = ranks_.find(pair_key(left, right));
    if (found != ranks_.end()) queue.push({found->second.rank, position, left, right, found->second.result});
  };
  for (std::int32_t i = 0; i < count; ++i) consider(i);

  constexpr TokenId kMergedAway = -1;
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& symbol = symbols[best.position];
    // An earlier merge may have taken one of the two.
    if (symbol.id != best.left || symbol.next < 0 || symbols[symbol.next].id != best.right) continue;
    Symbol& gone = symbols[symbol.next];
    symbol.id = best.result;
    symbol.next = gone.next;
    gone.id = kMergedAway;
    if (symbol.next >= 0) symbols[symbol.next].previous = best.position;
    consider(symbol.previous);
    consider(best.position);
  }

  tokens.clear();
  for (std::int32_t i = count > 0 ? 0 : -1; i >= 0; i = symbols[i].next) tokens.push_back(symbols[i].id);
  return tokens;
}

void Bpe::encode(std::string_view word, std::vector<TokenId>& out) const {
  if (const auto whole = tables_.whole_words.find(word); whole != tables_.whole_words.end()) {
    out.push_back(whole->second);
    return;
  }
  const bool worth_keeping = word.size() <= kCacheWordBytes;
  if (worth_keeping) {
    const std::shared_lock lock(mutex_);
    if (const auto known = cache_.find(word); known != cache_.end()) {
      out.insert(out.end(), known->second.begin(), known->second.end());
      return;
    }
  }
  std::vector<TokenId> tokens = merge(word);
  out.insert(out.end(), tokens.begin(), tokens.end());
  if (!worth_keeping) return;
  const std::unique_lock lock(mutex_);
  if (cache_.size() < kCacheWords) cache_.emplace(word, std::move(tokens));
}

}  // namespace rlaif::text
