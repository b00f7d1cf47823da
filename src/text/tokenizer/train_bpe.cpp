// Byte-pair encoding learnt from texts: the most frequent pair of neighbours becomes a token, again and again.
#include <algorithm>
#include <queue>
#include <unordered_map>

#include "bpe.hpp"
#include "byte_level.hpp"
#include "pre_tokenizer.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/text/tokenizer.hpp"

namespace rlaif::text {
namespace {

struct CountedWord {
  std::vector<TokenId> tokens;
  std::int64_t count = 0;
};

// How often a pair stands in the texts, and the words that may hold it.
struct PairUse {
  std::int64_t count = 0;
  std::vector<std::uint32_t> words;
};

// A pair with its count at the time it was queued. The most frequent is taken first, then that of the lower ids.
struct MergeCandidate {
  std::int64_t count;
  std::uint64_t pair;
  bool operator<(const MergeCandidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

void check_options(const BpeTrainerOptions& options) {
  for (std::size_t i = 0; i < options.special_tokens.size(); ++i) {
    const std::string& token = options.special_tokens[i];
    const auto end = options.special_tokens.begin() + static_cast<std::ptrdiff_t>(i);
    const bool repeated = std::find(options.special_tokens.begin(), end, token) != end;
    const auto bytes = from_byte_level(token);
    if (token.empty() || repeated || !is_valid_utf8(token) || (bytes && bytes->size() == 1)) {
      throw usage_error("special token '" + token +
                        "': expected a text of its own, longer than one character, valid UTF-8 and given once");
    }
  }
  const auto least = static_cast<std::int64_t>(options.special_tokens.size()) + 256;
  if (options.vocab_size < least) {
    throw usage_error("a vocabulary of " + std::to_string(options.vocab_size) + " tokens; expected at least " +
                      std::to_string(least) + " for the special tokens and the 256 bytes");
  }
  if (options.min_frequency < 1) throw usage_error("min_frequency: expected at least 1");
}

class Trainer {
 public:
  Trainer(std::span<const std::string> texts, const BpeTrainerOptions& options) : options_(options) {
    for (const std::string& token : options.special_tokens) tokens_.push_back(token);
    for (const unsigned char byte : bytes_in_character_order()) {
      const char raw = static_cast<char>(byte);
      byte_ids_[byte] = static_cast<TokenId>(tokens_.size());
      tokens_.push_back(to_byte_level(std::string_view(&raw, 1)));
    }
    for (std::size_t id = 0; id < tokens_.size(); ++id) ids_.emplace(tokens_[id], static_cast<TokenId>(id));
    count_words(texts);
    count_pairs();
    merge_all();
  }

  std::string to_json() const;

 private:
  void count_words(std::span<const std::string> texts) {
    const PreTokenizer pre_tokenizer({ByteLevelStep{options_.add_prefix_space, true}});
    StringMap<std::size_t> index;  // only looked up: the words keep the order in which they first came
    for (const std::string& text : texts) {
      pre_tokenizer.for_each_word(replace_invalid_utf8(text), Place::at_start, [&](std::string_view word) {
        auto found = index.find(word);
        if (found == index.end()) {
          found = index.emplace(word, words_.size()).first;
          CountedWord& added = words_.emplace_back();
          for (const char byte : word) added.tokens.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
        }
        ++words_[found->second].count;
      });
    }
  }

  void change(std::uint64_t pair, std::int64_t by, std::uint32_t word) {
    PairUse& use = pairs_[pair];
    use.count += by;
    if (by > 0 && (use.words.empty() || use.words.back() != word)) use.words.push_back(word);
  }

  void count_pairs() {
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      const auto& tokens = words_[w].tokens;
      for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        change(pair_key(tokens[i], tokens[i + 1]), words_[w].count, w);
      }
    }
    for (const auto& [pair, use] : pairs_) queue_.push({use.count, pair});
  }

