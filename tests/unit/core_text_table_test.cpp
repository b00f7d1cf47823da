// Columns of a table, by hand.
#include "rlaif/core/text_table.hpp"

#include <gtest/gtest.h>

#include "rlaif/core/utf8.hpp"

namespace rlaif {
namespace {

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(text_table({{"judge", "labels", "USD"}, {"ai", "12", "0.42"}, {"people", "1000", "670.00"}},
                       {Align::left, Align::right, Align::right}),
            "judge   labels     USD\n"
            "ai          12    0.42\n"
            "people    1000  670.00\n");
}

TEST(TextTable, TheLastAlignmentHoldsForTheColumnsBehindIt) {
  const TextRows rows{{"a", "b", "c"}, {"long", "longer", "longest"}};
  EXPECT_EQ(text_table(rows, {Align::left, Align::right}), "a          b        c\nlong  longer  longest\n");
  EXPECT_EQ(text_table(rows, {Align::left}), "a     b       c\nlong  longer  longest\n");
  EXPECT_EQ(text_table(rows, {Align::right, Align::left}), "   a  b       c\nlong  longer  longest\n");
}

TEST(TextTable, WidthsAreCountedInCharacters) {
  EXPECT_EQ(text_table({{"müller", "1"}, {"jones", "10"}, {"日本", "100"}}, {Align::left, Align::right}),
            "müller    1\n"
            "jones    10\n"
            "日本      100\n");
  EXPECT_EQ(count_characters(""), 0u);
  EXPECT_EQ(count_characters("a\xC3\xA9\xF0\x9F\x98\x80"), 3u);
  EXPECT_EQ(count_characters("\xFF\xE2\x82x"), 3u);  // a byte of no sequence, the beginning of one, x
}

TEST(TextTable, CellsMayBeEmptyAndRowsShort) {
  EXPECT_EQ(text_table({{"a", "", "c"}, {"", "bb", ""}, {"alone"}, {}}, {Align::left}),
            "a          c\n"
            "       bb  \n"
            "alone\n"
            "\n");
  EXPECT_EQ(text_table({}, {Align::left}), "");
}

TEST(TextTable, LinesAreIndented) {
  EXPECT_EQ(text_table({{"rules", "what a program checks"}, {"hosted", "a server"}}, {Align::left}, 2),
            "  rules   what a program checks\n"
            "  hosted  a server\n");
}

}  // namespace
}  // namespace rlaif
