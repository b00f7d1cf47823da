#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/evaluate/judge_report.hpp"

namespace rlaif::evaluate {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

LabelledPair pair(std::uint64_t place, const std::string& a, const std::string& b, double label,
                  const std::string& subset = "") {
  LabelledPair result;
  result.comparison.id = result.comparison.prompt.id = place;
  result.comparison.first.text = a;
  result.comparison.second.text = b;
  result.subset = subset;
  result.label = label;
  return result;
}

Verdict verdict(double p_ab, double p_ba, VerdictStatus status = VerdictStatus::ok) {
  Verdict result;
  result.status = status;
  result.p_first_by_order = {p_ab, p_ba};
  result.p_first = std::isnan(p_ba) ? p_ab : (p_ab + p_ba) / 2;
  result.usage.cost_usd = 0.25;
  return result;
}

const std::vector<LabelledPair>& labelled() {
  static const std::vector<LabelledPair> pairs{pair(0, "one two three", "one", 1.0, "x"),
                                               pair(1, "one", "one two", 1.0, "x"), pair(2, "one two", "one", 0.0, "y"),
                                               pair(3, "one", "two", 0.5, "y"), pair(4, "one two", "one", 0.0, "y")};
  return pairs;
}
const std::vector<Verdict>& said() {
  static const std::vector<Verdict> verdicts{verdict(0.9, 0.8), verdict(0.8, 0.1), verdict(0.7, 0.9), verdict(0.5, 0.5),
                                             verdict(0.1, 0.1, VerdictStatus::refused)};
  return verdicts;
}

TEST(JudgeReport, APairThatNobodyKnowsCountsForPositionAndLengthAlone) {
  std::vector<LabelledPair> pairs = labelled();
  pairs[1].label = pairs[4].label = nothing;
  const Json report = judge_report(pairs, said(), 1.0, {1, 100});
  EXPECT_EQ(report["answered"], 4);
  EXPECT_DOUBLE_EQ(report["agreement"]["value"], 0.5);  // right and wrong
  // a b tie against a and tie, without the second: sides a a tie against a b tie: observed 2/3, chance (2*1 + 0 + 1*1)/9.
  EXPECT_DOUBLE_EQ(report["kappa"]["value"], (2.0 / 3 - 3.0 / 9) / (1 - 3.0 / 9));
  EXPECT_DOUBLE_EQ(report["same_position"]["value"], 0.25);
  EXPECT_DOUBLE_EQ(report["longer_preferred"]["value"], 1.0);
  EXPECT_DOUBLE_EQ(report["accuracy_of_three"], 2.0 / 3);
}

TEST(CascadeReport, KeepsTheEndsAndTheChosenPointOfALongCurve) {
  CascadeCurve curve;
  for (int k = 0; k < 100; ++k) curve.points.push_back({0.5 + 0.005 * k, 0.01 * k, 0.7 + 0.001 * k, 0.5 * k});
  curve.chosen = 37;
  const Json step = cascade_report("cheap", curve, {0.0, 1.0, 0.8, 60.0}, 400, 10);
  EXPECT_EQ(step["curve"].size(), 12u);  // every tenth, the chosen and the last
  EXPECT_DOUBLE_EQ(step["curve"][4]["share_asked"], 0.37);
  EXPECT_DOUBLE_EQ(step["curve"][11]["share_asked"], 0.99);
  EXPECT_DOUBLE_EQ(step["of_last_agreement"], 0.737 / 0.8);
  EXPECT_DOUBLE_EQ(step["last"]["usd_per_1000"], 60000.0);
  EXPECT_EQ(cascade_report("cheap", curve, {0.0, 1.0, 0.8, 60.0}, 400)["curve"].size(), 100u);
}

TEST(JudgeReport, OfHandWorkedVerdicts) {
  const Json report = judge_report(labelled(), said(), 2.0, {1, 100});
  EXPECT_EQ(report["pairs"], 5);
  EXPECT_EQ(report["answered"], 4);
  EXPECT_EQ(report["statuses"].dump(), R"({"ok":4,"refused":1})");
  // .85 right; .45 wrong; .8 wrong; the fourth is even.
  EXPECT_DOUBLE_EQ(report["agreement"]["value"], 1.0 / 3);
  EXPECT_DOUBLE_EQ(report["agreement_first_order"]["value"], 2.0 / 3);
  EXPECT_DOUBLE_EQ(report["agreement_second_order"]["value"], 1.0 / 3);
  // Sides a b a tie against a a b tie: observed 2/4, chance (2*2 + 1*1 + 1*1)/16.
  EXPECT_DOUBLE_EQ(report["kappa"]["value"], (0.5 - 0.375) / 0.625);
  EXPECT_DOUBLE_EQ(report["consistency"]["value"], 0.75);
  EXPECT_DOUBLE_EQ(report["same_position"]["value"], 0.25);
  // Longer in three: named in all of them; equal lengths are left out.
  EXPECT_DOUBLE_EQ(report["longer_preferred"]["value"], 1.0);
  EXPECT_DOUBLE_EQ(report["accuracy_of_three"], 2.0 / 5);
  // a: 1/2, 1/2; b: 0/1, 0/2; tie: 1, 1.
  EXPECT_DOUBLE_EQ(report["macro_precision"], 0.5);
  EXPECT_DOUBLE_EQ(report["macro_f1"], 0.5);
  // Confidences .85 right, .55 wrong, .8 wrong; each in a bin of its own.
  EXPECT_NEAR(report["calibration_error"]["value"], (0.15 + 0.55 + 0.8) / 3, 1e-12);
  EXPECT_EQ(report["reliability"].size(), 10u);
  const auto tempered = [](double p) { return 1.0 / (1.0 + std::sqrt((1.0 - p) / p)); };
  EXPECT_NEAR(report["brier_after"],
              (std::pow(1 - tempered(0.85), 2) + std::pow(1 - tempered(0.45), 2) + std::pow(tempered(0.8), 2)) / 3,
              1e-12);
  EXPECT_DOUBLE_EQ(report["cost_usd"], 1.25);
  EXPECT_DOUBLE_EQ(report["usd_per_1000"], 250.0);
}

TEST(JudgeReport, OfOneOrderHasNothingToSayOfTwo) {
  const std::vector<Verdict> verdicts(5, verdict(0.9, nothing));
  const Json report = judge_report(labelled(), verdicts, 1.0, {1, 50});
  EXPECT_TRUE(report["consistency"]["value"].is_null());
  EXPECT_TRUE(report["agreement_second_order"]["value"].is_null());
  EXPECT_DOUBLE_EQ(report["first_shown"]["value"], 1.0);
}

TEST(AcrossJudges, CountThePairsThatAllAnswered) {
  const std::vector<Verdict> other{verdict(0.9, 0.9), verdict(0.9, 0.9), verdict(0.9, 0.9), verdict(0.5, 0.5),
                                   verdict(0.1, 0.1)};
  const Json across = across_judges(labelled(), {"j", "k"}, {{"j", said()}, {"k", other}}, {1, 50});
  EXPECT_EQ(across["answered_by_all"], 4);
  // Sides a b a tie and a a a tie: agreeing pairs 3/4; uses a 5, b 1, tie 2 of 8.
  EXPECT_NEAR(across["fleiss_kappa"]["value"], (0.75 - 30.0 / 64) / (34.0 / 64), 1e-12);
  // Wrong on the decided ones: 0 1 1 and 0 0 1.
  EXPECT_NEAR(across["error_correlation"][0][1], 0.5, 1e-12);
  EXPECT_EQ(across["error_correlation"][0][1], across["error_correlation"][1][0]);
  EXPECT_DOUBLE_EQ(across["same_side"][0][1], (1 + 0 + 1 + 0.5) / 4);
  EXPECT_TRUE(across_judges(labelled(), {"j"}, {{"j", said()}}, {1, 50}).is_null());
}

TEST(ProbeReport, SaysByKindHowOftenTheBadOneIsNamed) {
  const Json report = probe_report(labelled(), said(), {1, 50});
  // p .85, .45 of kind x; .8, .5 and a refusal of kind y.
  EXPECT_DOUBLE_EQ(report["x"]["fooled"]["value"], 0.5);
  EXPECT_DOUBLE_EQ(report["x"]["fooled_good_first"]["value"], 0.0);
  EXPECT_DOUBLE_EQ(report["x"]["fooled_bad_first"]["value"], 0.5);
  EXPECT_EQ(report["y"]["probes"], 3);
  EXPECT_EQ(report["y"]["answered"], 2);
  EXPECT_DOUBLE_EQ(report["y"]["fooled"]["value"], 0.25);
  EXPECT_DOUBLE_EQ(report["all"]["fooled"]["value"], 0.375);
}

TEST(ReportTable, HasALineForEachFigureAndDashesForNone) {
  Json report;
  report["judges"]["j"] = judge_report(labelled(), std::vector<Verdict>(5, verdict(0.9, nothing)), 1.0, {1, 50});
  report["probes"]["j"] = probe_report(labelled(), said(), {1, 50});
  const std::string table = report_table(report);
  EXPECT_NE(table.find(" 5 of 5\n"), std::string::npos) << table;
  EXPECT_NE(table.find("fooled by"), std::string::npos);
  EXPECT_NE(table.find("  x (2)"), std::string::npos);
  EXPECT_EQ(table.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace rlaif::evaluate
