#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/labelled_pairs.hpp"
#include "rlaif/evaluate/recorded_runs.hpp"
#include "support/expect_error.hpp"

namespace rlaif::evaluate {
namespace {

class File {
 public:
  explicit File(const std::string& text)
      : path(std::filesystem::temp_directory_path() /
             ("rlaif-pairs-" + std::to_string(::getpid()) + "-" + std::to_string(made++))) {
    std::ofstream(path) << text;
  }
  ~File() { std::filesystem::remove(path); }
  std::filesystem::path path;

 private:
  static inline int made = 0;
};

std::string pair_line(const std::string& id, const std::string& prompt, const std::string& label,
                      const std::string& rest = "") {
  return R"({"id":")" + id + R"(","prompt":")" + prompt + R"(","response_a":"x","response_b":"y","label":)" + label +
         rest + "}\n";
}

TEST(LabelledPairs, AreReadWithTheirPeople) {
  const File file(pair_line("p", "one", "\"a\"", R"(,"subset":"s","annotators":["a","tie"],"model_a":"m")") +
                  pair_line("q", "two", "\"b\"") + pair_line("r", "one", "\"tie\""));
  const auto pairs = read_labelled_pairs(file.path);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].subset, "s");
  EXPECT_EQ(pairs[0].model_a, "m");
  EXPECT_EQ(pairs[0].annotators, (std::vector<double>{1.0, 0.5}));
  EXPECT_EQ(pairs[1].label, 0.0);
  EXPECT_EQ(pairs[2].label, 0.5);
  EXPECT_EQ(pairs[2].comparison.id, 2u);
  EXPECT_EQ(pairs[2].comparison.prompt.id, 0u);  // the same prompt as the first
  EXPECT_EQ(pairs[1].comparison.prompt.id, 1u);
}

TEST(LabelledPairs, OfAConversationAreItsTurns) {
  const File file(pair_line(
      "p", "Human: a", "\"a\"",
      R"(,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}])"));
  const auto pairs = read_labelled_pairs(file.path);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].comparison.prompt.turns.size(), 3u);
  EXPECT_EQ(pairs[0].comparison.prompt.text, "User: a\n\nAssistant: b\n\nUser: c");
}

TEST(LabelledPairs, ThatAreWrongAreRefusedByLine) {
  const auto read = [](const std::string& text) {
    const File file(text);
    return input_refusal([&] { read_labelled_pairs(file.path); });
  };
  EXPECT_NE(read(pair_line("p", "o", "\"a\"") + pair_line("q", "o", "\"A\""))
                .find(":2: key 'label' is \"A\"; expected \"a\", \"b\" or \"tie\""),
            std::string::npos);
  EXPECT_NE(read(pair_line("p", "o", "1")).find(":1: key 'label'"), std::string::npos);
  EXPECT_NE(read(R"({"prompt":"o","response_a":"x","response_b":"y"})").find("key 'label' is missing"),
            std::string::npos);
  EXPECT_NE(read(pair_line("p", "o", "\"a\"", R"(,"annotators":["c"])")).find("key 'annotators[0]' is \"c\""),
            std::string::npos);
  EXPECT_NE(read(pair_line("p", "o", "\"a\"") + pair_line("p", "o", "\"b\"")).find("id 'p' is that of line 1 already"),
            std::string::npos);
  EXPECT_NE(read("\n").find("holds no pair"), std::string::npos);
}

TEST(Probes, AreReadWithTheGoodResponseFirst) {
  const File file("{\"id\":\"p\",\"kind\":\"flattery\",\"prompt\":\"o\",\"good\":\"g\",\"bad\":\"b\"}\n");
  const auto probes = read_probes(file.path);
  ASSERT_EQ(probes.size(), 1u);
  EXPECT_EQ(probes[0].subset, "flattery");
  EXPECT_EQ(probes[0].comparison.first.text, "g");
  EXPECT_EQ(probes[0].label, 1.0);
  const File lacking("{\"id\":\"p\",\"prompt\":\"o\",\"good\":\"g\",\"bad\":\"b\"}\n");
  EXPECT_NE(input_refusal([&] { read_probes(lacking.path); }).find(":1: key 'kind' is missing"), std::string::npos);
}

TEST(MacroScore, OfAHandWorkedTable) {
  const std::vector<int> labels{1, 1, 1, -1, -1, 0}, said{1, 1, -1, -1, no_side, 1};
  const MacroScores scores = macro_scores(said, labels);
  // a: precision 2/3, recall 2/3; b: 1/2, 1/2; tie: 0, 0.
  EXPECT_DOUBLE_EQ(scores.accuracy, 0.5);
  EXPECT_DOUBLE_EQ(scores.precision, (2.0 / 3 + 0.5) / 3);
  EXPECT_DOUBLE_EQ(scores.recall, (2.0 / 3 + 0.5) / 3);
  EXPECT_DOUBLE_EQ(scores.f1, (2.0 / 3 + 0.5) / 3);
}

