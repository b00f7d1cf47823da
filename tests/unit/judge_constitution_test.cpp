#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/judge/constitution/constitution.hpp"

namespace rlaif::judge {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ConstitutionFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text, const std::string& extension = ".json") {
    file_.replace_extension(extension);
    write_file_atomic(file_, text);
    return file_;
  }
  // The message of the error that loading `text` gives.
  std::string refusal(const std::string& text, int level = 0, const std::string& extension = ".json") {
    try {
      load_constitution(write(text, extension), level);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), HasSubstr(file_.filename().string()));
      return error.what();
    }
    return "";
  }
  static std::string list(const std::string& principles) { return "{\"principles\": [" + principles + "]}"; }
  void TearDown() override {
    for (const char* extension : {".json", ".jsonl", ".txt"})
      std::filesystem::remove(file_.replace_extension(extension));
  }

  std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("constitution_") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".json");
};

TEST_F(ConstitutionFile, PrinciplesCarryWeightLevelAndCases) {
  const auto constitution = load_constitution(write(
      R"({"name": "n", "principles": [
        {"id": "a", "text": "T1"},
        {"id": "b", "text": "T2", "weight": 2.5, "level": 2, "critique_request": "C?", "revision_request": "R.",
         "cases": [{"prompt": "P", "first": "F", "second": "S", "verdict": "second", "why": "W"},
                   {"prompt": "P2", "first": "F2", "second": "S2", "verdict": "first"}]}]})"));
  ASSERT_EQ(constitution.size(), 2u);
  const Principle &a = constitution.principles()[0], &b = constitution.principles()[1];
  EXPECT_EQ(a.id, "a");
  EXPECT_EQ(a.weight, 1.0);
  EXPECT_EQ(a.level, 1);
  EXPECT_TRUE(a.cases.empty());
  EXPECT_EQ(b.text, "T2");
  EXPECT_EQ(b.weight, 2.5);
  EXPECT_EQ(b.level, 2);
  EXPECT_EQ(b.critique_request, "C?");
  EXPECT_EQ(b.revision_request, "R.");
  EXPECT_EQ(a.revision_request, "");
  ASSERT_EQ(b.cases.size(), 2u);
  EXPECT_FALSE(b.cases[0].first_is_better);
  EXPECT_EQ(b.cases[0].why, "W");
  EXPECT_TRUE(b.cases[1].first_is_better);
  EXPECT_TRUE(b.cases[1].why.empty());
}

TEST_F(ConstitutionFile, LevelsAreStepsWithoutAGap) {
  const std::string gap = R"({"principles": [{"id": "a", "text": "T"}, {"id": "b", "text": "U", "level": 3}]})";
  EXPECT_THAT(refusal(gap), HasSubstr("level 1 and 3, and none of level 2"));
  EXPECT_EQ(load_constitution(write(R"({"principles": [{"id": "a", "text": "T", "level": 3}]})")).size(), 1u);
}

TEST_F(ConstitutionFile, TheShippedOneAsksForCritiquesAndRevisionsUnderEveryPrinciple) {
  const auto shipped = load_constitution(inputs / "constitution.json");
  EXPECT_NO_THROW(require_requests("constitution.json", shipped, Requests::critique_and_revision));
  std::set<std::string> requests;
  for (const Principle& principle : shipped.principles()) {
    requests.insert(principle.critique_request);
    requests.insert(principle.revision_request);
  }
  EXPECT_EQ(requests.size(), 2 * shipped.size());
}

TEST_F(ConstitutionFile, PlainTextIsOnePrincipleALineWithoutComments) {
  const auto shipped = load_constitution(inputs / "principles.txt");
  ASSERT_EQ(shipped.size(), 1u);
  EXPECT_EQ(shipped.principles()[0].text, "Prefer the true, safe, useful and brief answer.");
  const auto two = load_constitution(write("# aspects\nBe true.  # always\n\n  Be safe.\r\n", ".txt"));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two.principles()[0].text, "Be true.");
  EXPECT_EQ(two.principles()[1].text, "Be safe.");
  EXPECT_EQ(two.principles()[1].id, "line 4");
  const auto signs = load_constitution(write("Prefer C# code, with ## headings and #tags.  # style\n", ".txt"));
  EXPECT_EQ(signs.principles()[0].text, "Prefer C# code, with ## headings and #tags.");
}

TEST_F(ConstitutionFile, JsonLinesAreOnePrincipleALine) {
  const auto two = load_constitution(
      write("{\"id\": \"a\", \"text\": \"T\"}\n\n{\"id\": \"b\", \"text\": \"U\", \"level\": 2}\n", ".jsonl"));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two.principles()[1].level, 2);
  EXPECT_THAT(refusal("{\"id\": \"a\", \"text\": \"T\"}\n{\"id\": \"b\"}\n", 0, ".jsonl"),
              HasSubstr(".jsonl:2: key 'text' is missing"));
}

