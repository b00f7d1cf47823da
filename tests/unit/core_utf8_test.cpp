#include "rlaif/core/utf8.hpp"

#include <gtest/gtest.h>

namespace rlaif {
namespace {

TEST(Utf8, each_scalar_value_comes_back_and_nothing_else_is_valid) {
  for (char32_t code = 0; code < 0x110000; ++code) {
    if (code == 0xD800) code = 0xE000;
    std::string bytes;
    append_utf8(bytes, code);
    const Utf8Step step = decode_utf8(bytes);
    ASSERT_TRUE(step.valid && step.code == code && step.length == bytes.size()) << std::hex << static_cast<int>(code);
  }
  for (const char* bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8(std::string_view("a\0b", 3)));
}

TEST(Utf8, names_the_first_bad_byte) {
  EXPECT_EQ(first_invalid_utf8("aé\xFF"), 3u);
  EXPECT_EQ(first_invalid_utf8("aé"), 3u);
}

TEST(Utf8, names_the_first_bad_byte_wherever_it_stands) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = '\x80';
      EXPECT_EQ(first_invalid_utf8(text), at) << size;
      text[at] = '\xC3';  // begins a sequence that nothing ends
      EXPECT_EQ(first_invalid_utf8(text), at) << size;
    }
    EXPECT_EQ(first_invalid_utf8(std::string(size, 'a') + "é"), size + 2);
  }
}

TEST(Utf8, replaces_maximal_parts) {
  // Table 3-8 of the Unicode Standard: E1 80 | E2 | F0 91 92 | F1 BF | 41.
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFDA");
  // Table 3-9 (overlong and surrogates): each byte on its own.
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xED\xA0\x80\x41"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(replace_invalid_utf8("é"), "é");
}

}  // namespace
}  // namespace rlaif
