#include <array>
#include <filesystem>
#include <thread>

#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/core/utf8.hpp"
#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Names = std::vector<std::string>;

TEST(Tokenizer, merges_by_rank_and_not_by_position) {
  const Tokenizer tokenizer = make(tokenizer_document({}, {"b c", "a b", "a bc"}));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("abc")), ElementsAre("abc"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("abd")), ElementsAre("ab", "d"));
}

TEST(Tokenizer, merges_equal_pairs_from_the_left) {
  const Tokenizer tokenizer = make(tokenizer_document({}, {"a a", "aa aa"}));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("aaaaaaa")), ElementsAre("aaaa", "aa", "a"));
}

TEST(Tokenizer, of_a_merge_that_is_listed_twice_the_later_counts) {
  const Tokenizer tokenizer = make(tokenizer_document({}, {"a b", "b c", "a b"}));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("abc")), ElementsAre("a", "bc"));
}

TEST(Tokenizer, splits_words_as_gpt2_does) {
  // Merges across a word's border would apply if the words were not parted.
  const Tokenizer tokenizer = make(tokenizer_document({}, {"Ġ Ġ", "' l", "'l l", "a 1", "1 a", "Ġ b", "Ċ Ġ"}));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("a1a'll  b")), ElementsAre("a", "1", "a", "'ll", "Ġ", "Ġb"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("a\n b")), ElementsAre("a", "Ċ", "Ġb"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("a\n ")), ElementsAre("a", "ĊĠ"));
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
}

TEST(Tokenizer, adds_the_prefix_space_once_and_takes_it_away_again) {
  Json document = tokenizer_document({}, {"Ġ b"});
  document["pre_tokenizer"]["add_prefix_space"] = true;
  const Tokenizer tokenizer = make(document);
  EXPECT_EQ(tokenizer.encode("b b"), tokenizer.encode(" b b"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("b b")), ElementsAre("Ġb", "Ġb"));
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("b b")), " b b");
  EXPECT_EQ(tokenizer.decode_text(tokenizer.encode("b b")), "b b");
  EXPECT_EQ(tokenizer.decode_text(tokenizer.encode("  b")), " b");
}

TEST(Tokenizer, splits_digits_one_by_one_or_as_runs) {
  Json document = tokenizer_document({}, {"1 2", "Ġ 1"});
  const Json byte_level = document["pre_tokenizer"];
  for (const bool individual : {true, false}) {
    const Json digits = {{"type", "Digits"}, {"individual_digits", individual}};
    document["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", Json::array({digits, byte_level})}};
    const Tokenizer tokenizer = make(document);
    EXPECT_EQ(names(tokenizer, tokenizer.encode("a 12")),
              individual ? (Names{"a", "Ġ", "1", "2"}) : (Names{"a", "Ġ", "12"}));
  }
}

TEST(Tokenizer, splits_by_a_pattern_and_by_a_literal) {
  Json document = tokenizer_document({}, {"a a", "x a"});
  Json byte_level = document["pre_tokenizer"];
  byte_level["use_regex"] = false;
  const Json regex = {
      {"type", "Split"}, {"pattern", {{"Regex", "a{1,3}"}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json literal = {
      {"type", "Split"}, {"pattern", {{"String", "x+"}}}, {"behavior", "Isolated"}, {"invert", false}};
  document["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", Json::array({regex, literal, byte_level})}};
  const Tokenizer tokenizer = make(document);
  EXPECT_THAT(names(tokenizer, tokenizer.encode("xaaaaa")), ElementsAre("x", "aa", "a", "aa"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("xx+x")), ElementsAre("x", "x", "+", "x"));
}

TEST(Tokenizer, user_text_never_becomes_a_special_token) {
  Json document = tokenizer_document({"<s>", "<t>"}, {});
  document["added_tokens"] = Json::array({added_token(0, "<s>", true), added_token(1, "<t>", false)});
  const Tokenizer tokenizer = make(document);
  EXPECT_THAT(names(tokenizer, tokenizer.encode("a<s><t>")), ElementsAre("a", "<", "s", ">", "<t>"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("a<s><t>", SpecialText::as_tokens)), ElementsAre("a", "<s>", "<t>"));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a<s>b")), "a<s>b");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a<s>b", SpecialText::as_tokens)), "ab");
}

