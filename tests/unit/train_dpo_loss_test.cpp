// Losses of direct preference optimisation against numbers worked by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "rlaif/model/torch.hpp"
#include "rlaif/train/dpo_loss.hpp"
#include "rlaif/train/pairs.hpp"
#include "support/rounding.hpp"

namespace rlaif::train {
namespace {

// Half a unit of the last digit that hand-worked numbers have: six decimals of a loss, seven of a slope.
constexpr double kSixDigits = 0.5001e-6, kSevenDigits = 0.5001e-7;
const double kLn2 = std::log(2.0);

DpoOptions options_of(DpoLoss loss, double beta = 0.1, double label_smoothing = 0.0) {
  DpoOptions options;
  options.loss = loss;
  options.beta = beta;
  options.label_smoothing = label_smoothing;
  return options;
}

torch::Tensor one(double value) { return torch::full({1}, value, torch::kFloat64); }
torch::Tensor both(double first, double second) { return torch::tensor({{first, second}}, torch::kFloat64); }

struct LossAndSlope {
  double loss, slope;  // L and dL/dh
};
LossAndSlope at(double h, double p_first, const DpoOptions& options) {
  const auto h_P = one(h).requires_grad_(true);
  const auto loss_P = dpo_loss(h_P, one(p_first), options);
  loss_P.sum().backward();
  return {loss_P.item<double>(), h_P.grad().item<double>()};
}

void expect_at(double h, double p_first, const DpoOptions& options, double loss, double slope) {
  const LossAndSlope found = at(h, p_first, options);
  EXPECT_NEAR(found.loss, loss, kSixDigits) << "h " << h << " p " << p_first;
  EXPECT_NEAR(found.slope, slope, kSevenDigits) << "h " << h << " p " << p_first;
}

// log π -40 and -55, log π_ref -42 and -50: h = 2 - -5.
PairLogProbs worked_pair(double shift = 0.0) {
  return {both(-40.0 - shift, -55.0 - shift), both(-42.0, -50.0), both(8.0, 10.0)};
}

TEST(HardLabel, IsTheBetterSideAloneAndATieStaysOne) {
  EXPECT_EQ(hard_label(0.51), 1.0);
  EXPECT_EQ(hard_label(0.49), 0.0);
  EXPECT_EQ(hard_label(0.5), 0.5);
  EXPECT_EQ(hard_label(1.0), 1.0);
  EXPECT_EQ(hard_label(0.0), 0.0);
}

TEST(DpoLoss, NamesAreOneALoss) {
  std::set<std::string> names;
  std::set<DpoLoss> losses;
  for (const auto& [name, loss] : dpo_loss_names()) {
    names.insert(name);
    losses.insert(loss);
  }
  EXPECT_EQ(names.size(), 6U);
  EXPECT_EQ(losses.size(), 6U);
}

TEST(DpoLoss, WhereItStartsByHand) {
  for (const double epsilon : {0.0, 0.1, 0.25}) {
    for (const DpoLoss loss : {DpoLoss::sigmoid, DpoLoss::conservative, DpoLoss::robust})
      for (const double p : {0.0, 0.5, 0.75, 1.0})
        EXPECT_NEAR(at(0.0, p, options_of(loss, 0.1, epsilon)).loss, kLn2, 8.0 * rounding::twice);
  }
  expect_at(0.0, 1.0, options_of(DpoLoss::sigmoid), kLn2, -0.1 * 0.5);
  expect_at(0.0, 0.5, options_of(DpoLoss::sigmoid), kLn2, 0.0);
  expect_at(0.0, 1.0, options_of(DpoLoss::ipo), 25.0, -10.0);  // 1 / (4 τ^2)
  expect_at(0.0, 1.0, options_of(DpoLoss::hinge), 1.0, -0.1);
}

TEST(DpoLoss, AtADifferenceOfSevenByHand) {
  expect_at(7.0, 1.0, options_of(DpoLoss::sigmoid), 0.403186, -0.0331812);
  expect_at(7.0, 0.9, options_of(DpoLoss::sigmoid), 0.473186, -0.0231812);
  expect_at(7.0, 0.75, options_of(DpoLoss::sigmoid), 0.578186, -0.0081812);
  expect_at(7.0, 0.5, options_of(DpoLoss::sigmoid), 0.753186, +0.0168188);
  expect_at(7.0, 0.0, options_of(DpoLoss::sigmoid), 1.103186, +0.0668188);
  expect_at(7.0, 1.0, options_of(DpoLoss::conservative, 0.1, 0.1), 0.473186, -0.0231812);
  expect_at(7.0, 1.0, options_of(DpoLoss::robust, 0.1, 0.1), 0.315686, -0.0456812);
  EXPECT_NEAR(at(7.0, 1.0, options_of(DpoLoss::robust, 0.1, 0.25)).loss, 0.0531860, kSevenDigits);
  EXPECT_NEAR(at(7.0, 1.0, options_of(DpoLoss::robust, 0.1, 0.25)).slope, -0.0831812, kSevenDigits);
  expect_at(7.0, 1.0, options_of(DpoLoss::ipo), 4.0, +4.0);
  expect_at(7.0, 1.0, options_of(DpoLoss::hinge), 0.3, -0.1);
}

TEST(DpoLoss, AtADifferenceOfSixByHand) {
  expect_at(6.0, 1.0, options_of(DpoLoss::sigmoid), 0.437488, -0.0354344);
  expect_at(6.0, 1.0, options_of(DpoLoss::hinge), 0.4, -0.1);
  expect_at(6.0, 1.0, options_of(DpoLoss::ipo), 1.0, +2.0);
}

TEST(DpoLoss, SoftLabelsOfIpoHingeAndSimpoByHand) {
  // IPO's target at p = .75, τ = .1: 2.5; h = 7: 4.5^2, 2 * 4.5.
  expect_at(7.0, 0.75, options_of(DpoLoss::ipo), 20.25, 9.0);
  // .75 * .3 + .25 * 1.7; -.75 * .1 + .25 * .1. Beyond 1 / β the preferred side pays nothing.
  expect_at(7.0, 0.75, options_of(DpoLoss::hinge), 0.65, -0.05);
  expect_at(12.0, 0.75, options_of(DpoLoss::hinge), 0.25 * 2.2, 0.025);
  expect_at(12.0, 1.0, options_of(DpoLoss::hinge), 0.0, 0.0);
  // βh = 2.5 * .2 and -βh, less γ 1.4: -log σ(-.9) = 1.241154, -log σ(-1.9) = 1.9 + log(1 + e^-1.9).
  DpoOptions simpo = options_of(DpoLoss::simpo, 2.5);
  simpo.simpo_margin = 1.4;
  const double away = 1.9 + std::log1p(std::exp(-1.9));
  EXPECT_NEAR(at(0.2, 0.75, simpo).loss, 0.75 * 1.241154 + 0.25 * away, kSixDigits);
  EXPECT_NEAR(at(0.0, 0.5, simpo).slope, 0.0, 4.0 * rounding::twice);
}

TEST(DpoLoss, OfAPairWhichTheReferenceRanksWronglyByFiveAndThirtyNats) {
  // It is ranked right from a loss of -log σ(βc) on.
  EXPECT_NEAR(at(5.0, 1.0, options_of(DpoLoss::sigmoid)).loss, 0.474077, kSixDigits);
  EXPECT_NEAR(at(30.0, 1.0, options_of(DpoLoss::sigmoid)).loss, 0.048587, kSixDigits);
}

TEST(DpoLoss, SeesTheDifferenceAloneNotThatBothAnswersGetUnlikelier) {
  const DpoOptions options = options_of(DpoLoss::sigmoid);
  EXPECT_EQ(dpo_difference(worked_pair(), options).item<double>(), 7.0);
  EXPECT_EQ(dpo_difference(worked_pair(5.0), options).item<double>(), 7.0);
  // The likelihood that may be added to it does.
  EXPECT_EQ(preferred_nll(worked_pair(), one(1.0)).item<double>(), 5.0);
  EXPECT_EQ(preferred_nll(worked_pair(5.0), one(1.0)).item<double>(), 5.625);
}

TEST(DpoLoss, WithTheLikelihoodOfThePreferredAnswerByHand) {
  const DpoOptions options = options_of(DpoLoss::sigmoid);
  const auto loss =
      dpo_loss(dpo_difference(worked_pair(), options), one(1.0), options) + preferred_nll(worked_pair(), one(1.0));
  EXPECT_NEAR(loss.item<double>(), 5.403186, kSixDigits);
  EXPECT_NEAR(preferred_nll(worked_pair(), one(0.75)).item<double>(), 0.75 * 5.0 + 0.25 * 5.5, 8.0 * rounding::twice);
}

TEST(DpoLoss, OfSumsAndOfMeansAreNotTheSame) {
  // Log-ratios +2 over 8 tokens and -5 over 10: sum 7, mean .25 + .5.
  DpoOptions ipo = options_of(DpoLoss::ipo), sigmoid = options_of(DpoLoss::sigmoid, 5.0);
  EXPECT_NEAR(dpo_loss(dpo_difference(worked_pair(), ipo), one(1.0), ipo).item<double>(), 4.0, kSixDigits);
  ipo.length_normalised = sigmoid.length_normalised = true;
  EXPECT_NEAR(dpo_loss(dpo_difference(worked_pair(), ipo), one(1.0), ipo).item<double>(), 18.0625, kSixDigits);
  EXPECT_NEAR(dpo_loss(dpo_difference(worked_pair(), sigmoid), one(1.0), sigmoid).item<double>(),
              std::log1p(std::exp(-5.0 * 0.75)), 8.0 * rounding::twice);
}

TEST(DpoLoss, SimpoByHandWithoutAReference) {
  DpoOptions options = options_of(DpoLoss::simpo, 2.5);
  options.simpo_margin = 1.4;
  const PairLogProbs log_probs{both(-8.0, -12.0), {}, both(8.0, 10.0)};  // -1.0 and -1.2 a token
  const auto h_P = dpo_difference(log_probs, options);
  EXPECT_NEAR(h_P.item<double>(), 0.2, 4.0 * rounding::twice);
  const double loss = dpo_loss(h_P, one(1.0), options).item<double>();
  EXPECT_NEAR(loss, 1.241154, kSixDigits);
  EXPECT_GT(loss, kLn2);  // a margin towards the preferred answer that has not come to γ yet
}

TEST(DpoLoss, RobustIsUnbiasedUnderFlipsOfTheLabels) {
  EXPECT_NEAR(0.75 * at(7.0, 1.0, options_of(DpoLoss::robust, 0.1, 0.25)).loss +
                  0.25 * at(7.0, 0.0, options_of(DpoLoss::robust, 0.1, 0.25)).loss,
              0.4031860, kSevenDigits);
  for (const double epsilon : {0.05, 0.25, 0.45}) {
    const DpoOptions robust = options_of(DpoLoss::robust, 0.3, epsilon), sigmoid = options_of(DpoLoss::sigmoid, 0.3);
    for (const double h : {-20.0, -1.0, 0.0, 3.0, 40.0})
      for (const double p : {0.0, 0.3, 0.5, 1.0}) {
        const LossAndSlope kept = at(h, p, robust), flipped = at(h, 1.0 - p, robust), clean = at(h, p, sigmoid);
        const double allowed = 32.0 * rounding::twice * (1.0 + std::fabs(kept.loss) + std::fabs(flipped.loss));
        EXPECT_NEAR((1.0 - epsilon) * kept.loss + epsilon * flipped.loss, clean.loss, allowed);
        EXPECT_NEAR((1.0 - epsilon) * kept.slope + epsilon * flipped.slope, clean.slope, allowed);
      }
  }
}

TEST(DpoLoss, RobustOfASoftLabelIsTheMixOfBothSides) {
  const DpoOptions robust = options_of(DpoLoss::robust, 0.2, 0.1);
  for (const double h : {-9.0, 0.5, 7.0})
    EXPECT_NEAR(at(h, 0.7, robust).loss, 0.7 * at(h, 1.0, robust).loss + 0.3 * at(-h, 1.0, robust).loss,
                32.0 * rounding::twice * 4.0);
}

TEST(DpoLoss, RobustKeepsPushingWhereItsLabelIsHard) {
  // Towards -β ε / (1 - 2ε).
  EXPECT_NEAR(at(1000.0, 1.0, options_of(DpoLoss::robust, 0.1, 0.25)).slope, -0.1 * 0.25 / 0.5, 8.0 * rounding::twice);
}

TEST(DpoLoss, IsLeastWhereTheLabelSays) {
  for (const double p : {0.2, 0.5, 0.75, 0.9}) {
    const double logit = std::log(p / (1.0 - p));
    EXPECT_NEAR(at(logit / 0.1, p, options_of(DpoLoss::sigmoid)).slope, 0.0, 8.0 * rounding::twice);
    const double towards_half = 0.9 * p + 0.1 * (1.0 - p);
    EXPECT_NEAR(
        at(std::log(towards_half / (1.0 - towards_half)) / 0.1, p, options_of(DpoLoss::conservative, 0.1, 0.1)).slope,
        0.0, 8.0 * rounding::twice);
    const double from_half = (p - 0.05) / 0.9;
    EXPECT_NEAR(at(std::log(from_half / (1.0 - from_half)) / 0.1, p, options_of(DpoLoss::robust, 0.1, 0.05)).slope, 0.0,
                8.0 * rounding::twice);
    EXPECT_NEAR(at((2.0 * p - 1.0) / 0.2, p, options_of(DpoLoss::ipo)).slope, 0.0, 32.0 * rounding::twice);
  }
}

TEST(DpoLoss, OfIpoIsThatOfBothSidesUpToAConstant) {
  const DpoOptions ipo = options_of(DpoLoss::ipo);
  const auto rest = [&](double h) {
    return 0.7 * at(h, 1.0, ipo).loss + 0.3 * at(h, 0.0, ipo).loss - at(h, 0.7, ipo).loss;
  };
  EXPECT_NEAR(rest(7.0), rest(-2.0), 256.0 * 25.0 * rounding::twice);
}

TEST(DpoLoss, SlopesAreThoseOfFiniteDifferences) {
  constexpr double step = 1e-4;
  for (const auto& [name, loss] : dpo_loss_names()) {
    const bool smoothed = loss == DpoLoss::conservative || loss == DpoLoss::robust;
    const DpoOptions options = options_of(loss, 0.4, smoothed ? 0.15 : 0.0);
    for (const double h : {-6.0, -0.3, 0.0, 1.7, 9.0})  // the hinge's corners are at ±2.5
      for (const double p : {0.0, 0.35, 0.5, 1.0}) {
        const double above = at(h + step, p, options).loss, below = at(h - step, p, options).loss;
        // Third derivatives are at most β^3 / 8 for each of both sides, of which robust takes up to 1 / (1 - 2ε).
        const double allowed = step * step + 16.0 * rounding::twice * (1.0 + above + below) / step;
        EXPECT_NEAR(at(h, p, options).slope, (above - below) / (2.0 * step), allowed) << name << " " << h << " " << p;
      }
  }
}

TEST(DpoLoss, FarDifferencesStayFinite) {
  for (const DpoLoss loss : {DpoLoss::sigmoid, DpoLoss::conservative, DpoLoss::robust, DpoLoss::hinge, DpoLoss::simpo})
    for (const double h : {-1e6, 1e6}) {
      const LossAndSlope found = at(h, 0.9, options_of(loss, 0.1, 0.0));
      EXPECT_TRUE(std::isfinite(found.loss) && std::isfinite(found.slope));
    }
  EXPECT_NEAR(at(-1e6, 1.0, options_of(DpoLoss::sigmoid)).loss, 1e5, 1e5 * 4.0 * rounding::twice);
}

}  // namespace
}  // namespace rlaif::train
