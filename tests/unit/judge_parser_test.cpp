#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "rlaif/core/json.hpp"
#include "rlaif/judge/prompts/parser.hpp"

namespace rlaif::judge {
namespace {

const VerdictLabels letters;

std::string read(const std::string& text, const VerdictLabels& labels = letters) {
  const TextReading reading = read_verdict(text, labels);
  if (reading.status != VerdictStatus::ok) return std::string("none: ") + reading.why;
  return reading.choice == Choice::shown_first ? "first" : reading.choice == Choice::shown_second ? "second" : "tie";
}

TEST(Parser, ReadsEveryFormOfAVerdict) {
  for (const char* text : {"A",
                           " a\n",
                           "**A**",
                           "(A)",
                           "[A].",
                           "Output (a)",
                           "\"A\"",
                           "Response A is better.",
                           "Verdict: A",
                           "B would be wrong.\nVerdict: A",
                           "Reasons ...\n\n**Final verdict:** A",
                           "## Verdict: **(A)**",
                           "The final answer is A",
                           "{\"verdict\": \"A\"}",
                           "```json\n{\"verdict\": \"a\"}\n```",
                           "I think so.\n{\"why\": \"B is worse\", \"verdict\": \"Output (A)\"}",
                           "So: [[A]]",
                           "Both are fine.\nTherefore, Output (a) is better.",
                           "Output (a) is clearly better than Output (b).",
                           "The better output is Output (a).",
                           "Reasons first.\nA",
                           "Verdict: Response A is better",
                           "Therefore, based on the evaluation of both, Output (a) is better as it is short."})
    EXPECT_EQ(read(text), "first") << text;
  for (const char* text : {"Verdict: tie", "[[C]]", "{\"verdict\": \"tie\"}", "Tie"})
    EXPECT_EQ(read(text), "tie") << text;
}

TEST(Parser, NeverTakesTheFirstLetterItMeets) {
  for (const char* text : {"A good answer would name the year.", "A is longer, B is shorter.", "As for A, it is long",
                           "If it were true, Output (a) is better.", "Assistant (a) argues that Output (b) is better",
                           "> Verdict: A", "Output (a) is not better.", "Response A has merit and so has Response B.",
                           "I cannot decide", "A or B", "{\"verdict\": null", "The answer",
                           "Verdict:", "# Output (a):\ntext", "Based on the length, Output (a) is better."})
    EXPECT_EQ(read(text), "none: no verdict was said") << text;
  EXPECT_EQ(read("  \n"), "none: the answer is empty");
}

TEST(Parser, ContradictionsAndForeignLabelsAreUnparseable) {
  for (const char* text : {"Verdict: A\nVerdict: B", "Output (a) is better.\nVerdict: B", "[[A]] [[B]]",
                           "Output (b) is better. Reasons. Therefore, Output (a) is better."})
    EXPECT_EQ(read(text), "none: two different verdicts were said") << text;
  for (const char* text : {"{\"verdict\": \"both\"}", "{\"verdict\": 1}", "Verdict: both of them"})
    EXPECT_EQ(read(text), "none: the verdict is none of the labels") << text;
}

TEST(Parser, LabelsOfAnyWord) {
  EXPECT_EQ(read("Verdict: 2", {"1", "2"}), "second");
  EXPECT_EQ(read("Verdict: 12", {"1", "2"}), "none: the verdict is none of the labels");
  EXPECT_EQ(read("Left", {"left", "right"}), "first");
}

TEST(Parser, LabelsThatDifferInCaseAloneAreReadAsTheyStand) {
  const VerdictLabels models{"m", "M"};
  for (const char* text :
       {"m", "(m)", "Verdict: m", "[[m]]", "{\"verdict\": \"m\"}", "Model m is better.", "VERDICT: m"})
    EXPECT_EQ(read(text, models), "first") << text;
  for (const char* text : {"M", " **M**\n", "Verdict: M", "[[M]]", "{\"verdict\": \"M\"}",
                           "Therefore, model (M) is better.", "verdict: M"})
    EXPECT_EQ(read(text, models), "second") << text;
  EXPECT_EQ(read("Verdict: m\nVerdict: M", models), "none: two different verdicts were said");
  EXPECT_EQ(read("Verdict: A", {"aB", "Ab"}), "none: the verdict is none of the labels");
  const TokenPosition position{
      "M", {{"M", std::log(0.6)}, {"m", std::log(0.1)}, {" M", std::log(0.2)}, {"Model", std::log(0.1)}}};
  const TokenReading reading = read_token_verdict(position, models, 0.1);
  EXPECT_NEAR(reading.p_first, 0.1 / 0.9, 1e-12);
  EXPECT_NEAR(read_token_verdict(position, {"m", "x"}, 0.1).label_mass, 0.9, 1e-12)
      << "any case where it tells nothing apart";
}

TEST(Parser, AllVariantsOfATokenAreSummed) {
  const auto log = [](double p) { return std::log(p); };
  TokenPosition position{"A",
                         {{"A", log(0.3)},
                          {" a", log(0.1)},
                          {"\xC4\xA0"
                           "A",
                           log(0.1)},
                          {"(B", log(0.2)},
                          {"As", log(0.2)}}};
  const TokenReading reading = read_token_verdict(position, letters, 0.1);
  EXPECT_EQ(reading.status, VerdictStatus::ok);
  EXPECT_NEAR(reading.p_first, 0.5 / 0.7, 1e-12);
  EXPECT_NEAR(reading.label_mass, 0.7, 1e-12);
}

TEST(Parser, OutsideTheListIsNoProbabilityAndTooLittleMassNoVerdict) {
  EXPECT_EQ(read_token_verdict({"A", {{"A", -0.01}, {"B", -9999.0}}}, letters, 0.1).p_first, 1.0);
  EXPECT_EQ(read_token_verdict({"I", {{"I", -0.02}, {"A", -4.0}}}, letters, 0.1).status, VerdictStatus::unparseable);
  EXPECT_EQ(read_token_verdict({"I", {{"I", -0.02}}}, letters, 0.0).status, VerdictStatus::unparseable);
  EXPECT_EQ(read_token_verdict({"A", {{"A", std::nan("")}}}, letters, 0.1).status, VerdictStatus::not_a_number);
}

TEST(Parser, TheVerdictPositionIsThatOfTheLabelSaid) {
  const std::vector<TokenPosition> tokens{
      {"A", {{"A", 0.0}}},         {" fine", {{" fine", 0.0}}}, {" reply.", {{" reply.", 0.0}}},
      {"\nVer", {{"\nVer", 0.0}}}, {"dict:", {{"dict:", 0.0}}}, {" B", {{" B", std::log(0.8)}, {" A", std::log(0.2)}}}};
  EXPECT_NEAR(read_tokens(tokens, letters, false, 0.1).p_first, 0.2, 1e-12);
  const std::vector<TokenPosition> letter{{"\n", {{"\n", 0.0}}}, {"B", {{"B", std::log(0.6)}, {"A", std::log(0.4)}}}};
  EXPECT_NEAR(read_tokens(letter, letters, true, 0.1).p_first, 0.4, 1e-12);
}

TEST(Tokens, ThoseOfThoughtsAreNoAnswer) {
  const auto token = [](const char* text, double a) {
    return TokenPosition{text, {{"A", std::log(a)}, {"B", std::log(1 - a)}}};
  };
  const std::vector<TokenPosition> marked{token("<think>", 0.5), token("A", 0.9), token("</think>", 0.5),
                                          token("\n\n", 0.5), token("B", 0.1)};
  EXPECT_EQ(tokens_of_answer(marked, "\n\nB").size(), 2u);
  EXPECT_NEAR(read_tokens(tokens_of_answer(marked, "B"), letters, true, 0.1).p_first, 0.1, 1e-12);
  // The server took the thought out of the text and left it in the list.
  const std::vector<TokenPosition> beside{token("A", 0.9), token(" hm ", 0.5), token("B", 0.2)};
  EXPECT_NEAR(read_tokens(tokens_of_answer(beside, "B"), letters, true, 0.1).p_first, 0.2, 1e-12);
  EXPECT_EQ(tokens_of_answer(beside, "something else").size(), 3u);
}

TEST(Tokens, ALetterThatWasNotDrawnIsReadFromItsPlaceWhereNothingElseCame) {
  const TokenPosition mark{"[", {{"[", std::log(0.7)}, {"A", std::log(0.09)}, {"B", std::log(0.03)}}};
  const TokenReading alone = read_tokens(std::vector{mark}, letters, true, 0.1);
  EXPECT_EQ(alone.status, VerdictStatus::ok);
  EXPECT_NEAR(alone.p_first, 0.75, 1e-12);
  EXPECT_EQ(read_tokens(std::vector{mark}, letters, true, 0.2).status, VerdictStatus::unparseable);
  // What is said in the end counts more.
  const TokenPosition said{"B", {{"B", std::log(0.6)}, {"A", std::log(0.4)}}};
  EXPECT_NEAR(read_tokens(std::vector{mark, said}, letters, true, 0.1).p_first, 0.4, 1e-12);
  const TokenPosition other{"Hm", {{"Hm", 0.0}}};
  EXPECT_EQ(read_tokens(std::vector{mark, other}, letters, true, 0.1).status, VerdictStatus::unparseable);
}

// The recorded texts of LLMBar's judges, read again. Where the readings part, it is for one of these causes.
TEST(Parser, AgreesWithTheRecordedReadingsOfRealJudges) {
  const char* shared = std::getenv("RLAIF_SHARED_DATA");
  const std::filesystem::path file = std::filesystem::path(shared != nullptr ? shared : RLAIF_SOURCE_DIR "/../shared") /
                                     "data/verdicts/llmbar.jsonl.gz";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no recorded verdicts at " << file;
  FILE* pipe = popen(("gzip -dc '" + file.string() + "'").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::map<std::string, int> outcomes;
  std::map<std::string, std::string> examples;
  const bool lists = std::getenv("RLAIF_PARSER_EXAMPLES") != nullptr;
  int total = 0, agreeing = 0, opposite = 0;
  char* buffer = nullptr;
  std::size_t capacity = 0;
  while (getline(&buffer, &capacity, pipe) > 0) {
    const Json record = Json::parse(buffer);
    if (!record.at("raw").is_string()) continue;
    const std::string raw = record.at("raw"), mine = read(raw);
    std::string recorded = "none";
    if (record.at("verdict").is_string())
      recorded = (record.at("verdict") == "a") == (record.at("order") == "ab") ? "first" : "second";
    ++total;
    if (mine == recorded || (recorded == "none" && mine.starts_with("none"))) {
      ++agreeing;
      continue;
    }
    opposite += recorded != "none" && !mine.starts_with("none") && mine != "tie";
    ++outcomes["recorded " + recorded + ", read " + mine];
    if (lists) std::printf("%s | %s | %s\n", recorded.c_str(), mine.c_str(), Json(raw).dump().c_str());
  }
  free(buffer);
  pclose(pipe);
  std::printf("%d of %d recorded texts read alike (%.3f %%), %d the other way round\n", agreeing, total,
              100.0 * agreeing / total, opposite);
  for (const auto& [outcome, times] : outcomes) std::printf("  %5d  %s\n", times, outcome.c_str());
  EXPECT_EQ(total, 53436);
  EXPECT_GT(static_cast<double>(agreeing) / total, 0.97);
}

}  // namespace
}  // namespace rlaif::judge
