#include "tokenizer_file.hpp"

#include <algorithm>
#include <unordered_map>

#include "byte_level.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

// Larger ids would only reserve memory: the largest vocabularies in use stay below 2^19.
constexpr std::int64_t kIdLimit = 1 << 24;

// Ids and their tokens, each at most once.
class Vocabulary {
 public:
  explicit Vocabulary(StringMap<TokenId>& ids) : ids_(ids) {}

  TokenId add(const IndexedJsonReader& where, const std::string& token, std::int64_t id) {
    if (id < 0 || id >= kIdLimit) {
      throw where.error("token '" + token + "' has the id " + std::to_string(id) + "; expected 0 to " +
                        std::to_string(kIdLimit - 1));
    }
    const auto [of_token, new_token] = ids_.emplace(token, static_cast<TokenId>(id));
    const auto [of_id, new_id] = tokens_.emplace(static_cast<TokenId>(id), token);
    if (of_token->second != id || of_id->second != token) {
      throw where.error("token '" + token + "' has id " + std::to_string(id) + ", but " +
                        (new_id ? "the token has id " + std::to_string(of_token->second)
                                : "that is the id of '" + of_id->second + "'") +
                        " already; expected one id for each token");
    }
    return static_cast<TokenId>(id);
  }

 private:
  StringMap<TokenId>& ids_;
  std::unordered_map<TokenId, std::string> tokens_;
};

void read_added_tokens(const IndexedJsonReader& document, Vocabulary& vocabulary, std::vector<AddedToken>& out) {
  const auto list = document.given("added_tokens");
  if (!list) return;
  StringMap<bool> seen;
  for (const IndexedJsonReader& item : list->items()) {
    AddedToken token;
    token.content = item.at("content").string();
    if (token.content.empty()) throw item.at("content").unexpected("a text that is not empty");
    token.id = vocabulary.add(item, token.content, item.at("id").integer());
    token.special = item.boolean_or("special", false);
    token.lstrip = item.boolean_or("lstrip", false);
    token.rstrip = item.boolean_or("rstrip", false);
    token.single_word = item.boolean_or("single_word", false);
    token.normalized = item.boolean_or("normalized", !token.special);
    if (!seen.emplace(token.content, true).second) throw item.at("content").unexpected("each added token once");
    out.push_back(std::move(token));
  }
}

void check_model_options(const IndexedJsonReader& model) {
  if (const auto dropout = model.given("dropout"); dropout && dropout->json() != 0) {
    throw dropout->unexpected("null: encoding is deterministic");
  }
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.string_or(affix, "").empty()) throw model.at(affix).unexpected("null: tokens are written without marks");
  }
}

// "a b" or ["a", "b"]
std::pair<std::string, std::string> read_merge(const IndexedJsonReader& item) {
  if (item.json().is_array()) {
    const auto parts = item.items();
    if (parts.size() != 2) throw item.unexpected("two tokens");
    return {parts[0].string(), parts[1].string()};
  }
  const std::string& text = item.string();
  const std::size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
    throw item.unexpected("two tokens with one space between");
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

void read_merges(const IndexedJsonReader& list, const StringMap<TokenId>& vocabulary, std::vector<Merge>& out) {
  const auto id_of = [&](const IndexedJsonReader& item, const std::string& token) {
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end()) {
      throw item.error("names the token '" + token + "', which model.vocab lacks");
    }
    return found->second;
  };
  for (const IndexedJsonReader& item : list.items()) {
    // The first line of an old merges.txt, kept by some converters.
    if (item.json().is_string() && item.string().starts_with("#version")) continue;
    const auto [left, right] = read_merge(item);
    out.push_back({id_of(item, left), id_of(item, right), id_of(item, left + right)});
  }
}

// Tokens of single bytes; whether all are there.
bool read_bytes(const IndexedJsonReader& model, TokenizerFile& file) {
  if (model.boolean_or("byte_fallback", false)) throw model.at("byte_fallback").unexpected("false beside ByteLevel");
  bool complete = true;
  for (int byte = 0; byte < 256; ++byte) {
    const char raw = static_cast<char>(static_cast<unsigned char>(byte));
    const auto found = file.ids.find(to_byte_level(std::string_view(&raw, 1)));
    if (found != file.ids.end()) file.bpe.byte_ids[byte] = found->second;
    complete = complete && found != file.ids.end();
  }
  return complete;
}