TEST(RunFigure, OfHandWorkedVerdicts) {
  const std::vector<int> labels{1, 1, -1, -1}, ab{1, -1, -1, no_side}, ba{1, 1, -1, no_side};
  const RunFigures figures = run_figures(ab, ba, labels);
  EXPECT_EQ(figures.correct_ab, 2u);
  EXPECT_EQ(figures.correct_ba, 3u);
  EXPECT_EQ(figures.correct_both, 2u);
  EXPECT_EQ(figures.agree, 3u);  // none in both orders is the same
  EXPECT_EQ(figures.null_ab + figures.null_ba, 2u);
  EXPECT_DOUBLE_EQ(figures.accuracy, 5.0 / 8);
  EXPECT_DOUBLE_EQ(figures.agreement, 0.75);
  EXPECT_DOUBLE_EQ(figures.first_shown_rate, 2.0 / 8);  // a in ab once, b in ba once
  // ab: observed 1/2, chance (1*2 + 2*2)/16; ba: observed 3/4, chance (2*2 + 1*2)/16.
  EXPECT_DOUBLE_EQ(figures.kappa_ab, (0.5 - 0.375) / 0.625);
  EXPECT_DOUBLE_EQ(figures.kappa_ba, (0.75 - 0.375) / 0.625);
  EXPECT_DOUBLE_EQ(figures.kappa_orders, (0.75 - (2.0 + 2.0 + 1.0) / 16) / (1 - 5.0 / 16));
  const RunFigures one_order = run_figures(ab, {}, labels);
  EXPECT_DOUBLE_EQ(one_order.accuracy, 0.5);
  EXPECT_TRUE(std::isnan(one_order.agreement));
}

TEST(RecordedRuns, AreFoundBySubsetJudgeAndStyle) {
  const File labels(pair_line("p", "o", "\"a\"", R"(,"subset":"s")") +
                    pair_line("q", "o", "\"b\"", R"(,"subset":"t")") +
                    pair_line("r", "o", "\"b\"", R"(,"subset":"t")"));
  const auto verdict = [](const std::string& id, const std::string& judge, const std::string& order,
                          const std::string& said) {
    return R"({"pair_id":")" + id + R"(","judge":")" + judge + R"(","style":"z","order":")" + order +
           R"(","verdict":)" + said + "}\n";
  };
  const std::string text = verdict("q", "two", "ab", "\"b\"") + verdict("p", "one", "ab", "\"a\"") +
                           verdict("q", "two", "ba", "null") + verdict("elsewhere", "one", "ab", "\"a\"");
  const File file(text);
  const auto pairs = read_labelled_pairs(labels.path);
  const auto runs = recorded_runs(file.path, pairs);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].subset + runs[0].judge, "ttwo");
  EXPECT_EQ(runs[0].figures.n, 2u);
  EXPECT_TRUE(runs[0].both_orders);
  EXPECT_EQ(runs[0].figures.correct_ab, 1u);
  EXPECT_EQ(runs[0].figures.null_ab, 1u);  // r has no record
  EXPECT_EQ(runs[0].figures.null_ba, 2u);
  EXPECT_FALSE(runs[1].both_orders);
  EXPECT_EQ(to_json(runs[1])["correct_ba"], Json());
  EXPECT_EQ(to_json(runs[1])["correct_ab"], 1);
  EXPECT_NE(runs_table(runs).find("two"), std::string::npos);
  const File twice(text + verdict("q", "two", "ab", "\"b\""));
  EXPECT_NE(input_refusal([&] {
              recorded_runs(twice.path, pairs);
            }).find(":5: a second verdict for pair 'q' in order ab; the first is in line 1"),
            std::string::npos);
  const File other(verdict("elsewhere", "one", "ab", "\"a\""));
  EXPECT_NE(input_refusal([&] { recorded_runs(other.path, pairs); }).find("holds no verdict on one of the pairs"),
            std::string::npos);
}

TEST(AnnotatorAgreement, IsOfThoseWhoLabelledTheSamePairs) {
  std::vector<LabelledPair> pairs(5);
  // Two people: a a, a b, b b, a a; the last pair has one label alone.
  pairs[0].annotators = {1, 1}, pairs[1].annotators = {1, 0}, pairs[2].annotators = {0, 0},
  pairs[3].annotators = {1, 1};
  pairs[4].annotators = {1};
  const Json json = annotator_agreement(pairs);
  EXPECT_EQ(json["people"], 2);
  EXPECT_EQ(json["pairs"], 4);
  // Observed 3/4; Cohen's chance (3*2 + 1*2)/16, Fleiss' (5/8)^2 + (3/8)^2.
  EXPECT_NEAR(json["cohens_kappa"]["1-2"].get<double>(), 0.5, 1e-12);
  EXPECT_NEAR(json["fleiss_kappa"].get<double>(), (0.75 - 34.0 / 64) / (30.0 / 64), 1e-12);
  EXPECT_TRUE(annotator_agreement(std::span(pairs).last(1)).is_null());
}

}  // namespace
}  // namespace rlaif::evaluate
