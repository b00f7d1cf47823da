// BPE tokenizer, byte-level or over characters, read from and written as a Hugging Face tokenizer.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::text {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special = false, lstrip = false, rstrip = false, single_word = false, normalized = false;
};

// What a special token's content means where it stands in a text. Added tokens that are not special are ordinary
// vocabulary and match either way.
enum class SpecialText {
  as_text,    // plain text: for anything a user or a model wrote
  as_tokens,  // the token's id: for templates only
};

// A piece of a conversation's text: written by the template (as_tokens) or by somebody else (as_text).
struct TemplatePiece {
  std::string text;
  SpecialText special = SpecialText::as_text;
};

// Covered: model BPE, with byte_fallback or not; normalizers NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Prepend and
// Replace; pre-tokenizers Split (Isolated), Digits, Metaspace (first) and ByteLevel (last) or none; decoder ByteLevel,
// or ByteFallback, Fuse, Metaspace, Replace and Strip; post-processors TemplateProcessing and ByteLevel; Sequences of
// them. Truncation and padding are kept in the file and not applied. All const members are safe to call from several
// threads.
class Tokenizer {
 public:
  // Throws Error(input) with file and key for anything not covered: a tokenizer is never half-read.
  static Tokenizer load(const std::filesystem::path& tokenizer_json);
  static Tokenizer parse(std::string_view json, const std::string& name);  // name stands for the file in errors
  void save(const std::filesystem::path& tokenizer_json) const;
  const std::string& to_json() const;  // the bytes it was read from

  // Adds no begin or end token. Bytes that are not valid UTF-8 are encoded as U+FFFD, one for each maximal
  // ill-formed part. A byte that the vocabulary lacks becomes the model's unknown token or, without one, nothing.
  std::vector<TokenId> encode(std::string_view text, SpecialText special = SpecialText::as_text) const;
  // The pieces encoded as one text, in which only what lies in pieces that are as_tokens can become special tokens.
  std::vector<TokenId> encode_template(std::span<const TemplatePiece> pieces) const;
  // What the file's post-processor puts before and after a whole model input (<s>, for example); often nothing.
  const std::vector<TokenId>& begin_tokens() const;
  const std::vector<TokenId>& end_tokens() const;
  // Skips special tokens and ids that name no token. Invalid UTF-8 becomes U+FFFD as in the reference library.
  // Where the pre-tokenizer adds a prefix space, decode_text removes the one space it added at the front.
  std::string decode(std::span<const TokenId> tokens) const;
  std::string decode_text(std::span<const TokenId> tokens) const;

  std::int64_t vocab_size() const;                                   // highest id + 1
  std::optional<TokenId> token_to_id(std::string_view token) const;  // by its stored form ("Ġcat") or added content
  const std::string& id_to_token(TokenId id) const;                  // throws Error(input) where the id names no token
  const std::vector<AddedToken>& added_tokens() const;
  // Ids below `size` that name no token, in increasing order: the rows that only pad a model's vocabulary.
  std::vector<TokenId> nameless_tokens(std::int64_t size) const;

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct BpeTrainerOptions {
  std::int64_t vocab_size = 1024;           // bytes, merges and special tokens together, at most
  std::int64_t min_frequency = 2;           // of a pair, to be merged
  std::vector<std::string> special_tokens;  // take ids 0, 1, ...
  bool add_prefix_space = true;
};
// Trains a byte-level BPE (GPT-2 pre-tokenizer; Sennrich et al. 2016). Ids: special tokens, the 256 bytes in the
// order of their characters, merges. The same texts and options give the same bytes: ties between pairs of one
// frequency go to the pair with the lower ids. Throws Error(usage) where vocab_size has no room for special tokens
// and bytes, or a special token is empty, repeated, not UTF-8 or a character of the byte alphabet.
Tokenizer train_bpe(std::span<const std::string> texts, const BpeTrainerOptions& options);

}  // namespace rlaif::text
