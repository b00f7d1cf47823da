#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/evaluate/calibration.hpp"
#include "rlaif/evaluate/judge_quality.hpp"
#include "rlaif/evaluate/labelers.hpp"
#include "rlaif/evaluate/length.hpp"

namespace rlaif::evaluate {
namespace {

constexpr double no_figure = std::numeric_limits<double>::quiet_NaN();

TEST(CohensKappa, OfATwoByTwoTable) {
  // 20 both yes, 5 yes-no, 10 no-yes, 15 both no: observed .7, chance .5 * .6 + .5 * .4 = .5.
  std::vector<int> a, b;
  const auto add = [&](int count, int label_a, int label_b) {
    a.insert(a.end(), count, label_a);
    b.insert(b.end(), count, label_b);
  };
  add(20, 1, 1), add(5, 1, 0), add(10, 0, 1), add(15, 0, 0);
  EXPECT_NEAR(cohens_kappa(a, b), 0.4, 1e-12);
  EXPECT_EQ(cohens_kappa(a, a), 1.0);
  EXPECT_TRUE(std::isnan(cohens_kappa(std::vector<int>{1, 1}, std::vector<int>{1, 1})));
  EXPECT_TRUE(std::isnan(cohens_kappa({}, {})));
}

TEST(CohensKappa, TakesVerdictsByTheirSides) {
  EXPECT_EQ(named_sides(std::vector<double>{0.9, 0.5, 0.1}), (std::vector<int>{1, 0, -1}));
}

TEST(FleissKappa, OfAHandWorkedTable) {
  // Three labelers, four items. Agreeing pairs: 1, 1/3, 1, 1/3, mean 2/3; uses 7 and 5 of 12: chance 74/144.
  const std::vector<std::vector<int>> counts{{3, 0}, {2, 1}, {0, 3}, {2, 1}};
  EXPECT_NEAR(fleiss_kappa(counts), (2.0 / 3.0 - 74.0 / 144.0) / (70.0 / 144.0), 1e-12);
  EXPECT_TRUE(std::isnan(fleiss_kappa(std::vector<std::vector<int>>{{2, 0}, {2, 0}})));
}

TEST(ErrorCorrelation, IsThePhiCoefficientOfBeingWrong) {
  const std::vector<double> reference{1, 1, 0, 0};
  const std::vector<double> a{0.2, 0.8, 0.9, 0.1};  // wrong, right, wrong, right
  const std::vector<double> b{0.4, 0.9, 0.3, 0.2};  // wrong, right, right, right
  EXPECT_NEAR(error_correlation(a, b, reference), 2.0 / std::sqrt(12.0), 1e-12);
  EXPECT_NEAR(error_correlation(a, a, reference), 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(error_correlation(a, reference, reference)));
}

TEST(Calibration, OfHandWorkedVerdicts) {
  // Confidences .92, .94, .83, .74, .5; right 1, 0, 0, 1, .5. Bins of .1: the first two share the last one.
  const std::vector<double> p{0.92, 0.06, 0.83, 0.26, 0.5, no_figure}, reference{1, 1, 0, 0, 1, 1};
  const Calibration result = calibration(p, reference, 5);
  ASSERT_EQ(result.bins.size(), 5u);
  EXPECT_EQ(result.bins[4].count, 2u);
  EXPECT_DOUBLE_EQ(result.bins[4].low, 0.9);
  EXPECT_DOUBLE_EQ(result.bins[4].mean_confidence, 0.93);
  EXPECT_DOUBLE_EQ(result.bins[4].share_right, 0.5);
  EXPECT_EQ(result.bins[1].count, 0u);
  EXPECT_TRUE(std::isnan(result.bins[1].share_right));
  EXPECT_NEAR(result.expected_error, (2 * 0.43 + 0.83 + 0.26 + 0.0) / 5, 1e-12);
  EXPECT_NEAR(result.brier, (0.0064 + 0.8836 + 0.6889 + 0.0676 + 0.25) / 5, 1e-12);
}

TEST(Calibration, DoesNotDependOnWhichCompletionIsCalledFirst) {
  const std::vector<double> p{0.92, 0.06, 0.83, 0.26, 1.0}, reference{1, 0.75, 0, 0, 0};
  std::vector<double> turned_p, turned_reference;
  for (const double value : p) turned_p.push_back(1 - value);
  for (const double value : reference) turned_reference.push_back(1 - value);
  EXPECT_NEAR(calibration(p, reference).expected_error, calibration(turned_p, turned_reference).expected_error, 1e-12);
}

TEST(Length, PreferenceLeavesOutEqualLengths) {
  const std::vector<double> p{0.9, 0.2, 0.5, 0.9}, differences{3, -2, 1, 0};
  EXPECT_DOUBLE_EQ(longer_preferred(p, differences), 2.5 / 3);
  EXPECT_TRUE(std::isnan(longer_preferred(std::vector<double>{0.9}, std::vector<double>{0})));
}

TEST(Length, ControlTakesTheAdvantageOfLengthAway) {
  // Longer in 8 pairs, 6 of them won; shorter in 4, one of them won: raw 7/12. logit .75 = -logit .25, so that equal
  // lengths win half, but for the ridge.
  std::vector<double> wins{1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0};
  std::vector<double> differences{5, 5, 5, 5, 5, 5, 5, 5, -5, -5, -5, -5};
  EXPECT_NEAR(length_controlled_win_rate(wins, differences), 0.5, 0.002);
  // Without differences the win rate stays as it is; where all is won, or length alone decides, it stays finite.
  EXPECT_NEAR(length_controlled_win_rate(wins, std::vector<double>(12, 0.0)), 7.0 / 12, 1e-9);
  EXPECT_EQ(length_controlled_win_rate(std::vector<double>{1, 1}, std::vector<double>{2, -1}), 1.0);
  EXPECT_NEAR(length_controlled_win_rate(std::vector<double>{1, 0}, std::vector<double>{1, -1}), 0.5, 1e-9);
}

Verdict shown_verdict(VerdictStatus status, double p_shown_first, double p_shown_second) {
  Verdict result;
  result.status = status;
  result.p_first_by_order = {p_shown_first, p_shown_second};
  result.p_first = std::isnan(p_shown_second) ? p_shown_first : (p_shown_first + p_shown_second) / 2;
  return result;
}

TEST(JudgeQuality, OfHandWorkedVerdicts) {
  const std::vector<Verdict> verdicts{
      shown_verdict(VerdictStatus::ok, 0.9, 0.7),        // first wins in both orders
      shown_verdict(VerdictStatus::ok, 0.8, 0.1),        // whichever is shown first wins; .45: second
      shown_verdict(VerdictStatus::ok, 0.3, 0.2),        // second wins in both orders
      shown_verdict(VerdictStatus::ok, 0.6, no_figure),  // one order only
      shown_verdict(VerdictStatus::ok, 0.2, 0.9),        // whichever is shown second wins; .55: first
      shown_verdict(VerdictStatus::truncated, 0.9, 0.9), shown_verdict(VerdictStatus::ok, 0.4, 0.4),  // no reference
  };
  const std::vector<double> reference{1, 0, 1, 1, 0.5, 1, no_figure};
  const std::vector<std::uint64_t> prompts{4, 4, 9, 9, 9, 9, 2};
  const JudgeQuality quality = judge_quality(prompts, verdicts, reference, 1);
  EXPECT_EQ(quality.by_status[static_cast<std::size_t>(VerdictStatus::ok)], 6u);
  EXPECT_EQ(quality.by_status[static_cast<std::size_t>(VerdictStatus::truncated)], 1u);
  EXPECT_EQ(quality.decided, 4u);
  EXPECT_DOUBLE_EQ(quality.accuracy.value, 3.0 / 4);              // right, right, wrong, right
  EXPECT_DOUBLE_EQ(quality.accuracy_by_order[0].value, 2.0 / 4);  // right, wrong, wrong, right
  EXPECT_DOUBLE_EQ(quality.accuracy_by_order[1].value, 2.0 / 3);  // right, right, wrong
  // Sides 1 -1 -1 1 against 1 -1 1 1: observed .75, chance .5 * .75 + .5 * .25 = .5.
  EXPECT_DOUBLE_EQ(quality.kappa, 0.5);
  EXPECT_DOUBLE_EQ(quality.same_position.value, 2.0 / 5);
  // Shown first wins: 1 0, 1 1, 0 1, 1, 0 0, 0 1 of 11 orders.
  EXPECT_DOUBLE_EQ(quality.shown_first_wins.value, 6.0 / 11);
  EXPECT_EQ(quality.calibration.bins.size(), 10u);
  EXPECT_LE(quality.accuracy.low, 0.75);
  EXPECT_GE(quality.accuracy.high, 0.75);
}

TEST(JudgeQuality, DoesNotDependOnTheOrderOfPairs) {
  std::vector<Verdict> verdicts;
  std::vector<double> reference;
  std::vector<std::uint64_t> prompts;
  for (std::uint64_t i = 0; i < 40; ++i) {
    verdicts.push_back(shown_verdict(VerdictStatus::ok, (i % 10) / 10.0 + 0.01, (i % 7) / 7.0 + 0.01));
    reference.push_back(i % 3 == 0);
    prompts.push_back(i % 13);
  }
  const JudgeQuality forward = judge_quality(prompts, verdicts, reference, 1);
  const JudgeQuality backward =
      judge_quality(std::vector(prompts.rbegin(), prompts.rend()), std::vector(verdicts.rbegin(), verdicts.rend()),
                    std::vector(reference.rbegin(), reference.rend()), 1);
  EXPECT_EQ(forward.accuracy.low, backward.accuracy.low);
  EXPECT_EQ(forward.same_position.high, backward.same_position.high);
}

TEST(SaturatingLengthControl, IsTheWinRateWhereLengthSaysNothing) {
  const std::vector<double> wins{1, 1, 1, 0}, differences{0, 0, 0, 0};
  EXPECT_NEAR(saturating_length_controlled_win_rate(wins, differences), 0.75, 1e-9);
  // Longer ones win as often as shorter ones: the slope is zero by symmetry.
  const std::vector<double> even{1, 0.5, 1, 0.5}, both{8, 8, -8, -8};
  EXPECT_NEAR(saturating_length_controlled_win_rate(even, both), 0.75, 1e-9);
}

TEST(SaturatingLengthControl, TakesOffWhatLengthWins) {
  // Longer always wins, shorter never, equal ones are even: nobody is better at equal length.
  const std::vector<double> wins{1, 1, 1, 0, 0.5}, differences{10, 12, 9, -11, 0};
  const double controlled = saturating_length_controlled_win_rate(wins, differences);
  EXPECT_LT(controlled, 0.6);
  EXPECT_GT(controlled, 0.4);
}

// The maximum that scipy finds of the same penalised likelihood: intercept 0.2185835, slope 4.5748843.
TEST(SaturatingLengthControl, AgreesWithAnIndependentMaximum) {
  const std::vector<double> wins{1, 1, 0.8, 0.3, 0, 1, 0.4, 0.9}, differences{30, 12, 5, -7, -20, 41, 0, 8};
  EXPECT_NEAR(saturating_length_controlled_win_rate(wins, differences), 0.5544293432, 1e-7);
}

TEST(SaturatingLengthControl, OfWinsAloneIsOneAndOfNothingNotANumber) {
  EXPECT_EQ(saturating_length_controlled_win_rate(std::vector<double>{1, 1}, std::vector<double>{3, -2}), 1.0);
  EXPECT_TRUE(std::isnan(saturating_length_controlled_win_rate({}, {})));
}

TEST(SideAgreement, CountsPairsThatBothDecided) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::uint64_t> prompts{1, 1, 2, 3, 3, 4};
  const std::vector<double> a{0.9, 0.6, 0.1, 0.5, 1.0, nan}, b{1.0, 0.0, 0.4, 1.0, nan, 1.0};
  const SideAgreement found = side_agreement(prompts, a, b, 1, 200);
  EXPECT_EQ(found.decided, 3u);  // the first three
  EXPECT_DOUBLE_EQ(found.share.value, 2.0 / 3);
  EXPECT_DOUBLE_EQ(found.share.low, 0.5);  // prompt 1 alone
  EXPECT_DOUBLE_EQ(found.share.high, 1.0);
  EXPECT_TRUE(std::isnan(side_agreement({}, {}, {}, 1, 10).share.value));
}

}  // namespace
}  // namespace rlaif::evaluate