TEST_F(ConstitutionFile, BadOnesAreRefusedByPrincipleAndKey) {
  const std::string good = R"({"id": "a", "text": "T"})";
  EXPECT_THAT(refusal(""), HasSubstr("holds no principle"));
  EXPECT_THAT(refusal("# nothing\n\n", 0, ".txt"), HasSubstr("holds no principle"));
  EXPECT_THAT(refusal(list("")), HasSubstr("'principles' is an empty list; expected a list that is not empty"));
  EXPECT_THAT(refusal("{}"), HasSubstr("'principles' is missing"));
  EXPECT_THAT(refusal("{\n\"principles\": [}"), HasSubstr(":2: not valid JSON"));
  EXPECT_THAT(refusal(list(good + "," + good)),
              AllOf(HasSubstr("principle 2"), HasSubstr("'id'"), HasSubstr("that of principle 1")));
  EXPECT_THAT(refusal(list(R"({"id": "a", "text": "T", "weight": 0})")),
              HasSubstr("'principles[0].weight' is 0; expected a number above 0"));
  EXPECT_THAT(refusal(list(R"({"id": "a", "text": "T", "weight": -1})")), HasSubstr("a number above 0"));
  EXPECT_THAT(refusal(list(R"({"id": "a", "text": "T", "level": 4})")),
              HasSubstr("'principles[0].level' is 4; expected a whole number from 1 to 3"));
  EXPECT_THAT(refusal(list(R"({"id": "a", "txt": "T"})")),
              HasSubstr("unknown key 'principles[0].txt'; the nearest known one is 'principles[0].text'"));
  EXPECT_THAT(refusal(list(R"({"text": "T"})")), HasSubstr("'principles[0].id' is missing"));
  EXPECT_THAT(refusal(list(R"({"id": "a", "text": ""})")), HasSubstr("a text that is not empty"));
  EXPECT_THAT(refusal(list(R"({"id": "a", "id": "b", "text": "T"})")), HasSubstr("\"id\" stands twice"));
  EXPECT_THAT(
      refusal(
          list(R"({"id": "a", "text": "T", "cases": [{"prompt": "P", "first": "F", "second": "S", "verdict": "A"}]})")),
      HasSubstr("'principles[0].cases[0].verdict' is \"A\"; expected \"first\" or \"second\""));
  EXPECT_THAT(refusal(list(good), 2), HasSubstr("no principle of level 2"));
  EXPECT_EQ(refusal(list(good), 1), "");
}

TEST(Constitution, EqualWeightsDrawAsLinesAlwaysDid) {
  const Constitution constitution{"one", "two", "three"};
  std::map<std::string, int> drawn;
  for (std::uint64_t id = 0; id < 200; ++id) {
    const auto expected = Rng(7, Stream::annotator, {2, id}).below(3);
    const auto chosen = constitution.chosen(id, PrincipleUse::sample, 7);
    ASSERT_EQ(chosen.size(), 1u);
    EXPECT_EQ(chosen[0], &constitution.principles()[expected]);
    ++drawn[chosen[0]->text];
  }
  for (const auto& [text, count] : drawn) EXPECT_GT(count, 45) << text;
  EXPECT_EQ(constitution.chosen(5, PrincipleUse::all, 7).size(), 3u);
}

TEST_F(ConstitutionFile, WeightsAreSharesOfTheDraws) {
  const auto constitution = load_constitution(write(list(
      R"({"id": "a", "text": "A", "weight": 6}, {"id": "b", "text": "B", "weight": 3}, {"id": "c", "text": "C"})")));
  std::map<std::string, double> share;
  constexpr int draws = 20000;
  for (std::uint64_t id = 0; id < draws; ++id)
    share[constitution.chosen(id, PrincipleUse::sample, 1)[0]->id] += 1.0 / draws;
  // Three standard deviations of a share p over n draws: 3 sqrt(p (1 - p) / n), at most 0.0107.
  EXPECT_NEAR(share["a"], 0.6, 0.0107);
  EXPECT_NEAR(share["b"], 0.3, 0.0107);
  EXPECT_NEAR(share["c"], 0.1, 0.0107);
  EXPECT_EQ(constitution.chosen(3, PrincipleUse::sample, 1), constitution.chosen(3, PrincipleUse::sample, 1));
}

TEST_F(ConstitutionFile, TextsAndCasesReadAsShown) {
  const auto constitution = load_constitution(write(list(
      R"({"id": "a", "text": "T1", "cases": [{"prompt": "P", "first": "F", "second": "S", "verdict": "second", "why": "W."}]}, {"id": "b", "text": "T2"})")));
  const auto all = constitution.chosen(0, PrincipleUse::all, 0);
  EXPECT_EQ(principles_text(all), "1. T1\n2. T2");
  EXPECT_EQ(principles_text({all[1]}), "T2");
  EXPECT_EQ(principles_text({}), "");
  EXPECT_EQ(cases_text(all, "A", "B"), "Request: P\nResponse A: F\nResponse B: S\nBetter: B. W.");
  EXPECT_EQ(cases_text({all[1]}, "A", "B"), "(none)");
}

TEST(Constitution, TheShippedOneHasThreeLevelsAndCasesOfBothPlaces) {
  const auto all = load_constitution(inputs / "constitution.json");
  EXPECT_GE(all.size(), 12u);
  EXPECT_LE(all.size(), 16u);
  std::size_t by_level = 0, first = 0, cases = 0;
  for (const int level : {1, 2, 3}) {
    const auto some = load_constitution(inputs / "constitution.json", level);
    EXPECT_GE(some.size(), 4u);
    by_level += some.size();
    for (const Principle& principle : some.principles()) EXPECT_EQ(principle.level, level);
  }
  EXPECT_EQ(by_level, all.size());
  for (const Principle& principle : all.principles()) {
    EXPECT_FALSE(principle.cases.empty()) << principle.id;
    for (const PrincipleCase& one : principle.cases) {
      first += one.first_is_better;
      ++cases;
      EXPECT_NE(one.first, one.second);
      EXPECT_FALSE(one.why.empty());
    }
  }
  EXPECT_GT(first, cases / 3);
  EXPECT_LT(first, cases - cases / 3);
}

}  // namespace
}  // namespace rlaif::judge
