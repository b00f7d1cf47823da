#include "rlaif/run/deck_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class DeckFileTest : public ::testing::Test {
 protected:
  DeckFileTest() : file_(fs::temp_directory_path() / ("rlaif-deck-" + std::to_string(::getpid()) + ".cfg")) {}
  ~DeckFileTest() override { fs::remove(file_); }

  DeckFile read(const std::string& bytes) {
    write_file_atomic(file_, bytes);
    return read_deck_file(file_);
  }
  // The value of one line "key = ..." in [task].
  std::string value(const std::string& line) { return read("[task]\n" + line + "\n").values.at("task.key").text; }
  std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    ADD_FAILURE() << "an error was expected for: " << bytes;
    return "";
  }

  fs::path file_;
};

TEST_F(DeckFileTest, SectionsMakeTheKeysAndLinesAreCounted) {
  const DeckFile deck = read(
      "top = 1\n\n# a comment\n  # another\n[run]\n  seed = 7\n[judge.ai]  # with a dot\nkind=openai\n[run]\ngrains "
      "=2\n[ arm.x ]\njudge\t= ai\n");
  EXPECT_EQ(deck.values.at("top").text, "1");
  EXPECT_EQ(deck.values.at("run.seed").text, "7");
  EXPECT_EQ(deck.values.at("run.seed").line, 6u);
  EXPECT_EQ(deck.values.at("judge.ai.kind").text, "openai");
  EXPECT_EQ(deck.values.at("run.grains").text, "2");
  EXPECT_EQ(deck.values.at("arm.x.judge").text, "ai");
  EXPECT_EQ(deck.values.size(), 5u);
}

TEST_F(DeckFileTest, ANumberSignWithinAValueIsPartOfIt) {
  EXPECT_EQ(value("key = Answer as a C# developer. Use ## headings."), "Answer as a C# developer. Use ## headings.");
  EXPECT_EQ(value("key = http://host/a#b"), "http://host/a#b");
  EXPECT_EQ(value("key = model#2"), "model#2");
  EXPECT_EQ(value("key = #3 of them"), "#3 of them");
  EXPECT_EQ(value("key = Use #hashtags"), "Use #hashtags");
}

TEST_F(DeckFileTest, ACommentFollowsWhiteSpace) {
  for (const char* line : {"key = eight # of them", "key = eight\t#\tof them", "key = eight #",
                           "key = eight   # of # them", "key = \"eight\" # x", "key = \"eight\"#x"}) {
    EXPECT_EQ(value(line), "eight") << line;
  }
  EXPECT_EQ(read("a = 1 # one\n").values.at("a").comment, "# one");
  EXPECT_EQ(value("key = # nothing"), "");
  EXPECT_EQ(value("key ="), "");
}