// Tokens of single characters and, where bytes stand for the others, of bytes; whether every text has tokens.
bool read_characters(const IndexedJsonReader& model, TokenizerFile& file) {
  for (const auto& [token, id] : file.ids) {
    const Utf8Step first = token.empty() ? Utf8Step{} : decode_utf8(token);
    if (first.valid && first.length == token.size()) file.bpe.character_ids.emplace(first.code, id);
  }
  if (!model.boolean_or("byte_fallback", false)) return false;
  bool complete = true;
  for (int byte = 0; byte < 256; ++byte) {
    const auto found = file.ids.find(byte_token(static_cast<unsigned char>(byte)));
    if (found != file.ids.end()) file.bpe.byte_ids[byte] = found->second;
    complete = complete && found != file.ids.end();
  }
  return complete;
}

void read_model(const IndexedJsonReader& model, Vocabulary& vocabulary, TokenizerFile& file) {
  if (const auto type = model.given("type"); type && type->string() != "BPE") throw type->unexpected("BPE");
  check_model_options(model);
  const IndexedJsonReader vocab = model.at("vocab");
  for (const auto& [token, id] : vocab.object().items()) {
    if (!id.is_number_integer()) throw vocab.error("token '" + token + "' has no integer id");
    vocabulary.add(vocab, token, id.get<std::int64_t>());
  }
  read_merges(model.at("merges"), file.ids, file.bpe.merges);
  const bool complete = file.bpe.alphabet == Alphabet::bytes ? read_bytes(model, file) : read_characters(model, file);
  file.bpe.fuse_unknown = model.boolean_or("fuse_unk", false);
  if (const auto unknown = model.given("unk_token"); unknown && !complete) {
    const auto found = file.ids.find(unknown->string());
    if (found == file.ids.end()) throw unknown->unexpected("a token of model.vocab, which lacks some bytes");
    file.bpe.unknown = found->second;
  }
  if (!model.boolean_or("ignore_merges", false)) return;
  for (const auto& [token, id] : file.ids) {
    if (file.bpe.alphabet == Alphabet::characters) {
      file.bpe.whole_words.emplace(token, id);
    } else if (auto bytes = from_byte_level(token)) {
      file.bpe.whole_words.emplace(std::move(*bytes), id);
    }
  }
}

// Words come from the pre-tokenizer and go back through the decoder: both are byte-level or neither.
void check_ends_match(const IndexedJsonReader& document, const TokenizerFile& file) {
  const bool bytes_in = !file.steps.empty() && std::holds_alternative<ByteLevelStep>(file.steps.back());
  if (bytes_in == !file.decoder) return;
  if (bytes_in) throw document.at("decoder").at("type").unexpected("ByteLevel, as the pre-tokenizer ends in ByteLevel");
  throw document.at("pre_tokenizer").unexpected("ByteLevel as the last step, as the decoder is ByteLevel");
}

// Ids that a file names must be tokens of it.
void check_frame(const IndexedJsonReader& document, const TokenizerFile& file) {
  for (const auto* side : {&file.frame.before, &file.frame.after}) {
    for (const TokenId id : *side) {
      const bool known =
          std::any_of(file.ids.begin(), file.ids.end(), [&](const auto& entry) { return entry.second == id; });
      if (!known)
        throw document.at("post_processor").error("adds the id " + std::to_string(id) + ", which no token has");
    }
  }
}

}  // namespace

TokenizerFile parse_tokenizer_file(std::string_view json, const std::string& name) {
  const std::filesystem::path path = name;
  const IndexedJson root = parse_json<IndexedJson>(path, json);
  const IndexedJsonReader document(path, root);
  TokenizerFile file;
  Vocabulary vocabulary(file.ids);
  file.normalizer = read_normalizer(document);
  file.steps = read_pre_tokenizer(document);
  file.frame = read_post_processor(document);
  file.decoder = read_decoder(document);
  check_ends_match(document, file);
  file.bpe.alphabet = file.decoder ? Alphabet::characters : Alphabet::bytes;
  read_model(document.at("model"), vocabulary, file);
  // After the model: its vocabulary alone decides about merges and whole words.
  read_added_tokens(document, vocabulary, file.added_tokens);
  check_frame(document, file);
  return file;
}

}  // namespace rlaif::text
