#include "rlaif/text/thoughts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rlaif::text {
namespace {

std::string answer(const std::string& text) {
  const ThoughtfulAnswer read = answer_after_thoughts(text);
  return read.is_thinking ? "(thinking)" : std::string(read.text);
}

TEST(Thoughts, WhatFollowsTheLastOneIsTheAnswer) {
  for (const char* name : {"think", "thinking", "thought", "reasoning", "reflection", "THINK", "Thinking"}) {
    const std::string open = std::string("<") + name + ">", close = std::string("</") + name + ">";
    EXPECT_EQ(answer(open + "Verdict: B?" + close + "\nVerdict: A"), "\nVerdict: A");
    EXPECT_EQ(answer(open + "one" + close + "\n" + open + "two" + close + "A"), "A");
    EXPECT_EQ(answer("Well. " + open + "Verdict: B" + close + " A"), " A");
  }
  EXPECT_EQ(answer("[THINK]B[/THINK]A"), "A");
  EXPECT_EQ(answer("<thinking>mixed</think>A"), "A");
  EXPECT_EQ(answer("\xE2\x97\x81think\xE2\x96\xB7no\xE2\x97\x81/think\xE2\x96\xB7yes"), "yes");
  EXPECT_EQ(answer("<|channel|>analysis<|message|>B<|end|><|start|>assistant<|channel|>final<|message|>A"), "A");
  EXPECT_EQ(answer("<think>\n\n</think>"), "");
}

TEST(Thoughts, ALoneClosingMarkEndsAThoughtThatBeganBeforeTheText) {
  EXPECT_EQ(answer("Maybe B. No.\n</think>\n\nVerdict: A"), "\n\nVerdict: A");
  EXPECT_EQ(answer("He said \"no\"</think>A"), "A");
}

TEST(Thoughts, WhatIsNotClosedNeverCameToAnAnswer) {
  for (const char* text : {"<think>Verdict: B", " \n<thinking>\nVerdict: A\n", "[THINK]A",
                           "<think>a</think>\n<think>Verdict: B", "<think>"})
    EXPECT_EQ(answer(text), "(thinking)") << text;
}

TEST(Thoughts, MarksThatAnAnswerQuotesAreNone) {
  for (const char* text : {"Verdict: A", "", "Response B leaves a <think> in its text.\nVerdict: A",
                           "Verdict: A\nB wrote `</think>` for no reason.", "Verdict: A, for B holds \"</think>\".",
                           "Verdict: A\n> quoted </think> text", "Verdict: A\n```\n<think>x</think>\n```\nSo be it.",
                           "`<think>` is what B begins with.", "Verdict: A\nB: \xE2\x80\x9C</think>\xE2\x80\x9D",
                           "Verdict: A; `B says </think> here`"})
    EXPECT_EQ(answer(text), text);
}

TEST(Thoughts, AThoughtMayQuoteMarksAndLeaveFencesOpen) {
  EXPECT_EQ(answer("<think>a \"</think>\" is odd</think>A"), "A");
  EXPECT_EQ(answer("<think>\n```\nx = 1\n</think>\n```\nVerdict: A\n```"), "\n```\nVerdict: A\n```");
  EXPECT_EQ(answer("```\ncode\n```\nso </think>\n```json\n{\"verdict\": \"A\"}\n```"),
            "\n```json\n{\"verdict\": \"A\"}\n```");
}

// A hostile text of many marks is read in a time that grows with its length: this one would take hours otherwise.
TEST(Thoughts, LongTextsOfMarksAreRead) {
  std::string closings, quoted = "`";
  for (int i = 0; i < 200000; ++i) {
    closings += "</think>";
    quoted += "</think> ";
  }
  EXPECT_EQ(answer(closings), "");
  EXPECT_EQ(answer(quoted + "`"), quoted + "`");
}

}  // namespace
}  // namespace rlaif::text
