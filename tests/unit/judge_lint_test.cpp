#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "judge_fixture.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/judge/constitution/lint.hpp"

namespace rlaif::judge {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Findings without notes.
std::vector<LintFinding> problems(const Constitution& constitution) {
  std::vector<LintFinding> found = lint(constitution);
  std::erase_if(found, [](const LintFinding& finding) { return is_note(finding.kind); });
  return found;
}

std::vector<LintKind> kinds(const Constitution& constitution) {
  std::vector<LintKind> result;
  for (const LintFinding& finding : problems(constitution)) result.push_back(finding.kind);
  return result;
}

// A file in which some principles can be revised by says which of them cannot.
TEST(Lint, APrincipleWithoutTheRequestsOfOthersIsANote) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "lint_requests.json";
  write_file_atomic(file, R"({"principles": [
    {"id": "a", "text": "Which response names a source for each number?", "critique_request": "C?", "revision_request": "R."},
    {"id": "b", "text": "Which response states its result in the first sentence?", "critique_request": "C?"}]})");
  std::vector<LintFinding> found = lint(load_constitution(file));
  std::erase_if(found, [](const LintFinding& finding) { return finding.kind != LintKind::without_request; });
  std::filesystem::remove(file);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].principle, "b");
  EXPECT_THAT(found[0].words, ElementsAre("revision_request"));
  EXPECT_TRUE(is_note(found[0].kind));
}

TEST(Lint, PraiseWithoutCriterionIsVague) {
  const auto found = problems({"Which response is good and appropriate?"});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, LintKind::vague);
  EXPECT_EQ(found[0].principle, "principle 1");
  EXPECT_THAT(found[0].words, ElementsAre("good", "appropriate"));
  EXPECT_THAT(found[0].instead, HasSubstr("every task that the request states"));
  EXPECT_THAT(kinds({"Choose the nicest answer, one that is nice."}), ElementsAre(LintKind::vague));
  EXPECT_THAT(kinds({"Which response cites a source for each claim? Choose the reasonable one."}),
              ElementsAre(LintKind::vague));
}

TEST(Lint, PraiseWithACriterionInItsSentenceIsNot) {
  EXPECT_THAT(kinds({"Which response is more appropriate for a child of ten: shorter sentences and no technical term "
                     "unexplained?"}),
              ElementsAre());
  EXPECT_THAT(kinds({"A good response states its result in the first sentence. Which one does?"}), ElementsAre());
}

TEST(Lint, QualitiesThatNobodyCanPointAtAreUnmeasurable) {
  const auto found = problems({"Choose the response that is the most helpful and wise."});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, LintKind::unmeasurable);
  EXPECT_THAT(found[0].words, ElementsAre("helpful", "wise"));
  EXPECT_THAT(found[0].instead, HasSubstr("steps"));
  EXPECT_THAT(kinds({"Which response has more spirit?"}), ElementsAre(LintKind::unmeasurable));
  EXPECT_THAT(kinds({"Which response is more helpful: does it give steps and name what to buy?"}), ElementsAre());
  EXPECT_THAT(kinds({"Which response stays within 100 words?"}), ElementsAre());
}

TEST(Lint, OnlySayingWhatIsNotToBeIsNegative) {
  const auto found = problems({"The response must not quote a source without a date."});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, LintKind::negative);
  EXPECT_THAT(found[0].words, Contains("not"));
  EXPECT_THAT(found[0].words, Contains("quote"));
  EXPECT_THAT(found[0].instead, HasSubstr("instead"));
  EXPECT_THAT(kinds({"Which response does not insult, threaten or repeat a slur?"}), ElementsAre(LintKind::negative));
  EXPECT_THAT(kinds({"Avoid apologies, threats and jokes."}), ElementsAre(LintKind::negative));
  EXPECT_THAT(kinds({"Which response is least likely to contain a harmful instruction or a slur?"}),
              ElementsAre(LintKind::negative));
}

TEST(Lint, ANegationBesideWhatToDoInsteadIsNot) {
  EXPECT_THAT(kinds({"Which response does not guess a number, but names a source for it?"}), ElementsAre());
  EXPECT_THAT(kinds({"Which response does not quote private letters and names a public source?"}), ElementsAre());
  EXPECT_THAT(kinds({"Which response declines the dangerous part in one sentence and does not lecture?"}),
              ElementsAre());
  EXPECT_THAT(kinds({"Which response uses fewer words for the same facts?"}), ElementsAre());
}

