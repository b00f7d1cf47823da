#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlaif/core/rng.hpp"
#include "rlaif/evaluate/fitting.hpp"

namespace rlaif::evaluate {
namespace {

constexpr double unanswered = std::numeric_limits<double>::quiet_NaN();

double log_odds(double p) { return std::log(p / (1.0 - p)); }
double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// `right` of `count` verdicts of one confidence name the better side; sides by turns.
void add_verdicts(std::vector<double>& p, std::vector<double>& reference, double confidence, int right, int count) {
  for (int i = 0; i < count; ++i) {
    const bool first = i % 2 == 0;
    p.push_back(first ? confidence : 1.0 - confidence);
    reference.push_back(first == (i < right) ? 1.0 : 0.0);
  }
}

TEST(Temperature, MakesOneConfidenceTheShareThatIsRight) {
  // The likelihood of 7 of 10 is highest at .7: log-odds(.9) / T = log-odds(.7).
  std::vector<double> p, reference;
  add_verdicts(p, reference, 0.9, 7, 10);
  EXPECT_NEAR(fitted_temperature(p, reference), log_odds(0.9) / log_odds(0.7), 1e-6);
  // Too careful a judge: T below 1.
  p.clear(), reference.clear();
  add_verdicts(p, reference, 0.6, 9, 10);
  EXPECT_NEAR(fitted_temperature(p, reference), log_odds(0.6) / log_odds(0.9), 1e-6);
}

TEST(Temperature, OfCertainVerdictsTakesTheBoundOfTheirLogOdds) {
  std::vector<double> p, reference;
  add_verdicts(p, reference, 1.0, 15, 20);
  EXPECT_NEAR(fitted_temperature(p, reference), log_odds(1.0 - 1e-6) / log_odds(0.75), 1e-5);
}

TEST(Temperature, CountsEvenLabelsAsHalfAndLeavesOutWhatIsNotThere) {
  // 6 right, 2 wrong, 2 even: 7 of 10.
  std::vector<double> p{0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, unanswered, 0.2, 0.5};
  std::vector<double> reference{1, 1, 1, 1, 1, 1, 0, 0, 0.5, 0.5, 1, unanswered, 1};
  EXPECT_NEAR(fitted_temperature(p, reference), log_odds(0.9) / log_odds(0.7), 1e-6);
}

TEST(Temperature, HasBounds) {
  std::vector<double> p, reference;
  add_verdicts(p, reference, 0.8, 4, 10);  // worse than chance: the higher the better
  EXPECT_NEAR(fitted_temperature(p, reference), 1e4, 1.0);
  EXPECT_NEAR(fitted_temperature(std::vector<double>{0.9}, std::vector<double>{1}), 1e-4, 1e-8);
  EXPECT_EQ(fitted_temperature({}, {}), 1.0);
  EXPECT_EQ(fitted_temperature(std::vector<double>{0.5}, std::vector<double>{1}), 1.0);
}

TEST(LogisticCoefficients, OfOneColumnAreTheLogOddsOfItsShare) {
  const std::vector<std::vector<double>> column{{1, 1, -1, -1}};
  EXPECT_NEAR(logistic_coefficients(column, std::vector<double>{1, 1, 0, 1}, 1e-9)[0], std::log(3.0), 1e-6);
}

TEST(LogisticCoefficients, AreStationaryUnderTheirRidge) {
  const std::vector<std::vector<double>> columns{{0.5, -2, 1, 3, -1}, {1, 1, -4, 0.2, 0}};
  const std::vector<double> y{1, 0, 0, 1, 1};
  const std::vector<double> b = logistic_coefficients(columns, y, 0.02);
  for (std::size_t c = 0; c < 2; ++c) {
    double gradient = -0.02 * 5 * b[c];
    for (std::size_t i = 0; i < y.size(); ++i)
      gradient += (y[i] - logistic(b[0] * columns[0][i] + b[1] * columns[1][i])) * columns[c][i];
    EXPECT_NEAR(gradient, 0.0, 1e-9);
  }
}

TEST(LogisticCoefficients, StayFiniteWhereAColumnDecidesAll) {
  const std::vector<std::vector<double>> column{{1, 2, -1, -3}};
  const double b = logistic_coefficients(column, std::vector<double>{1, 1, 0, 0}, 1e-3)[0];
  EXPECT_GT(b, 1.0);
  EXPECT_LT(b, 100.0);
  EXPECT_EQ(logistic_coefficients(column, std::vector<double>{0.5, 0.5, 0.5, 0.5}, 1e-3)[0], 0.0);
}

TEST(EnsembleWeights, AreThoseThatMadeTheLabels) {
  // Labels that are exactly the probabilities sigmoid(1.2 a / 2 + .4 b): one maximum, but for the ridge.
  std::vector<std::vector<double>> p(2);
  std::vector<double> reference;
  for (const double a : {0.1, 0.3, 0.8, 0.95}) {
    for (const double b : {0.2, 0.6, 0.9}) {
      p[0].push_back(a), p[1].push_back(b);
      reference.push_back(logistic(1.2 * log_odds(a) / 2.0 + 0.4 * log_odds(b)));
    }
  }
  const std::vector<double> temperatures{2.0, 1.0};
  const std::vector<double> weights = ensemble_weights(p, temperatures, reference, 1e-9);
  EXPECT_NEAR(weights[0], 1.2, 1e-6);
  EXPECT_NEAR(weights[1], 0.4, 1e-6);
  // A pair without label says nothing; a judge that is silent everywhere has no weight.
  p[0].push_back(0.99), p[1].push_back(0.01), reference.push_back(unanswered);
  p.push_back(std::vector<double>(reference.size(), unanswered));
  const std::vector<double> again = ensemble_weights(p, std::vector<double>{2.0, 1.0, 1.0}, reference, 1e-9);
  EXPECT_NEAR(again[0], 1.2, 1e-6);
  EXPECT_EQ(again[2], 0.0);
}

TEST(LabelledConfusion, IsACountWithOneMoreInEachCell) {
  const std::vector<double> p{0.9, 0.8, 0.3, 0.5, 0.2, 0.6, unanswered, 0.9};
  const std::vector<double> reference{1, 1, 1, 1, 0, 0, 0, 0.5};
  // Better first: named first 2, second 1. Better second: named first 1, second 1.
  const Confusion cells = labelled_confusion(p, reference);
  EXPECT_DOUBLE_EQ(cells[0][0], 3.0 / 5);
  EXPECT_DOUBLE_EQ(cells[0][1], 2.0 / 5);
  EXPECT_DOUBLE_EQ(cells[1][0], 2.0 / 4);
  EXPECT_DOUBLE_EQ(cells[1][1], 2.0 / 4);
  EXPECT_DOUBLE_EQ(labelled_confusion({}, {})[0][0], 0.5);
}

TEST(DawidSkeneModel, EqualsAnImplementationOfItsOwn) {
  const std::vector<std::vector<double>> p{
      {1, 1, 0, unanswered, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1},
      {1, 1, 0, 1, 1, 0, 1, unanswered, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0},
      {1, 1, 0, 0, 1, 0.5, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1}};
  const DawidSkene model = dawid_skene(p);
  // By a straightforward program in another language.
  EXPECT_NEAR(model.share_first, 0.555780189, 1e-7);
  EXPECT_NEAR(model.confusions[0][0][0], 0.907789739, 1e-7);
  EXPECT_NEAR(model.confusions[0][1][1], 0.879782747, 1e-7);
  EXPECT_NEAR(model.confusions[1][0][0], 0.790089507, 1e-7);
  EXPECT_NEAR(model.confusions[1][1][1], 0.795740434, 1e-7);
  EXPECT_NEAR(model.confusions[2][0][0], 0.833276301, 1e-7);
  EXPECT_NEAR(model.confusions[2][1][1], 0.727750710, 1e-7);
  EXPECT_NEAR(model.p_first[3], 0.525773990, 1e-7);
  EXPECT_NEAR(model.p_first[5], 0.033435105, 1e-7);
  EXPECT_NEAR(model.p_first[10], 0.991138756, 1e-7);
}

TEST(DawidSkeneModel, FindsWhoIsRightWithoutLabels) {
  const std::vector<double> accuracy{0.9, 0.8, 0.65, 0.6, 0.75};
  std::vector<std::vector<double>> p(accuracy.size());
  std::vector<double> truth;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Rng rng(5, Stream::test, {i});
    truth.push_back(rng.uniform() < 0.5 ? 1.0 : 0.0);
    for (std::size_t j = 0; j < p.size(); ++j)
      p[j].push_back(rng.uniform() < accuracy[j] ? truth.back() : 1.0 - truth.back());
  }
  const DawidSkene model = dawid_skene(p);
  for (std::size_t j = 0; j < p.size(); ++j) {
    EXPECT_NEAR(model.confusions[j][0][0], accuracy[j], 0.04);
    EXPECT_NEAR(model.confusions[j][1][1], accuracy[j], 0.04);
    const Confusion labelled = labelled_confusion(p[j], truth);
    EXPECT_NEAR(labelled[0][0], accuracy[j], 0.025);
  }
  EXPECT_NEAR(model.share_first, 0.5, 0.03);
}

TEST(LengthSlope, IsWhatLengthAddsBeyondTheLabels) {
  std::vector<double> p, reference, differences;
  for (const double side : {1.0, 0.0, 0.5}) {
    for (const double difference : {-20.0, -5.0, 0.0, 8.0, 30.0}) {
      reference.push_back(side);
      differences.push_back(difference);
      p.push_back(logistic(0.8 * (2 * side - 1) + 0.03 * difference));
    }
  }
  EXPECT_NEAR(length_slope(p, reference, differences), 0.03, 0.0005);  // the ridge takes a little
  EXPECT_EQ(length_slope(p, reference, std::vector<double>(p.size(), 0.0)), 0.0);
}

TEST(LengthSlope, DoesNotBlameAJudgeForLongerOnesThatAreBetter) {
  // The longer one is the better one in 9 of 10 pairs, and the judge is right in all: length explains nothing more.
  std::vector<double> p, reference, differences;
  for (int i = 0; i < 40; ++i) {
    const bool first = i % 2 == 0, longer_is_better = i % 10 != 0;
    reference.push_back(first ? 1.0 : 0.0);
    p.push_back(first ? 0.8 : 0.2);
    differences.push_back(first == longer_is_better ? 10.0 : -10.0);
  }
  EXPECT_NEAR(length_slope(p, reference, differences), 0.0, 0.001);
}

TEST(CascadeCurves, AreWalkedThroughByHand) {
  // Confidence .6 wrong, .7 right, .9 wrong, .95 right; the dear judge is right but for the last. Costs 1 and 10.
  CascadeStep step{{0.9, 0.6, 0.95, 0.7}, {0, 0, 1, 1}, {1, 1, 1, 1}, {1, 1, 0, 1}, {10, 10, 10, 10}};
  const CascadeCurve curve = cascade_curve(step, 0.75);
  ASSERT_EQ(curve.points.size(), 5u);
  const double thresholds[]{0.6, 0.7, 0.9, 0.95, 1.0}, asked[]{0, 0.25, 0.5, 0.75, 1},
      agreement[]{0.5, 0.75, 0.75, 1, 0.75};
  for (std::size_t k = 0; k < 5; ++k) {
    EXPECT_DOUBLE_EQ(curve.points[k].threshold, thresholds[k]);
    EXPECT_DOUBLE_EQ(curve.points[k].share_asked, asked[k]);
    EXPECT_DOUBLE_EQ(curve.points[k].agreement, agreement[k]);
    EXPECT_DOUBLE_EQ(curve.points[k].cost_usd, 1 + 10 * asked[k]);
  }
  EXPECT_EQ(curve.chosen, 1u);
  EXPECT_EQ(cascade_curve(step, 0.8).chosen, 3u);
  EXPECT_EQ(cascade_curve(step, 1.1).chosen, 3u);  // out of reach: the best there is
  EXPECT_EQ(cascade_curve(step, 0.5).chosen, 0u);
}

TEST(CascadeCurves, AlwaysAskWhereThereIsNoVerdict) {
  const CascadeStep step{{-1.0, 0.5, 0.5}, {0, 1, 0.5}, {0, 1, 1}, {1, 0, 1}, {9, 9, 9}};
  const CascadeCurve curve = cascade_curve(step, 0.0);
  ASSERT_EQ(curve.points.size(), 2u);
  EXPECT_DOUBLE_EQ(curve.points[0].threshold, 0.5);
  EXPECT_DOUBLE_EQ(curve.points[0].share_asked, 1.0 / 3);
  EXPECT_DOUBLE_EQ(curve.points[0].agreement, 2.5 / 3);
  EXPECT_DOUBLE_EQ(curve.points[1].agreement, 2.0 / 3);
}

TEST(CascadeFits, ChooseTheLastStepFirst) {
  // Judge 1 hands judge 2 what it is not sure of; judge 0 then hands over to both.
  const std::vector<std::vector<double>> confidence{{0.6, 0.9, 0.7, 0.8}, {0.9, 0.55, 0.8, 0.7}, {1, 1, 1, 1}};
  const std::vector<std::vector<double>> right{{0, 1, 0, 1}, {1, 0, 1, 1}, {1, 1, 1, 0}};
  const std::vector<std::vector<double>> cost{{1, 1, 1, 1}, {2, 2, 2, 2}, {20, 20, 20, 20}};
  const CascadeFit fit = fit_cascade(confidence, right, cost, 1.0);
  // The last judge: 3 of 4. Judge 1 alone is right in 3 of 4: nothing need be asked, threshold .55.
  // Judge 0 alone in 2 of 4; with the first pair asked 3 of 4 at a cost of (4 + 2) / 4.
  ASSERT_EQ(fit.thresholds.size(), 2u);
  EXPECT_DOUBLE_EQ(fit.thresholds[1], 0.55);
  EXPECT_DOUBLE_EQ(fit.thresholds[0], 0.7);
  EXPECT_DOUBLE_EQ(fit.curves[0].points[fit.curves[0].chosen].agreement, 0.75);
  EXPECT_DOUBLE_EQ(fit.curves[0].points[fit.curves[0].chosen].cost_usd, 1.5);
}

TEST(CascadeFits, OfGivenThresholdsAreTheCascadeAsItRuns) {
  const std::vector<std::vector<double>> confidence{{0.6, 0.9, 0.7, 0.8}, {0.9, 0.55, 0.8, 0.7}, {1, 1, 1, 1}};
  const std::vector<std::vector<double>> right{{0, 1, 0, 1}, {1, 0, 1, 1}, {1, 1, 1, 0}};
  const std::vector<std::vector<double>> cost{{1, 1, 1, 1}, {2, 2, 2, 2}, {20, 20, 20, 20}};
  // Judge 0 below .75 asks about the first and the third; judge 1 below .85 hands the third on, not the first.
  const CascadeFit fit = cascade_at(confidence, right, cost, std::vector{0.75, 0.85});
  EXPECT_DOUBLE_EQ(fit.thresholds[0], 0.75);
  const CascadePoint& chosen = fit.curves[0].points[fit.curves[0].chosen];
  EXPECT_DOUBLE_EQ(chosen.threshold, 0.8);  // the first observed one that asks the same
  EXPECT_DOUBLE_EQ(chosen.share_asked, 0.5);
  EXPECT_DOUBLE_EQ(chosen.agreement, 1.0);  // 1, 1, 1 by the last judge, 1
  EXPECT_DOUBLE_EQ(chosen.cost_usd, (3 + 1 + 23 + 1) / 4.0);
  // Above all that was seen but 1: everything is asked.
  EXPECT_EQ(cascade_at(confidence, right, cost, std::vector{0.95, 0.5}).curves[0].chosen, 4u);
}

}  // namespace
}  // namespace rlaif::evaluate
