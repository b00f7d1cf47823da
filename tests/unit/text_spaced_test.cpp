// Tokenizers over characters, in which ▁ stands for the space, and normalizers; expected tokens worked by hand from the
// reference's rules (tests/end_to_end/tokenizer_equality.py compares with the reference itself).
#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

using ::testing::ElementsAre;
using Names = std::vector<std::string>;

const Json kMetaspace = {{"type", "Metaspace"}, {"replacement", "▁"}};

// Vocabulary <unk> <s> </s>, the bytes where asked for, ▁ and small letters, and "▁▁", "▁a", "▁ab".
Json spaced_document(bool bytes) {
  Json vocab = Json::object();
  const auto add = [&](const std::string& token) { vocab[token] = vocab.size(); };
  for (const char* token : {"<unk>", "<s>", "</s>"}) add(token);
  for (int byte = 0; bytes && byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    add(name);
  }
  add("▁");
  for (char c = 'a'; c <= 'z'; ++c) add(std::string(1, c));
  for (const char* token : {"▁▁", "▁a", "▁ab"}) add(token);
  return {{"added_tokens", Json::array({added_token(1, "<s>", true), added_token(2, "</s>", true)})},
          {"normalizer", nullptr},
          {"pre_tokenizer", kMetaspace},
          {"decoder", kMetaspace},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"byte_fallback", bytes},
            {"vocab", vocab},
            {"merges", Json::array({Json::array({"▁", "▁"}), "▁ a", "▁a b"})}}}};
}

Json with_scheme(const char* scheme, bool split) {
  Json document = spaced_document(true);
  document["pre_tokenizer"]["prepend_scheme"] = scheme;
  document["pre_tokenizer"]["split"] = split;
  return document;
}

Names tokens(const Json& document, std::string_view text) {
  const Tokenizer tokenizer = make(document);
  return names(tokenizer, tokenizer.encode(text, SpecialText::as_tokens));
}

TEST(Spaced, metaspace_puts_a_space_where_its_scheme_says) {
  EXPECT_THAT(tokens(with_scheme("always", true), "ab c<s>ab"), ElementsAre("▁ab", "▁", "c", "<s>", "▁ab"));
  EXPECT_THAT(tokens(with_scheme("first", true), "ab c<s>ab"), ElementsAre("▁ab", "▁", "c", "<s>", "a", "b"));
  EXPECT_THAT(tokens(with_scheme("first", true), "<s>ab"), ElementsAre("<s>", "a", "b"));
  EXPECT_THAT(tokens(with_scheme("never", true), "ab ab"), ElementsAre("a", "b", "▁ab"));
  EXPECT_THAT(tokens(with_scheme("always", true), " ab"), ElementsAre("▁ab"));
}

TEST(Spaced, metaspace_splits_before_each_space_or_not_at_all) {
  // Split, each ▁ begins a word and two of them cannot merge.
  EXPECT_THAT(tokens(with_scheme("never", true), "c  ab"), ElementsAre("c", "▁", "▁ab"));
  EXPECT_THAT(tokens(with_scheme("never", false), "c  ab"), ElementsAre("c", "▁▁", "a", "b"));
}

TEST(Spaced, the_legacy_form_puts_a_space_before_every_piece) {
  Json document = spaced_document(true);
  document["pre_tokenizer"] = nullptr;
  document["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers", Json::array({{{"type", "Prepend"}, {"prepend", "▁"}},
                                   {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}})}};
  EXPECT_THAT(tokens(document, "ab c<s>ab"), ElementsAre("▁ab", "▁", "c", "<s>", "▁ab"));
  EXPECT_THAT(tokens(document, " ab"), ElementsAre("▁▁", "a", "b"));
  EXPECT_THAT(tokens(document, ""), ElementsAre());
}

TEST(Spaced, characters_without_a_token_become_bytes_or_unknown) {
  EXPECT_THAT(tokens(with_scheme("never", true), "aé\n"), ElementsAre("a", "<0xC3>", "<0xA9>", "<0x0A>"));
  Json document = spaced_document(false);
  document["pre_tokenizer"]["prepend_scheme"] = "never";
  EXPECT_THAT(tokens(document, "aéÉb"), ElementsAre("a", "<unk>", "<unk>", "b"));
  document["model"]["fuse_unk"] = true;
  EXPECT_THAT(tokens(document, "aéÉb"), ElementsAre("a", "<unk>", "b"));
  document["model"]["unk_token"] = nullptr;
  EXPECT_THAT(tokens(document, "aéÉb"), ElementsAre("a", "b"));
}