TEST(Lint, TheSameContentTwiceIsDuplicate) {
  const auto found =
      problems({"Which response names a source for every claim?", "Which response gives steps in numbered order?",
                "For each of its claims, which response is naming sources?"});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, LintKind::duplicate);
  EXPECT_EQ(found[0].principle, "principle 3");
  EXPECT_EQ(found[0].other, "principle 1");
  EXPECT_THAT(found[0].words, ElementsAre("claims", "naming", "sources"));
  EXPECT_THAT(kinds({"Which response names a source for every claim?",
                     "Which response names the danger before the first step?"}),
              ElementsAre());
}

TEST(Lint, OppositeDirectionsContradict) {
  const auto found = problems({"Prefer the longer response: more sentences and examples.",
                               "Prefer the shorter response, in fewer words and sentences."});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, LintKind::contradictory);
  EXPECT_EQ(found[0].other, "principle 1");
  EXPECT_THAT(found[0].words, ElementsAre("longer", "shorter"));
  EXPECT_THAT(found[0].instead, HasSubstr("where the request"));
  EXPECT_THAT(kinds({"Which response greets in a formal sentence, with a title?",
                     "Which response greets in an informal sentence, without a title?"}),
              Contains(LintKind::contradictory));
  EXPECT_THAT(kinds({"Always refuse to name a medicine or a dose.", "Never refuse to name a medicine or a dose."}),
              Contains(LintKind::contradictory));
  EXPECT_THAT(kinds({"Which response asks a question back before its first step?",
                     "Which response never asks a question back before its first step?"}),
              Contains(LintKind::contradictory));
}

TEST(Lint, OppositeDirectionsOnOtherTopicsDoNot) {
  EXPECT_THAT(kinds({"Which response writes to an authority in formal sentences and names the office?",
                     "Which response talks to a child in informal words and gives an example of a game?"}),
              ElementsAre());
  // Declining one part is not the opposite of doing the others.
  EXPECT_THAT(kinds({"Which response declines the harmful part in one sentence and gives the reason?",
                     "Which response names and explains every step of the task?"}),
              ElementsAre());
}

TEST(Lint, NotesAreNoProblems) {
  const auto found = lint({"Which response names a source for every claim?"});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, LintKind::without_case);
  EXPECT_TRUE(is_note(found[0].kind));
  std::string text = "Which response names a source for every claim";
  for (int i = 0; i < 50; ++i) text += " and step";
  const auto long_one = lint({text});
  ASSERT_EQ(long_one.size(), 2u);
  EXPECT_EQ(long_one[1].kind, LintKind::overlong);
}

TEST(Lint, AFindingReadsAsOneLine) {
  EXPECT_EQ(to_line({"p", LintKind::duplicate, {"a", "b"}, "q", "one of the two"}),
            "p: duplicate of q: \"a\", \"b\"; write instead: one of the two");
  EXPECT_EQ(to_line({"p", LintKind::vague, {"good"}, "", "what"}), "p: vague: \"good\"; write instead: what");
}

TEST(Lint, TheShippedConstitutionIsClean) {
  for (const LintFinding& finding : lint(load_constitution(inputs / "constitution.json")))
    ADD_FAILURE() << to_line(finding);
}

TEST(Lint, RecordedPrinciplesAreMostlyFlagged) {
  const char* folder = std::getenv("RLAIF_SHARED_DATA");
  const std::filesystem::path shared =
      folder ? std::filesystem::path(folder) : std::filesystem::path(RLAIF_SOURCE_DIR) / "../shared";
  const auto file = shared / "data/constitution/comparison_principles.jsonl";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no recorded principles at " << file;
  const Constitution recorded = load_constitution(file);
  ASSERT_EQ(recorded.size(), 16u);
  std::set<std::string> flagged;
  std::map<std::string, int> by_kind;
  for (const LintFinding& finding : problems(recorded)) {
    flagged.insert(finding.principle);
    ++by_kind[to_string(finding.kind)];
  }
  std::cout << flagged.size() << " of " << recorded.size() << " recorded principles are flagged:";
  for (const auto& [kind, count] : by_kind) std::cout << " " << kind << " " << count;
  std::cout << "\n";
  // They ask for qualities ("harmless", "ethical", "wise") without a sign by which to see them, several almost alike.
  EXPECT_GE(flagged.size(), 12u);
  EXPECT_GE(by_kind["unmeasurable"], 8);
  EXPECT_GE(by_kind["duplicate"], 1);
  EXPECT_GE(by_kind["negative"], 1);
}

}  // namespace
}  // namespace rlaif::judge
