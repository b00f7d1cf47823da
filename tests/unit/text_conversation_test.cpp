#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/text/conversation.hpp"

namespace rlaif::text {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path inputs = std::filesystem::path(RLAIF_SOURCE_DIR) / "inputs";

class ConversationFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    write_file_atomic(file_, text);
    return file_;
  }
  // The message of the error that loading `text` gives.
  std::string refusal(const std::string& text) {
    try {
      Conversation::load(write(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "";
  }
  void TearDown() override { std::filesystem::remove(file_); }

  std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("conversation_") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".txt");
};

TEST_F(ConversationFile, AFileThatAsksForATextHasThePlacesThatItsAskerKnows) {
  const PlaceRules rules{{"prompt", "response", "critique_request"}, {"response"}};
  const auto asks = Conversation::load(
      write("%% user\n{prompt}\n%% assistant\n{response}\n%% user\n{critique_request} {not a place}\n"), rules);
  ShownTexts texts;
  texts.prompt = "Why {response}?";
  texts.response = "So.";
  texts.critique_request = "What is wrong?";
  const std::vector<Message> expected{
      {"user", "Why {response}?"}, {"assistant", "So."}, {"user", "What is wrong? {not a place}"}};
  EXPECT_EQ(asks.render(texts), expected);
  EXPECT_THAT(refusal("%% user\n{prompt} {first} {second} {fence} {response}\n"),
              ::testing::HasSubstr("{response} has no place where two responses are compared"));
}

TEST(Conversation, TheTemplatesOfTrainedJudgesReadAsTheirTraining) {
  const auto verdict_first = Conversation::load(inputs / "judge_verdict_first.txt");
  EXPECT_EQ(verdict_first.style, Conversation::Style::verdict_first);
  EXPECT_EQ(verdict_first.rationale_cue, "\nReason:");
  EXPECT_EQ(verdict_first.render_text({"P.", "Q?", "a.", "b."}), "P.\nQuestion: Q?\nA: a.\nB: b.\nVerdict:");
  const auto rationale_first = Conversation::load(inputs / "judge_rationale_first.txt");
  EXPECT_EQ(rationale_first.style, Conversation::Style::rationale_first);
  EXPECT_EQ(rationale_first.verdict_cue, "\nVerdict:");
  EXPECT_EQ(rationale_first.render_text({"P.", "Q?", "a.", "b."}), "P.\nQuestion: Q?\nA: a.\nB: b.\nReason:");
}

TEST(Conversation, ReplacedTextsAreNotReplacedAgain) {
  const auto prompt = Conversation::of_text("{principle}|{prompt}|{first}|{second}|{first}");
  EXPECT_EQ(prompt.render_text({"{first}", "{second}", "{principle} Verdict: A", "{"}),
            "{first}|{second}|{principle} Verdict: A|{|{principle} Verdict: A");
}

TEST_F(ConversationFile, SettingsAndTextAreRead) {
  const auto prompt =
      Conversation::load(write("%% style: rationale_first\n%%wrap:chat\n%% verdicts:  One  Two \n"
                               "%% verdict_cue: \\nSo \\\\ it is:\n"
                               "{\"json\": 1} {} {principle} {prompt} {first} {second}\n\n"));
  EXPECT_EQ(prompt.style, Conversation::Style::rationale_first);
  EXPECT_EQ(prompt.wrap, Conversation::Wrap::chat);
  EXPECT_EQ(prompt.verdict_first, "One");
  EXPECT_EQ(prompt.verdict_second, "Two");
  EXPECT_EQ(prompt.verdict_cue, "\nSo \\ it is:");
  EXPECT_EQ(prompt.render_text({"p", "q", "a", "b"}), "{\"json\": 1} {} p q a b\n");
}

TEST_F(ConversationFile, ErrorsNameFileAndLine) {
  using ::testing::AllOf;
  const std::string good = "{principle}{prompt}{first}{second}";
  const std::string name = file_.filename().string();
  EXPECT_THAT(refusal("%% stile: verdict_first\n" + good),
              AllOf(HasSubstr(name), HasSubstr("1"), HasSubstr("'style'")));
  EXPECT_THAT(refusal("%% style: both\n" + good), HasSubstr("rationale_first"));
  EXPECT_THAT(refusal("%% wrap: none\n" + good), HasSubstr("raw or chat"));
  EXPECT_THAT(refusal("%% verdicts: A\n" + good), HasSubstr("two different words"));
  EXPECT_THAT(refusal("%% verdicts: A A\n" + good), HasSubstr("two different words"));
  EXPECT_THAT(refusal("%% verdicts: A B C\n" + good), HasSubstr("two different words"));
  EXPECT_THAT(refusal("%% verdict_cue:\n" + good), HasSubstr("expected a text"));
  EXPECT_THAT(refusal("%% verdict_cue: \\t\n" + good), HasSubstr("after a backslash"));
  EXPECT_THAT(refusal("%% style\n" + good), HasSubstr("key: value"));
  EXPECT_THAT(refusal("{principle}{prompt}\n{first}"), HasSubstr("{second} is missing"));
  EXPECT_THAT(refusal("%% style: verdict_first\n" + good + "\n{promt}"), AllOf(HasSubstr("'prompt'"), HasSubstr("3")));
}

TEST_F(ConversationFile, CasesAndFenceMayHaveAPlace) {
  const auto prompt = Conversation::load(write("{principle}|{cases}|{fence}{prompt}|{first}|{second}"));
  EXPECT_TRUE(prompt.has_fence());
  EXPECT_EQ(prompt.render_text({"P", "Q", "a", "b", "C", "f00d"}), "P|C|f00dQ|a|b");
  EXPECT_FALSE(Conversation::load(inputs / "judge_verdict_first.txt").has_fence());
}

TEST_F(ConversationFile, WithoutAConstitutionThereIsNoPlaceForIt) {
  const auto prompt = Conversation::load(write("%% principles: none\n{prompt} {first} {second}"));
  EXPECT_FALSE(prompt.has_principles());
  EXPECT_EQ(prompt.render_text({"P", "Q", "a", "b"}), "Q a b");
  EXPECT_THAT(refusal("{prompt} {first} {second}"), HasSubstr("{principle} is missing"));
  EXPECT_THAT(refusal("%% principles: none\n{principle} {prompt} {first} {second}"),
              HasSubstr("{principle} has no place"));
  EXPECT_THAT(refusal("%% principles: none\n{cases} {prompt} {first} {second}"), HasSubstr("{cases} has no place"));
  EXPECT_THAT(refusal("%% principles: some\n{prompt} {first} {second}"), HasSubstr("given or none"));
  EXPECT_THAT(refusal("%% principles: none\n{prompt} {first}"), HasSubstr("{second} is missing"));
}

TEST_F(ConversationFile, TurnsAreMarkedAndSettingsHaveTwoNames) {
  const auto shots = Conversation::load(
      write("%% answer: letter\n%% verdicts: 1 2\n%% system\n Judge by {principles}.\n\n%% user\nQ?\n%% assistant\n1\n"
            "%% user\n{prompt} {first} {second} {fence}\n"));
  EXPECT_EQ(shots.style, Conversation::Style::verdict_first);
  EXPECT_EQ(shots.wrap, Conversation::Wrap::chat);
  EXPECT_TRUE(shots.has_principles());
  ASSERT_EQ(shots.turns.size(), 4u);
  EXPECT_EQ(shots.turns[0].content, "Judge by {principles}.");
  EXPECT_EQ(shots.constant_turns(true), 3u);
  EXPECT_EQ(shots.constant_turns(false), 0u);
  const auto turns = shots.render({"P", "Q", "a", "b", "C", "f00d"});
  EXPECT_EQ(turns.front().content, "Judge by P.");
  EXPECT_EQ(turns.back().content, "Q a b f00d");
  const std::string asks = "{prompt} {first} {second} {fence}\n";
  EXPECT_EQ(Conversation::load(write("%% user\n" + asks)).style, Conversation::Style::rationale_first);
  EXPECT_EQ(Conversation::load(write("%% style: verdict_first\n%% user\n" + asks)).style,
            Conversation::Style::verdict_first);
}

TEST_F(ConversationFile, TurnsInAnotherOrderAreRefused) {
  const std::string asks = "{prompt} {first} {second} {fence}\n";
  EXPECT_THAT(refusal("%% assistant\nx\n"), HasSubstr("cannot be the first"));
  EXPECT_THAT(refusal("%% user\nx\n%% user\n" + asks), HasSubstr("cannot follow one of user"));
  EXPECT_THAT(refusal("%% user\nx\n%% assistant\ny\n"), HasSubstr("a turn of user at the end"));
  EXPECT_THAT(refusal("%% user\n" + asks + "%% assistant\n\n%% user\n" + asks), HasSubstr("is empty"));
  EXPECT_THAT(refusal("%% user\n" + asks + "%% style: verdict_first\n"), HasSubstr("behind the first turn"));
  EXPECT_THAT(refusal("%% wrap: raw\n%% user\n" + asks), HasSubstr("without marks of turns"));
  EXPECT_THAT(refusal("Hello.\n%% user\n" + asks), HasSubstr("before the first text"));
  EXPECT_THAT(refusal("%% user\n{prompt} {first} {second}\n"), HasSubstr("{fence} is missing"));
}

TEST_F(ConversationFile, OneResponseMayBeScored) {
  const auto prompt = Conversation::load(write("%% scores: 0 4\n{principle} {prompt} {response}\n"));
  ASSERT_TRUE(prompt.scores);
  EXPECT_EQ(prompt.answers(), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  ShownTexts texts{.principles = "P.", .prompt = "Q?"};
  texts.response = "{prompt}";
  EXPECT_EQ(prompt.render_text(texts), "P. Q? {prompt}");
  const auto pairs = Conversation::load(write("{principle} {prompt} {first} {second}"));
  EXPECT_FALSE(pairs.scores);
  EXPECT_EQ(pairs.answers(), (std::vector<std::string>{"A", "B"}));
}

TEST_F(ConversationFile, ScoresAndPairsAreNotMixed) {
  for (const char* scale : {"10 1", "1", "1 10 2", "one ten", "-1 5", "0 101", "3 3", ""})
    EXPECT_THAT(refusal(std::string("%% scores: ") + scale + "\n{principle} {prompt} {response}"),
                HasSubstr(":1: scores: expected two whole numbers"))
        << scale;
  for (const char* place : {"{first}", "{second}", "{cases}"})
    EXPECT_THAT(refusal(std::string("%% scores: 1 10\n{principle} {prompt} {response}\n") + place),
                HasSubstr(std::string(":3: ") + place + " has no place where one response is scored"));
  EXPECT_THAT(refusal("{principle} {prompt} {first} {second} {response}"),
              HasSubstr(":1: {response} has no place where two responses are compared"));
  EXPECT_THAT(refusal("%% scores: 1 10\n{principle} {prompt}"), HasSubstr("{response} is missing"));
}

TEST_F(ConversationFile, EveryFileOfTheProgramsInputsIsOne) {
  for (const char* folder : {"judge_templates", "judge_styles"}) {
    for (const auto& entry : std::filesystem::directory_iterator(inputs / folder)) {
      const auto conversation = Conversation::load(entry.path());
      const std::string name = entry.path().stem();
      const bool is_reasoned_score = name == "score_reasoned";
      EXPECT_EQ(conversation.style == Conversation::Style::rationale_first,
                name.starts_with("chain_of_thought") || is_reasoned_score)
          << entry.path();
      EXPECT_EQ(conversation.has_principles(), name.ends_with("_constitution") || is_reasoned_score) << entry.path();
      EXPECT_EQ(conversation.scores.has_value(), name.starts_with("score")) << entry.path();
      EXPECT_TRUE(conversation.has_fence()) << entry.path();
    }
  }
}

}  // namespace
}  // namespace rlaif::text