  // Replaces the pair by `merged` in one word, left to right, and lists the pairs that came to be.
  void merge_in_word(std::uint32_t w, const Merge& merge, std::vector<std::uint64_t>& created) {
    CountedWord& word = words_[w];
    std::vector<TokenId>& tokens = word.tokens;
    const auto replace_pair = [&](TokenId left, TokenId right, TokenId new_left, TokenId new_right) {
      change(pair_key(left, right), -word.count, w);
      change(pair_key(new_left, new_right), word.count, w);
      created.push_back(pair_key(new_left, new_right));
    };
    std::size_t kept = 0;  // tokens[0, kept) is the new word so far
    for (std::size_t i = 0; i < tokens.size(); ++kept) {
      if (i + 1 >= tokens.size() || tokens[i] != merge.left || tokens[i + 1] != merge.right) {
        tokens[kept] = tokens[i++];
        continue;
      }
      change(pair_key(merge.left, merge.right), -word.count, w);
      if (kept > 0) replace_pair(tokens[kept - 1], merge.left, tokens[kept - 1], merge.result);
      if (i + 2 < tokens.size()) replace_pair(merge.right, tokens[i + 2], merge.result, tokens[i + 2]);
      tokens[kept] = merge.result;
      i += 2;
    }
    tokens.resize(kept);
  }

  // Two ways may lead to one token ("a" + "bc", "ab" + "c"): it keeps its id.
  TokenId token_for(TokenId left, TokenId right) {
    const auto [found, added] = ids_.emplace(tokens_[left] + tokens_[right], static_cast<TokenId>(tokens_.size()));
    if (added) tokens_.push_back(found->first);
    return found->second;
  }

  void merge_all() {
    std::vector<std::uint64_t> created;
    while (static_cast<std::int64_t>(tokens_.size()) < options_.vocab_size && !queue_.empty()) {
      const MergeCandidate best = queue_.top();
      queue_.pop();
      const std::int64_t count = pairs_[best.pair].count;
      if (count != best.count) {  // queued before its neighbours merged: it comes later, if at all
        if (count > 0) queue_.push({count, best.pair});
        continue;
      }
      if (count < options_.min_frequency) break;
      const auto left = static_cast<TokenId>(best.pair >> 32), right = static_cast<TokenId>(best.pair & 0xFFFFFFFFu);
      const TokenId result = token_for(left, right);
      if (static_cast<std::size_t>(result) < options_.special_tokens.size()) continue;  // no text becomes special
      merges_.push_back({left, right, result});
      const std::vector<std::uint32_t> words = std::move(pairs_[best.pair].words);
      pairs_[best.pair].words.clear();
      for (const std::uint32_t w : words) merge_in_word(w, merges_.back(), created);
      std::sort(created.begin(), created.end());
      created.erase(std::unique(created.begin(), created.end()), created.end());
      for (const std::uint64_t pair : created) {
        if (const std::int64_t now = pairs_[pair].count; now > 0) queue_.push({now, pair});
      }
      created.clear();
    }
  }

  const BpeTrainerOptions& options_;
  std::vector<std::string> tokens_;  // by id, in stored form
  StringMap<TokenId> ids_;
  std::array<TokenId, 256> byte_ids_{};
  std::vector<CountedWord> words_;
  std::unordered_map<std::uint64_t, PairUse> pairs_;
  std::priority_queue<MergeCandidate> queue_;
  std::vector<Merge> merges_;
};

std::string Trainer::to_json() const {
  const auto quoted = [](const std::string& text) { return Json(text).dump(); };
  const std::size_t special_count = options_.special_tokens.size();
  Json added = Json::array();
  for (std::size_t id = 0; id < special_count; ++id) {
    added.push_back({{"id", id},
                     {"content", tokens_[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", options_.add_prefix_space},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  std::string out = "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n";
  out += "  \"added_tokens\": " + added.dump() + ",\n  \"normalizer\": null,\n";
  out += "  \"pre_tokenizer\": " + byte_level.dump() + ",\n  \"post_processor\": null,\n";
  out += "  \"decoder\": " + byte_level.dump() + ",\n";
  out +=
      "  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n"
      "    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n"
      "    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n    \"vocab\": {";
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    out += (id == 0 ? "\n      " : ",\n      ") + quoted(tokens_[id]) + ": " + std::to_string(id);
  }
  out += "\n    },\n    \"merges\": [";
  for (std::size_t i = 0; i < merges_.size(); ++i) {
    out += (i == 0 ? "\n      " : ",\n      ") + quoted(tokens_[merges_[i].left] + " " + tokens_[merges_[i].right]);
  }
  return out + "\n    ]\n  }\n}\n";
}

}  // namespace

Tokenizer train_bpe(std::span<const std::string> texts, const BpeTrainerOptions& options) {
  check_options(options);
  return Tokenizer::parse(Trainer(texts, options).to_json(), "trained tokenizer");
}

}  // namespace rlaif::text
