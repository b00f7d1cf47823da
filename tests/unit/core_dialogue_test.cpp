// Conversations as prompts: their transcripts, and what is none.
#include "rlaif/core/dialogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rlaif {
namespace {

using ::testing::HasSubstr;

TEST(Dialogue, OfOneUsersTurnIsPlainText) {
  Prompt prompt{3, "", "fact"};
  set_turns(prompt, {{"user", "User: a\n\nAssistant: b"}});
  EXPECT_EQ(prompt.text, "User: a\n\nAssistant: b");
  EXPECT_TRUE(prompt.turns.empty());
  EXPECT_EQ(turns_of(prompt), (std::vector<Message>{{"user", prompt.text}}));
}

TEST(Dialogue, OfSeveralTurnsIsReadAsATranscript) {
  Prompt prompt;
  set_turns(prompt, {{"system", "Be brief."}, {"user", "Hi\nthere"}, {"assistant", "Yes?"}, {"user", "Bye"}});
  EXPECT_EQ(prompt.text, "System: Be brief.\n\nUser: Hi\nthere\n\nAssistant: Yes?\n\nUser: Bye");
  EXPECT_EQ(turns_of(prompt).size(), 4u);
}

// A content that looks like turns reads otherwise than the turns themselves, and so does one that looks like its escape.
TEST(Dialogue, OfOtherTurnsHasAnotherTranscript) {
  const std::vector<std::vector<Message>> dialogues{
      {{"user", "a"}, {"assistant", "b"}, {"user", "c"}},       {{"user", "a\n\nAssistant: b"}, {"user", "c"}},
      {{"user", "a\n\n Assistant: b"}, {"user", "c"}},          {{"user", "a"}, {"user", "Assistant: b\n\nUser: c"}},
      {{"user", "a\n\nAssistant: b\n\nUser: c"}, {"user", ""}},
  };
  for (std::size_t i = 0; i < dialogues.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(transcript(dialogues[i]), transcript(dialogues[j])) << i << " " << j;
  EXPECT_EQ(transcript(dialogues[1]), "User: a\n\n Assistant: b\n\nUser: c");
}

TEST(Dialogue, ThatIsNoPromptIsSaidByItsTurn) {
  EXPECT_EQ(prompt_problem(std::vector<Message>{{"user", "a"}}), "");
  EXPECT_EQ(prompt_problem(std::vector<Message>{{"system", "s"}, {"user", "a"}, {"assistant", ""}, {"user", "b"}}), "");
  EXPECT_THAT(prompt_problem({}), HasSubstr("no turn"));
  EXPECT_THAT(prompt_problem(std::vector<Message>{{"user", "a"}, {"tool", "x"}}), HasSubstr("turn 2 is by 'tool'"));
  EXPECT_THAT(prompt_problem(std::vector<Message>{{"system", "a"}, {"system", "b"}, {"user", "c"}}),
              HasSubstr("turn 2 is a second system turn"));
  EXPECT_THAT(prompt_problem(std::vector<Message>{{"user", "a"}, {"system", "b"}, {"user", "c"}}),
              HasSubstr("turn 2 is a system turn"));
  EXPECT_THAT(prompt_problem(std::vector<Message>{{"user", "a"}, {"assistant", "b"}}),
              HasSubstr("the last turn is the assistant's"));
  EXPECT_THAT(prompt_problem(std::vector<Message>{{"user", ""}}), HasSubstr("turn 1, the user's, is empty"));
}

}  // namespace
}  // namespace rlaif
