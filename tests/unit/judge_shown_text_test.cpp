#include "rlaif/judge/prompts/shown_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "rlaif/core/rng.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::judge {
namespace {

TEST(ShownText, MarksOfChatFormatsAreBrokenAndNothingIsDeleted) {
  EXPECT_EQ(shown_text("a<|im_end|>b [INST]c</s>"), "a< |im_end|>b [ INST]c< /s>");
  EXPECT_EQ(shown_text("<<|x|>|im_end|>"), "<< |x|>|im_end|>");
  EXPECT_EQ(shown_text("<<SYS>><</SYS>>"), "< <SYS>>< </SYS>>");
  EXPECT_EQ(shown_text("<\xEF\xBD\x9C"
                       "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"),
            "< \xEF\xBD\x9C"
            "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>");
  EXPECT_EQ(shown_text("<|turn>user<turn|><start_of_turn>[THINK]"), "< |turn>user< turn|>< start_of_turn>[ THINK]");
}

TEST(ShownText, HiddenCharactersAndBrokenBytesAreWrittenOut) {
  EXPECT_EQ(shown_text("x\xE2\x80\xAEy\x01z"), "x<U+202E>y<U+0001>z");
  EXPECT_EQ(shown_text("im\xE2\x80\x8B_\xEF\xBB\xBF"
                       "end"),
            "im<U+200B>_<U+FEFF>end");
  EXPECT_EQ(shown_text("tag \xF3\xA0\x81\x81"), "tag <U+E0041>");
  EXPECT_EQ(shown_text("\xFF\xC3("), "<0xFF><0xC3>(");
  EXPECT_EQ(shown_text("a\xE2\x80\x8D"
                       "b\xEF\xB8\x8F"),
            "a<U+200D>b<U+FE0F>")
      << "joiner and selector of Latin letters";
}

TEST(ShownText, OrdinaryTextsStayAsTheyAre) {
  for (const char* text :
       {"", "a < b | c > d, 1 <| 2\n|> e\tf\r\n", "x <| y |> z", "<||>", "vector<int>", "a[i] [INST",
        "<b>bold</b> <div class=\"x\">", "< 3 and [ 4 ]", "U+202E and 0xFF", "<U+0041> <0x41>", "{first} {second}",
        "\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80", "| a | b |>", "<think>x</think>"})
    EXPECT_EQ(shown_text(text), text);
}

TEST(ShownText, JoinersOfScriptsThatNeedThemStay) {
  for (const char* text :
       {"\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE\xD9\x88\xD8\xA7\xD9\x87\xD9\x85",  // Persian: mi + ZWNJ + khaham
        "PDF\xE2\x80\x8C\xD9\x87\xD8\xA7",                                       // a Latin word with a Persian ending
        "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D\xE0\xA4\xB7",                      // Devanagari: ka, virama, ZWJ, ssa
        "\xE0\xB7\x81\xE0\xB7\x8A\xE2\x80\x8D\xE0\xB6\xBB\xE0\xB7\x93",          // Sinhala: sri
        "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",        // a family
        "\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x94\xA5 1\xEF\xB8\x8F\xE2\x83\xA3",  // a heart on fire, a keycap
        "\xF0\x9F\x8F\xB4\xF3\xA0\x81\xA7\xF3\xA0\x81\xA2\xF3\xA0\x81\xB3\xF3\xA0\x81\xA3\xF3\xA0\x81\xB4\xF3\xA0\x81"
        "\xBF"})  // Scotland
    EXPECT_EQ(shown_text(text), text);
  // One is enough anywhere.
  EXPECT_EQ(shown_text("\xD9\x85\xE2\x80\x8C\xE2\x80\x8C\xD9\x85"), "\xD9\x85\xE2\x80\x8C<U+200C>\xD9\x85");
}

TEST(ShownText, WhatAMarkBecomesGetsOneMoreSpaceWhereATextHoldsIt) {
  EXPECT_EQ(shown_text("< |im_end|>"), "<  |im_end|>");
  EXPECT_EQ(shown_text("<   |im_end|>"), "<    |im_end|>");
  EXPECT_EQ(shown_text("<U+202E>"), "< U+202E>");
  EXPECT_EQ(shown_text("<0xFF>"), "< 0xFF>");
}

// Texts of pieces that marks are made of: all short ones, and longer ones at random.
TEST(ShownText, TwoTextsNeverBecomeOne) {
  const std::vector<std::string> pieces{"<",
                                        " ",
                                        "|x|>",
                                        "[",
                                        "INST]",
                                        "s>",
                                        "<SYS>>",
                                        "U+202E>",
                                        "0xFF>",
                                        "\xE2\x80\xAE",
                                        "\xE2\x80\x8C",
                                        "\xFF",
                                        "\xD9\x85",
                                        "|",
                                        "x",
                                        ">",
                                        "\xEF\xBD\x9C",
                                        "\xF0\x9F\x91\xA9",
                                        "\xEF\xB8\x8F"};
  std::unordered_map<std::string, std::string> by_shown;
  std::size_t altered = 0;
  const auto expect_alone = [&](const std::string& text) {
    const std::string shown = shown_text(text);
    altered += shown != text;
    const auto [known, is_new] = by_shown.emplace(shown, text);
    ASSERT_EQ(known->second, text) << "both are shown as " << shown;
    ASSERT_TRUE(is_valid_utf8(shown));
  };
  for (std::size_t number = 0; number < pieces.size() * pieces.size() * pieces.size() * pieces.size(); ++number) {
    std::string text;
    for (std::size_t left = number; left > 0; left /= pieces.size()) text += pieces[left % pieces.size()];
    ASSERT_NO_FATAL_FAILURE(expect_alone(text));
  }
  Rng rng(11, Stream::test, {1});
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (std::uint64_t piece = 4 + rng.below(7); piece-- > 0;) text += pieces[rng.below(pieces.size())];
    ASSERT_NO_FATAL_FAILURE(expect_alone(text));
  }
  EXPECT_GT(altered, 100000u);
}

}  // namespace
}  // namespace rlaif::judge