TEST_F(DeckFileTest, QuotationMarksHoldWhatTheyLike) {
  EXPECT_EQ(value(R"(key = "Use # for headings")"), "Use # for headings");
  EXPECT_EQ(value(R"(key = "  \"a\" \\ \n\u00e9 ")"), "  \"a\" \\ \n\xC3\xA9 ");
  EXPECT_EQ(value(R"(key = say "yes")"), "say \"yes\"");
  EXPECT_TRUE(read("a = \"1\"\n").values.at("a").is_quoted);
}

TEST_F(DeckFileTest, NothingElseOfAValueIsTouched) {
  EXPECT_EQ(value("key = a = b == c"), "a = b == c");
  EXPECT_EQ(value("key = [not a section]"), "[not a section]");
  EXPECT_EQ(value("key = a\tb  c"), "a\tb  c");
  EXPECT_EQ(value("key = ; no comment"), "; no comment");
  EXPECT_EQ(value("key = C:\\path\\n"), "C:\\path\\n");
  EXPECT_EQ(value("key = \xC3\xA9 \xE4\xBD\xA0"), "\xC3\xA9 \xE4\xBD\xA0");
}

TEST_F(DeckFileTest, LineEndsAndByteOrderMarksOfOtherSystemsAreRead) {
  const DeckFile deck = read("\xEF\xBB\xBF[run]\r\nseed = 3\r\n\r\nname = x y\r\nlast = 1");
  EXPECT_EQ(deck.values.at("run.seed").text, "3");
  EXPECT_EQ(deck.values.at("run.name").text, "x y");
  EXPECT_EQ(deck.values.at("run.last").text, "1");
}

TEST_F(DeckFileTest, WhatIsNoDeckIsRefusedByFileAndLine) {
  const std::string place = file_.string();
  EXPECT_THAT(refusal("[run]\nseed\n"), AllOf(HasSubstr(place + ":2: 'seed'"), HasSubstr("key = value")));
  EXPECT_THAT(refusal("[run]\nseed = 1\n[run]\nseed = 2\n"),
              AllOf(HasSubstr(place + ":4: the key 'run.seed' stands twice"), HasSubstr("line 2")));
  EXPECT_THAT(refusal("[run\nseed = 1\n"), HasSubstr(place + ":1: "));
  EXPECT_THAT(refusal("\n[]\n"), HasSubstr(place + ":2: "));
  EXPECT_THAT(refusal("[run] seed = 1\n"), HasSubstr(place + ":1: "));
  EXPECT_THAT(refusal("[run]\n= 1\n"), HasSubstr(place + ":2: a key was expected"));
  EXPECT_THAT(refusal("[run]\nseed = \xFF\n"), HasSubstr(place + ":2: byte 8 of the line is not UTF-8"));
  EXPECT_THAT(refusal(std::string("\xFF\xFE[\0r\0", 6)), HasSubstr(place + ":1: byte 1 of the line is not UTF-8"));
  EXPECT_THAT(refusal(std::string("a = b\0c\n", 8)), HasSubstr(place + ":1: holds a control character"));
  EXPECT_THAT(refusal("a = 1\rb = 2\n"), HasSubstr(place + ":1: holds a control character"));
  for (const char* line :
       {"a = \"open", "a = \"one\" two", "a = \"\\q\"", "a = \"A\" is better than \"B\"", "a = \"ends in \\\""}) {
    EXPECT_THAT(refusal(line), AllOf(HasSubstr(place + ":1: a: "), HasSubstr("JSON string"))) << line;
  }
}

TEST_F(DeckFileTest, EveryTextIsWrittenSoThatItReadsBackTheSame) {
  std::vector<std::string> texts{"",
                                 "plain",
                                 "a # b",
                                 "a #",
                                 "# a",
                                 "#a",
                                 "a##b",
                                 " a",
                                 "a ",
                                 "\ta",
                                 "a\nb",
                                 "a\r",
                                 "\"a\"",
                                 "\"",
                                 "a \"b\"",
                                 "\\n",
                                 "a\\",
                                 "[a]",
                                 "a=b",
                                 "\x01",
                                 "\x7f",
                                 "a\t# b",
                                 "a\t#",
                                 "C# ## x",
                                 "\xC3\xA9 # \xC3\xA9",
                                 "\xEF\xBB\xBF",
                                 "a #b"};
  const std::string pieces[] = {" ", "#", "\"", "\\", "\n", "\t", "a", "=", "[", "]", "\xC3\xA9", "\r", ";", "\x02"};
  Rng rng(1, Stream::sft_data, {3});
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (std::uint64_t left = rng.below(8); left > 0; --left) text += pieces[rng.below(std::size(pieces))];
    texts.push_back(text);
  }
  std::string deck = "[task]\n";
  for (std::size_t i = 0; i < texts.size(); ++i) deck += "k" + std::to_string(i) + " = " + deck_value(texts[i]) + "\n";
  const DeckFile read_back = read(deck);
  ASSERT_EQ(read_back.values.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const DeckValue& found = read_back.values.at("task.k" + std::to_string(i));
    EXPECT_EQ(found.text, texts[i]);
    EXPECT_TRUE(found.comment.empty()) << texts[i];
  }
}

TEST_F(DeckFileTest, PlainValuesAreWrittenAsTheyAre) {
  for (const char* text : {"0.1", "ai people", "inputs/world.json", "Answer as a C# developer.", "say \"yes\""})
    EXPECT_EQ(deck_value(text), text);
}

}  // namespace
}  // namespace rlaif::run
