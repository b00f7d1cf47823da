#include "rlaif/text/tokenizer.hpp"

#include <algorithm>

#include "added_tokens.hpp"
#include "byte_level.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/text/utf8.hpp"
#include "tokenizer_file.hpp"

namespace rlaif::text {
namespace {

struct Entry {
  std::string token;  // stored form; empty: the id names no token
  std::string bytes;  // what it adds to a decoded text
  bool special = false;
};

std::vector<Entry> make_entries(const StringMap<TokenId>& ids, const std::vector<AddedToken>& added) {
  TokenId highest = -1;
  for (const auto& [token, id] : ids) highest = std::max(highest, id);
  std::vector<Entry> entries(static_cast<std::size_t>(highest + 1));
  for (const auto& [token, id] : ids) {
    Entry& entry = entries[static_cast<std::size_t>(id)];
    entry.token = token;
    // As the reference decodes: also an added token is read as byte characters where all of it are such.
    entry.bytes = from_byte_level(token).value_or(token);
  }
  for (const AddedToken& token : added) entries[static_cast<std::size_t>(token.id)].special = token.special;
  return entries;
}

}  // namespace

struct Tokenizer::Impl {
  std::string source, name;
  StringMap<TokenId> ids;
  std::vector<AddedToken> added_tokens;
  std::vector<Entry> entries;  // by id
  AddedTokenMatcher matcher;
  PreTokenizer pre_tokenizer;
  Bpe bpe;

  Impl(TokenizerFile file, std::string json, const std::string& file_name)
      : source(std::move(json)),
        name(file_name),
        ids(std::move(file.ids)),
        added_tokens(std::move(file.added_tokens)),
        entries(make_entries(ids, added_tokens)),
        matcher(added_tokens),
        pre_tokenizer(std::move(file.steps)),
        bpe(std::move(file.bpe)) {}

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
  for (const Segment& segment : impl_->matcher.segments(text, special)) {
    if (segment.token) {
      tokens.push_back(*segment.token);
    } else {
      impl_->pre_tokenizer.for_each_word(segment.text,
                                         [&](std::string_view word) { impl_->bpe.encode(word, tokens); });
    }
  }
  return tokens;
}

std::string Tokenizer::decode(std::span<const TokenId> tokens) const {
  std::string bytes;
  for (const TokenId id : tokens) {
    const Entry* entry = impl_->entry(id);
    if (entry != nullptr && !entry->special) bytes += entry->bytes;
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

}  // namespace rlaif::text
