#include "rlaif/text/tokenizer.hpp"

#include <algorithm>

#include "added_tokens.hpp"
#include "byte_level.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/utf8.hpp"
#include "tokenizer_file.hpp"

namespace rlaif::text {
namespace {

struct Entry {
  std::string token;    // stored form; empty: the id names no token
  std::string written;  // what it adds to a decoded text: bytes where the decoder is ByteLevel, else what that decodes
  bool special = false;
};

// As the reference decodes: an added token that is searched for in normalized form is also written in it, and is
// special where that form is; an added token is read as byte characters where all of it are such.
void describe_added(const std::vector<AddedToken>& added, const Normalizer& normalizer, std::vector<Entry>& entries) {
  const auto is_special = [&](const std::string& text) {
    return std::any_of(added.begin(), added.end(),
                       [&](const auto& token) { return token.special && token.content == text; });
  };
  for (const AddedToken& token : added) {
    Entry& entry = entries[static_cast<std::size_t>(token.id)];
    entry.special = token.special;
    if (!token.normalized || normalizer.empty()) continue;
    entry.written = normalizer.apply(token.content);
    entry.special = is_special(entry.written);
  }
}

std::vector<Entry> make_entries(const TokenizerFile& file, const Normalizer& normalizer) {
  TokenId highest = -1;
  for (const auto& [token, id] : file.ids) highest = std::max(highest, id);
  std::vector<Entry> entries(static_cast<std::size_t>(highest + 1));
  for (const auto& [token, id] : file.ids) {
    Entry& entry = entries[static_cast<std::size_t>(id)];
    entry.token = entry.written = token;
  }
  describe_added(file.added_tokens, normalizer, entries);
  for (Entry& entry : entries) {
    if (!file.decoder) entry.written = from_byte_level(entry.written).value_or(entry.written);
  }
  return entries;
}

}  // namespace

struct Tokenizer::Impl {
  std::string source, name;
  Normalizer normalizer;
  std::vector<Entry> entries;  // by id
  StringMap<TokenId> ids;
  std::vector<AddedToken> added_tokens;
  AddedTokenMatcher matcher;
  PreTokenizer pre_tokenizer;
  Bpe bpe;
  Frame frame;
  std::optional<Decoder> decoder;  // nothing: ByteLevel

  Impl(TokenizerFile file, std::string json, const std::string& file_name)
      : source(std::move(json)),
        name(file_name),
        normalizer(std::move(file.normalizer)),
        entries(make_entries(file, normalizer)),
        ids(std::move(file.ids)),
        added_tokens(std::move(file.added_tokens)),
        matcher(added_tokens, normalizer),
        pre_tokenizer(std::move(file.steps)),
        bpe(std::move(file.bpe)),
        frame(std::move(file.frame)) {
    if (file.decoder) decoder.emplace(std::move(*file.decoder));
  }

  void append(const Segment& segment, std::vector<TokenId>& tokens) const {
    if (segment.token) return tokens.push_back(*segment.token);
    pre_tokenizer.for_each_word(segment.text, segment.place, [&](std::string_view word) { bpe.encode(word, tokens); });
  }

  const Entry* entry(TokenId id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= entries.size()) return nullptr;
    const Entry& found = entries[static_cast<std::size_t>(id)];
    return found.token.empty() ? nullptr : &found;
  }
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::load(const std::filesystem::path& tokenizer_json) {
  return parse(read_file(tokenizer_json), tokenizer_json.string());
}

Tokenizer Tokenizer::parse(std::string_view json, const std::string& name) {
  return Tokenizer(std::make_unique<Impl>(parse_tokenizer_file(json, name), std::string(json), name));
}

void Tokenizer::save(const std::filesystem::path& tokenizer_json) const {
  write_file_atomic(tokenizer_json, impl_->source);
}

const std::string& Tokenizer::to_json() const { return impl_->source; }

std::vector<TokenId> Tokenizer::encode(std::string_view text, SpecialText special) const {
  std::string repaired;
  if (!is_valid_utf8(text)) {
    repaired = replace_invalid_utf8(text);
    text = repaired;
  }
  std::vector<TokenId> tokens;
  impl_->matcher.for_each_segment(text, special, impl_->normalizer,
                                  [&](const Segment& segment) { impl_->append(segment, tokens); });
  return tokens;
}

std::vector<TokenId> Tokenizer::encode_template(std::span<const TemplatePiece> pieces) const {
  std::string text;
  std::vector<ByteRange> control;
  for (const TemplatePiece& piece : pieces) {
    const std::size_t begin = text.size();
    text += replace_invalid_utf8(piece.text);
    if (piece.special == SpecialText::as_text) continue;
    if (control.empty() || control.back().end < begin) control.push_back({begin, begin});
    control.back().end = text.size();
  }
  std::vector<TokenId> tokens;
  impl_->matcher.for_each_segment(text, control, impl_->normalizer,
                                  [&](const Segment& segment) { impl_->append(segment, tokens); });
  return tokens;
}

const std::vector<TokenId>& Tokenizer::begin_tokens() const { return impl_->frame.before; }
const std::vector<TokenId>& Tokenizer::end_tokens() const { return impl_->frame.after; }

std::string Tokenizer::decode(std::span<const TokenId> tokens) const {
  if (impl_->decoder) {
    std::vector<std::string> texts;
    for (const TokenId id : tokens) {
      const Entry* entry = impl_->entry(id);
      if (entry != nullptr && !entry->special) texts.push_back(entry->written);
    }
    return impl_->decoder->decode(std::move(texts));
  }
  std::string bytes;
  for (const TokenId id : tokens) {
    const Entry* entry = impl_->entry(id);
    if (entry != nullptr && !entry->special) bytes += entry->written;
  }
  return replace_invalid_utf8(bytes);
}

std::string Tokenizer::decode_text(std::span<const TokenId> tokens) const {
  std::string text = decode(tokens);
  if (impl_->pre_tokenizer.adds_prefix_space() && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

std::int64_t Tokenizer::vocab_size() const { return static_cast<std::int64_t>(impl_->entries.size()); }

std::optional<TokenId> Tokenizer::token_to_id(std::string_view token) const {
  const auto found = impl_->ids.find(token);
  if (found == impl_->ids.end()) return std::nullopt;
  return found->second;
}

const std::string& Tokenizer::id_to_token(TokenId id) const {
  const Entry* entry = impl_->entry(id);
  if (entry == nullptr) {
    throw input_error(impl_->name, "no token has the id " + std::to_string(id) + "; expected an id below " +
                                       std::to_string(vocab_size()));
  }
  return entry->token;
}

const std::vector<AddedToken>& Tokenizer::added_tokens() const { return impl_->added_tokens; }

std::vector<TokenId> Tokenizer::nameless_tokens(std::int64_t size) const {
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < size; ++id) {
    if (impl_->entry(id) == nullptr) ids.push_back(id);
  }
  return ids;
}

}  // namespace rlaif::text