TEST(Tokenizer, takes_the_leftmost_then_longest_added_token) {
  Json document = tokenizer_document({"ab", "abc", "bcd"}, {});
  document["added_tokens"] =
      Json::array({added_token(0, "ab", false), added_token(1, "abc", false), added_token(2, "bcd", false)});
  const Tokenizer tokenizer = make(document);
  EXPECT_THAT(names(tokenizer, tokenizer.encode("abcd ab")), ElementsAre("abc", "d", "Ġ", "ab"));
}

TEST(Tokenizer, strips_spaces_beside_added_tokens_and_keeps_single_words_single) {
  Json document = tokenizer_document({"<m>", "<w>"}, {});
  Json strip = added_token(0, "<m>", false), single = added_token(1, "<w>", false);
  strip["lstrip"] = strip["rstrip"] = true;
  single["single_word"] = true;
  document["added_tokens"] = Json::array({strip, single});
  const Tokenizer tokenizer = make(document);
  EXPECT_THAT(names(tokenizer, tokenizer.encode("a \t<m>\u00a0 b")), ElementsAre("a", "<m>", "b"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("<w>")), ElementsAre("<w>"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("a<w>")), ElementsAre("a", "<", "w", ">"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("<w>a")), ElementsAre("<", "w", ">", "a"));
  EXPECT_THAT(names(tokenizer, tokenizer.encode("-<w>-")), ElementsAre("-", "<w>", "-"));
}

TEST(Tokenizer, ignore_merges_takes_a_whole_word_from_the_vocabulary) {
  Json document = tokenizer_document({"abc"}, {"a b"});
  EXPECT_THAT(names(make(document), make(document).encode("abc")), ElementsAre("ab", "c"));
  document["model"]["ignore_merges"] = true;
  EXPECT_THAT(names(make(document), make(document).encode("abc")), ElementsAre("abc"));
}

TEST(Tokenizer, unknown_bytes_are_dropped_or_become_the_unknown_token) {
  Json document = tokenizer_document({"<unk>"}, {});
  EXPECT_THAT(names(make(document), make(document).encode("aéb")), ElementsAre("a", "b"));
  document["model"]["unk_token"] = "<unk>";
  EXPECT_THAT(names(make(document), make(document).encode("aéb")), ElementsAre("a", "<unk>", "<unk>", "b"));
  document["model"]["fuse_unk"] = true;
  EXPECT_THAT(names(make(document), make(document).encode("aéb")), ElementsAre("a", "<unk>", "b"));
}

TEST(Tokenizer, merges_may_be_pairs) {
  Json document = tokenizer_document({}, {"a b"});
  document["model"]["merges"] = Json::array({Json::array({"a", "b"})});
  EXPECT_THAT(names(make(document), make(document).encode("ab")), ElementsAre("ab"));
}

TEST(Tokenizer, invalid_utf8_is_encoded_as_the_replacement_character) {
  const Tokenizer tokenizer = train_bpe({}, {.vocab_size = 256, .special_tokens = {}, .add_prefix_space = false});
  EXPECT_EQ(tokenizer.encode("a\xFF"
                             "b\xE2\x82"),
            tokenizer.encode("a\uFFFDb\uFFFD"));
}

TEST(Tokenizer, decode_replaces_half_a_character_and_skips_unknown_ids) {
  const Tokenizer tokenizer = train_bpe({}, {.vocab_size = 257, .special_tokens = {"<s>"}, .add_prefix_space = false});
  std::vector<TokenId> euro = tokenizer.encode("€");
  ASSERT_EQ(euro.size(), 3u);
  euro.pop_back();
  EXPECT_EQ(tokenizer.decode(euro), "\uFFFD");
  const TokenId a = tokenizer.token_to_id("a").value();
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{a, -1, 257, 100000, 0, a}), "aa");
}

