#include "rlaif/core/rng.hpp"
#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> learnt(const Tokenizer& tokenizer, TokenId first) {
  std::vector<std::string> tokens;
  for (TokenId id = first; id < tokenizer.vocab_size(); ++id) tokens.push_back(tokenizer.id_to_token(id));
  return tokens;
}

TEST(TrainBpe, merges_by_frequency_then_by_lower_ids) {
  // Words abab and Ġab: the pair a b stands 3 times. Then (ab, ab) and (Ġ, ab) stand once each; Ġ has the lower id.
  const std::vector<std::string> texts{"abab ab"};
  BpeTrainerOptions options{.vocab_size = 1000, .min_frequency = 1, .special_tokens = {}, .add_prefix_space = false};
  EXPECT_THAT(learnt(train_bpe(texts, options), 256), ElementsAre("ab", "Ġab", "abab"));
  options.min_frequency = 2;
  EXPECT_THAT(learnt(train_bpe(texts, options), 256), ElementsAre("ab"));
  options.min_frequency = 1;
  options.vocab_size = 258;
  EXPECT_THAT(learnt(train_bpe(texts, options), 256), ElementsAre("ab", "Ġab"));
}

TEST(TrainBpe, counts_overlapping_pairs_by_what_is_left_of_them) {
  // aaaaa holds (a, a) four times; merged from the left it is aa aa a: (aa, aa) once, (aa, a) once, of lower ids (a < aa
  // on the right) the latter.
  const std::vector<std::string> texts{"aaaaa"};
  const BpeTrainerOptions options{
      .vocab_size = 1000, .min_frequency = 1, .special_tokens = {}, .add_prefix_space = false};
  EXPECT_THAT(learnt(train_bpe(texts, options), 256), ElementsAre("aa", "aaa", "aaaaa"));
}

TEST(TrainBpe, gives_ids_to_special_tokens_then_bytes_then_merges) {
  const std::vector<std::string> texts{"aa aa <s> <s> <s>"};
  const Tokenizer tokenizer = train_bpe(texts, {.vocab_size = 270, .special_tokens = {"<pad>", "<s>"}});
  EXPECT_EQ(tokenizer.token_to_id("<pad>"), 0);
  EXPECT_EQ(tokenizer.token_to_id("<s>"), 1);
  EXPECT_EQ(tokenizer.id_to_token(2), "!");
  EXPECT_EQ(tokenizer.id_to_token(2 + 93), "~");
  EXPECT_EQ(tokenizer.id_to_token(2 + 94), "¡");
  EXPECT_EQ(tokenizer.id_to_token(2 + 255), "Ń");
  ASSERT_EQ(tokenizer.added_tokens().size(), 2u);
  EXPECT_TRUE(tokenizer.added_tokens()[1].special);
  for (const TokenId id : tokenizer.encode("<s>")) EXPECT_GT(id, 1);
  EXPECT_THAT(tokenizer.encode("<s>", SpecialText::as_tokens), ElementsAre(1));
}

TEST(TrainBpe, no_merge_makes_a_special_token) {
  const std::vector<std::string> texts{"yes yes yes yes"};
  const Tokenizer tokenizer =
      train_bpe(texts, {.vocab_size = 300, .special_tokens = {"yes", "Ġyes"}, .add_prefix_space = true});
  for (const TokenId id : tokenizer.encode("yes yes")) EXPECT_GT(id, 1);
}

TEST(TrainBpe, the_same_texts_give_the_same_bytes) {
  std::vector<std::string> texts;
  Rng rng(3, Stream::test, {2});
  for (int i = 0; i < 400; ++i) {
    std::string text;
    for (int word = 0; word < 12; ++word) {
      for (auto length = 1 + rng.below(6); length > 0; --length) text.push_back(static_cast<char>('a' + rng.below(7)));
      text.push_back(' ');
    }
    texts.push_back(text);
  }
  const BpeTrainerOptions options{.vocab_size = 600, .special_tokens = {"<s>"}};
  const Tokenizer first = train_bpe(texts, options);
  EXPECT_EQ(first.vocab_size(), 600);
  EXPECT_EQ(first.to_json(), train_bpe(texts, options).to_json());
  // Counts and ids decide, not the order in which words were met.
  std::vector<std::string> reversed(texts.rbegin(), texts.rend());
  EXPECT_EQ(first.to_json(), train_bpe(reversed, options).to_json());
}

TEST(TrainBpe, refuses_options_that_cannot_be_met) {
  const std::vector<std::string> texts{"a"};
  const auto refuses = [&](const BpeTrainerOptions& options, const std::string& part) {
    expect_error([&] { train_bpe(texts, options); }, ErrorKind::usage, {part});
  };
  refuses({.vocab_size = 256, .special_tokens = {"<s>"}}, "at least 257");
  refuses({.special_tokens = {"<s>", "<s>"}}, "'<s>'");
  refuses({.special_tokens = {""}}, "special token ''");
  refuses({.special_tokens = {"\xFF\xFE"}}, "valid UTF-8");
  refuses({.special_tokens = {"a"}}, "longer than one character");
  refuses({.min_frequency = 0, .special_tokens = {}}, "min_frequency");
}

}  // namespace
}  // namespace rlaif::text