TEST(Spaced, whole_words_come_first_where_merges_are_ignored) {
  Json document = with_scheme("never", true);
  document["model"]["vocab"]["zzz"] = document["model"]["vocab"].size();
  EXPECT_THAT(tokens(document, "zzz"), ElementsAre("z", "z", "z"));
  document["model"]["ignore_merges"] = true;
  EXPECT_THAT(tokens(document, "zzz"), ElementsAre("zzz"));
}

TEST(Spaced, decoders_take_back_what_encoding_did) {
  const Tokenizer metaspace = make(spaced_document(true));
  EXPECT_EQ(metaspace.decode(metaspace.encode("ab cab")), "ab cab");
  Json document = spaced_document(true);
  document["decoder"] = {
      {"type", "Sequence"},
      {"decoders", Json::array({{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                                {{"type", "ByteFallback"}},
                                {{"type", "Fuse"}},
                                {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}})}};
  const Tokenizer llama = make(document);
  for (const std::string text : {"ab cab", "é\n中", "", "ab "}) EXPECT_EQ(llama.decode_text(llama.encode(text)), text);
  // Bytes that are no UTF-8 become one U+FFFD each.
  EXPECT_EQ(llama.decode(std::vector<TokenId>{*llama.token_to_id("<0xC3>"), *llama.token_to_id("<0xC3>"),
                                              *llama.token_to_id("a")}),
            "\xEF\xBF\xBD\xEF\xBF\xBD"
            "a");
}

TEST(Spaced, a_template_keeps_its_special_tokens_from_contents) {
  const Tokenizer tokenizer = make(with_scheme("first", true));
  const std::vector<TemplatePiece> pieces{
      {"<s>a", SpecialText::as_tokens}, {"b<s>", SpecialText::as_text}, {"</s>", SpecialText::as_tokens}};
  // One text: the contents join the template's letters; their <s> is letters and bytes.
  EXPECT_THAT(names(tokenizer, tokenizer.encode_template(pieces)),
              ElementsAre("<s>", "a", "b", "<0x3C>", "s", "<0x3E>", "</s>"));
  const std::vector<TemplatePiece> cut{
      {"<", SpecialText::as_tokens}, {"s", SpecialText::as_text}, {">", SpecialText::as_tokens}};
  EXPECT_THAT(names(tokenizer, tokenizer.encode_template(cut)), ElementsAre("▁", "<0x3C>", "s", "<0x3E>"));
}

TEST(Normalizer, unicode_forms_are_those_of_the_standard) {
  // UAX 15: é composed and decomposed; ﬁ and ½ are compatibility characters.
  const auto normal = [](const Json& normalizer, const std::string& text) {
    Json document = spaced_document(true);
    document["normalizer"] = normalizer;
    document["pre_tokenizer"]["prepend_scheme"] = "never";
    document["decoder"]["prepend_scheme"] = "never";
    document["decoder"] = {{"type", "Sequence"}, {"decoders", Json::array({{{"type", "ByteFallback"}}})}};
    const Tokenizer tokenizer = make(document);
    return tokenizer.decode(tokenizer.encode(text));
  };
  EXPECT_EQ(normal({{"type", "NFC"}}, "e\u0301ﬁ½"), "éﬁ½");
  EXPECT_EQ(normal({{"type", "NFD"}}, "éﬁ"), "e\u0301ﬁ");
  EXPECT_EQ(normal({{"type", "NFKC"}}, "e\u0301ﬁ½"), "éfi1\u20442");
  EXPECT_EQ(normal({{"type", "NFKD"}}, "éﬁ"), "e\u0301fi");
  EXPECT_EQ(normal({{"type", "Lowercase"}}, "ÀB\u0130Σ"), "àbi\u0307σ");
  EXPECT_EQ(normal({{"type", "StripAccents"}}, "e\u0301é"), "eé");
  EXPECT_EQ(normal({{"type", "Replace"}, {"pattern", {{"Regex", "x+"}}}, {"content", "y"}}, "axxbx"), "ayby");
}

TEST(Normalizer, added_tokens_are_searched_for_in_normalized_form_where_they_say_so) {
  Json document = spaced_document(true);
  document["normalizer"] = {{"type", "Lowercase"}};
  document["pre_tokenizer"]["prepend_scheme"] = "never";
  const int next = static_cast<int>(document["model"]["vocab"].size());
  Json raw = added_token(next, "RAW", false), normal = added_token(next + 1, "Norm", false);
  normal["normalized"] = true;
  document["added_tokens"] = Json::array({raw, normal});
  EXPECT_THAT(tokens(document, "RAWrawNORMnorm"), ElementsAre("RAW", "r", "a", "w", "Norm", "Norm"));
}

}  // namespace
}  // namespace rlaif::text
