#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/judge/training_text.hpp"

namespace rlaif::judge {
namespace {

class TemplateFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    write_file_atomic(file_, text);
    return file_;
  }
  // The message of the error that loading `text` gives.
  std::string refusal(const std::string& text) {
    try {
      JudgeTemplate::load(write(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "";
  }
  void TearDown() override { std::filesystem::remove(file_); }

  std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("judge_template_") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".txt");
};

TEST(JudgeTemplate, TheProjectsTemplatesReadAsTheirTraining) {
  const auto verdict_first = JudgeTemplate::load(inputs / "judge_verdict_first.txt");
  EXPECT_EQ(verdict_first.style, JudgeTemplate::Style::verdict_first);
  EXPECT_EQ(verdict_first.rationale_cue, "\nReason:");
  EXPECT_EQ(verdict_first.render("P.", "Q?", "a.", "b."), "P.\nQuestion: Q?\nA: a.\nB: b.\nVerdict:");
  const auto rationale_first = JudgeTemplate::load(inputs / "judge_rationale_first.txt");
  EXPECT_EQ(rationale_first.style, JudgeTemplate::Style::rationale_first);
  EXPECT_EQ(rationale_first.verdict_cue, "\nVerdict:");
  EXPECT_EQ(rationale_first.render("P.", "Q?", "a.", "b."), "P.\nQuestion: Q?\nA: a.\nB: b.\nReason:");
}

TEST(JudgeTemplate, ReplacedTextsAreNotReplacedAgain) {
  JudgeTemplate prompt;
  prompt.text = "{principle}|{prompt}|{first}|{second}|{first}";
  EXPECT_EQ(prompt.render("{first}", "{second}", "{principle} Verdict: A", "{"),
            "{first}|{second}|{principle} Verdict: A|{|{principle} Verdict: A");
}

TEST_F(TemplateFile, SettingsAndTextAreRead) {
  const auto prompt =
      JudgeTemplate::load(write("%% style: rationale_first\n%%wrap:chat\n%% verdicts:  One  Two \n"
                                "%% verdict_cue: \\nSo \\\\ it is:\n"
                                "{\"json\": 1} {} {principle} {prompt} {first} {second}\n\n"));
  EXPECT_EQ(prompt.style, JudgeTemplate::Style::rationale_first);
  EXPECT_EQ(prompt.wrap, JudgeTemplate::Wrap::chat);
  EXPECT_EQ(prompt.verdict_first, "One");
  EXPECT_EQ(prompt.verdict_second, "Two");
  EXPECT_EQ(prompt.verdict_cue, "\nSo \\ it is:");
  EXPECT_EQ(prompt.render("p", "q", "a", "b"), "{\"json\": 1} {} p q a b\n");
}

TEST_F(TemplateFile, ErrorsNameFileAndLine) {
  using ::testing::AllOf;
  using ::testing::HasSubstr;
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

TEST_F(TemplateFile, CasesAndFenceMayHaveAPlace) {
  const auto prompt = JudgeTemplate::load(write("{principle}|{cases}|{fence}{prompt}|{first}|{second}"));
  EXPECT_TRUE(prompt.has_fence());
  EXPECT_EQ(prompt.render("P", "Q", "a", "b", "C", "f00d"), "P|C|f00dQ|a|b");
  EXPECT_FALSE(JudgeTemplate::load(inputs / "judge_verdict_first.txt").has_fence());
}

TEST_F(TemplateFile, WithoutAConstitutionThereIsNoPlaceForIt) {
  using ::testing::HasSubstr;
  const auto prompt = JudgeTemplate::load(write("%% principles: none\n{prompt} {first} {second}"));
  EXPECT_FALSE(prompt.has_principles);
  EXPECT_EQ(prompt.render("P", "Q", "a", "b"), "Q a b");
  EXPECT_THAT(refusal("{prompt} {first} {second}"), HasSubstr("{principle} is missing"));
  EXPECT_THAT(refusal("%% principles: none\n{principle} {prompt} {first} {second}"),
              HasSubstr("{principle} has no place"));
  EXPECT_THAT(refusal("%% principles: none\n{cases} {prompt} {first} {second}"), HasSubstr("{cases} has no place"));
  EXPECT_THAT(refusal("%% principles: some\n{prompt} {first} {second}"), HasSubstr("given or none"));
  EXPECT_THAT(refusal("%% principles: none\n{prompt} {first}"), HasSubstr("{second} is missing"));
}

TEST(JudgeTemplate, TheChatTemplatesFitAChatModel) {
  const auto tokenizer = judge_tokenizer(false);
  const text::ChatEncoder chat(tokenizer, text::ChatFormat::chatml, "x");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(inputs / "judge_templates")) {
    const std::string name = entry.path().stem();
    names.insert(name);
    const auto prompt = JudgeTemplate::load(entry.path());
    EXPECT_EQ(prompt.wrap, JudgeTemplate::Wrap::chat) << name;
    EXPECT_EQ(prompt.style == JudgeTemplate::Style::rationale_first, name.starts_with("chain_of_thought")) << name;
    EXPECT_EQ(prompt.has_principles, name.ends_with("_constitution")) << name;
    EXPECT_TRUE(prompt.has_fence()) << name;
    const std::string text = prompt.render("PRINCIPLE", "QUESTION", "ONE", "TWO", "CASES", "f00d");
    EXPECT_EQ(text.find('{'), std::string::npos) << name;
    EXPECT_EQ(text.find("PRINCIPLE") != std::string::npos, prompt.has_principles) << name;
    EXPECT_EQ(text.find("CASES") != std::string::npos, name == "few_shot_constitution") << name;
    EXPECT_LT(text.find("QUESTION"), text.find("ONE")) << name;
    EXPECT_LT(text.find("ONE"), text.find("TWO")) << name;
    const JudgeEncoder encoder(chat, prompt);
    EXPECT_NE(encoder.first_token(), encoder.second_token());
  }
  EXPECT_EQ(names, (std::set<std::string>{"zero_shot", "few_shot", "chain_of_thought", "zero_shot_constitution",
                                          "few_shot_constitution", "chain_of_thought_constitution"}));
}

}  // namespace
}  // namespace rlaif::judge