TEST(Tokenizer, any_text_comes_back_from_its_tokens) {
  const std::vector<std::string> texts{"the cat sat on the mat, the cat sat", "naïve café €5, 日本語, 日本"};
  for (const bool prefix : {true, false}) {
    const Tokenizer tokenizer =
        train_bpe(texts, {.vocab_size = 300, .special_tokens = {"<s>"}, .add_prefix_space = prefix});
    Rng rng(7, Stream::test, {1});
    for (int i = 0; i < 300; ++i) {
      std::string bytes;
      for (auto length = rng.below(40); length > 0; --length) bytes.push_back(static_cast<char>(rng.below(256)));
      std::string text = rng.below(2) == 0 ? replace_invalid_utf8(bytes) : texts[1].substr(rng.below(6)) + "\n  x\t";
      text = replace_invalid_utf8(text);
      // The prefix space cannot be told from one that the text brought itself.
      if (prefix && text.starts_with(' ')) text.erase(0, text.find_first_not_of(' '));
      EXPECT_EQ(tokenizer.decode_text(tokenizer.encode(text)), text);
    }
  }
}

TEST(Tokenizer, long_words_are_encoded_in_good_time) {
  const Tokenizer tokenizer = make(tokenizer_document({}, {"a a", "aa aa", "aaaa aaaa", "Ġ Ġ"}));
  EXPECT_EQ(tokenizer.encode(std::string(1 << 19, 'a')).size(), (1u << 19) / 8);
  EXPECT_EQ(tokenizer.encode(std::string(1 << 19, ' ')).size(), (1u << 19) / 2);
}

TEST(Tokenizer, threads_may_share_one) {
  const Tokenizer tokenizer = make(tokenizer_document({}, {"a b", "Ġ ab"}));
  std::string text;
  for (int i = 0; i < 2000; ++i) text += " ab" + std::to_string(i * i) + "x";
  const auto expected = make(tokenizer_document({}, {"a b", "Ġ ab"})).encode(text);
  std::array<bool, 4> equal{};
  std::vector<std::thread> threads;
  for (bool& mine : equal) threads.emplace_back([&] { mine = tokenizer.encode(text) == expected; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(equal, ::testing::Each(true));
}

TEST(Tokenizer, a_saved_file_is_the_bytes_that_were_read) {
  const std::string source = tokenizer_document({}, {"a b"}).dump(1);
  const auto file = std::filesystem::temp_directory_path() / ("rlaif_text_" + hex(checksum(source)) + ".json");
  Tokenizer::parse(source, "test.json").save(file);
  EXPECT_EQ(read_file(file), source);
  EXPECT_EQ(Tokenizer::load(file).to_json(), source);
  std::filesystem::remove(file);
}

TEST(Tokenizer, knows_its_tokens_by_name_and_id) {
  Json document = tokenizer_document({}, {"Ġ c"});
  document["added_tokens"] = Json::array({added_token(120, "<s>", true)});
  const Tokenizer tokenizer = make(document);
  EXPECT_EQ(tokenizer.vocab_size(), 121);
  EXPECT_EQ(tokenizer.token_to_id("Ġc"), 96);
  EXPECT_EQ(tokenizer.id_to_token(96), "Ġc");
  EXPECT_EQ(tokenizer.token_to_id("<s>"), 120);
  EXPECT_EQ(tokenizer.token_to_id("no such"), std::nullopt);
  // Ids 97 to 119 name nothing, and a model's vocabulary may have more rows than the tokenizer has tokens.
  EXPECT_TRUE(tokenizer.nameless_tokens(97).empty());
  EXPECT_EQ(tokenizer.nameless_tokens(124).size(), 23u + 3u);
  EXPECT_EQ(tokenizer.nameless_tokens(124).front(), 97);
  EXPECT_EQ(tokenizer.nameless_tokens(124).back(), 123);
  for (const TokenId id : {-1, 100, 121}) {
    expect_error([&] { tokenizer.id_to_token(id); }, ErrorKind::input, {"test.json", std::to_string(id), "below 121"});
  }
}

}  // namespace
}  // namespace rlaif::text
