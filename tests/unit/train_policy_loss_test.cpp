// Losses of the policy against numbers worked by hand, and their gradients against finite differences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "rlaif/model/torch.hpp"
#include "rlaif/train/policy_loss.hpp"

namespace rlaif::train {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using torch::Tensor;

Tensor numbers(const std::vector<double>& values) { return torch::tensor(values, torch::kFloat64); }
std::vector<double> as_doubles(const Tensor& values) {
  const auto whole = values.detach().to(torch::kFloat64).contiguous();
  return {whole.data_ptr<double>(), whole.data_ptr<double>() + whole.numel()};
}
auto nearly(double value) { return DoubleNear(value, 1e-6 * std::max(1.0, std::fabs(value))); }

PolicyLossOptions clips(double low, double high, double dual = 0.0) {
  PolicyLossOptions options;
  options.clip_low = low;
  options.clip_high = high;
  options.dual_clip = dual;
  return options;
}

TEST(KlEstimators, AtAHalfAndFourTenths) {
  const auto policy = numbers({0.5, 0.4}).log(), reference = numbers({0.4, 0.5}).log();
  EXPECT_THAT(as_doubles(kl_estimate(policy, reference, KlEstimator::k1)),
              ElementsAre(nearly(0.223144), nearly(-0.223144)));
  EXPECT_THAT(as_doubles(kl_estimate(policy, reference, KlEstimator::k2)),
              ElementsAre(nearly(0.024897), nearly(0.024897)));
  EXPECT_THAT(as_doubles(kl_estimate(policy, reference, KlEstimator::k3)),
              ElementsAre(nearly(0.023144), nearly(0.026856)));
}

// Over all outcomes of a distribution: the mean gradient of k2 is that of KL(policy || reference), of k3 that of
// KL(reference || policy), of k1 it is 0.
TEST(KlEstimators, OnlyK2InTheLossHasTheGradientOfTheKl) {
  const auto gradient = [](const std::function<Tensor(const Tensor& log_p)>& of) {
    auto logits = numbers({0.4, -0.3, 1.1}).requires_grad_(true);
    of(torch::log_softmax(logits, 0)).backward();
    return logits.grad().clone();
  };
  const auto q = torch::log_softmax(numbers({-0.2, 0.9, 0.1}), 0);
  const auto expected_of = [&](KlEstimator estimator) {
    return gradient(
        [&](const Tensor& log_p) { return (log_p.detach().exp() * kl_estimate(log_p, q, estimator)).sum(); });
  };
  const auto kl = gradient([&](const Tensor& log_p) { return (log_p.exp() * (log_p - q)).sum(); });
  const auto other = gradient([&](const Tensor& log_p) { return (q.exp() * (q - log_p)).sum(); });
  EXPECT_TRUE(torch::allclose(expected_of(KlEstimator::k2), kl, 0.0, 1e-12));
  EXPECT_TRUE(torch::allclose(expected_of(KlEstimator::k3), other, 0.0, 1e-12));
  EXPECT_TRUE(torch::allclose(expected_of(KlEstimator::k1), torch::zeros_like(kl), 0.0, 1e-12));
  EXPECT_GT((kl - other).abs().max().item<double>(), 0.01);
}

TEST(PolicyLoss, ClipTermsByHand) {
  const auto advantages = numbers({1, -1, 2}), ratios = numbers({0.5, 1, 1.5});
  const auto losses = clipped_policy_loss(ratios, advantages, clips(0.2, 0.2));
  EXPECT_THAT(as_doubles(losses), ElementsAre(nearly(-0.5), nearly(1.0), nearly(-2.4)));
  EXPECT_NEAR(losses.mean().item<double>(), -0.633333, 1e-6);
}

TEST(PolicyLoss, TheDualClipBoundsTheLossOfABadResponse) {
  const auto losses = clipped_policy_loss(numbers({0.5, 1, 10}), numbers({1, -1, -4}), clips(0.2, 0.2, 3.0));
  EXPECT_THAT(as_doubles(losses), ElementsAre(nearly(-0.5), nearly(1.0), nearly(12.0)));
  const auto without = clipped_policy_loss(numbers({0.5, 1, 10}), numbers({1, -1, -4}), clips(0.2, 0.2));
  EXPECT_THAT(as_doubles(without), ElementsAre(nearly(-0.5), nearly(1.0), nearly(40.0)));
}

TEST(PolicyLoss, ClipHigherLetsAGoodTokenGrow) {
  EXPECT_THAT(as_doubles(clipped_policy_loss(numbers({1.25}), numbers({1}), clips(0.2, 0.2))),
              ElementsAre(nearly(-1.20)));
  EXPECT_THAT(as_doubles(clipped_policy_loss(numbers({1.25}), numbers({1}), clips(0.2, 0.28))),
              ElementsAre(nearly(-1.25)));
  EXPECT_THAT(as_doubles(clipped_policy_loss(numbers({0.5}), numbers({-1}), clips(0.2, 0.28))),
              ElementsAre(nearly(0.8)));
}

TEST(SequenceRatio, IsTheGeometricMeanForEveryToken) {
  const std::vector<std::int64_t> lengths{3};
  const auto old = numbers({-1, -2, -3});
  const auto ratio = probability_ratio(old + numbers({0.5, 1, 1.5}).log(), old, lengths, RatioLevel::sequence);
  EXPECT_THAT(as_doubles(ratio), ElementsAre(nearly(0.908560), nearly(0.908560), nearly(0.908560)));
  const auto loss = clipped_policy_loss(ratio, numbers({1, -1, 2}), clips(0.2, 0.2)).mean();
  EXPECT_NEAR(loss.item<double>(), -0.605707, 1e-6);
}

TEST(SequenceRatio, OfTwoResponsesIsThatOfEach) {
  const std::vector<std::int64_t> lengths{4, 1};
  const auto old = torch::zeros({5}, torch::kFloat64);
  const auto ratio =
      probability_ratio(numbers({1.10, 0.95, 1.30, 0.90, 2.0}).log(), old, lengths, RatioLevel::sequence);
  EXPECT_THAT(as_doubles(ratio),
              ElementsAre(nearly(1.051539), nearly(1.051539), nearly(1.051539), nearly(1.051539), nearly(2.0)));
  EXPECT_THAT(
      as_doubles(probability_ratio(numbers({1.10, 0.95, 1.30, 0.90, 2.0}).log(), old, lengths, RatioLevel::token)),
      ElementsAre(nearly(1.10), nearly(0.95), nearly(1.30), nearly(0.90), nearly(2.0)));
}

// The loss of responses whose tokens all have one loss each.
double summed(const std::vector<std::int64_t>& lengths, const std::vector<double>& losses,
              const std::vector<bool>& masked, LossSum sum, std::int64_t max_new_tokens) {
  double total = 0.0, denominator = 0.0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const LossWeight weight = loss_weight(lengths[i], masked[i], sum, max_new_tokens);
    total += weight.of_token * losses[i] * static_cast<double>(lengths[i]);
    denominator += weight.denominator;
  }
  return denominator > 0.0 ? total / denominator : 0.0;
}

TEST(LossSums, TheMeanOverTokensIsNotTheMeanOverResponses) {
  const std::vector<std::int64_t> lengths{1, 5};
  const std::vector<double> losses{10, 2};
  const std::vector<bool> none{false, false};
  EXPECT_NEAR(summed(lengths, losses, none, LossSum::token, 8), 20.0 / 6.0, 1e-12);
  EXPECT_NEAR(summed(lengths, losses, none, LossSum::response, 8), 6.0, 1e-12);
  EXPECT_NEAR(summed(lengths, losses, none, LossSum::constant, 8), 20.0 / 16.0, 1e-12);
}

TEST(LossSums, AMaskedResponseLeavesNumeratorAndDenominator) {
  const std::vector<std::int64_t> lengths{1, 5, 8};
  const std::vector<double> losses{10, 2, 77};
  for (const LossSum sum : {LossSum::token, LossSum::response, LossSum::constant}) {
    EXPECT_DOUBLE_EQ(summed(lengths, losses, {false, false, true}, sum, 8),
                     summed({1, 5}, {10, 2}, {false, false}, sum, 8));
    EXPECT_EQ(summed(lengths, losses, {true, true, true}, sum, 8), 0.0) << "all are masked";
  }
}

TEST(OverlongPenalty, FallsWithinTheBuffer) {
  EXPECT_DOUBLE_EQ(overlong_penalty(18432, 20480, 4096), -0.5);
  EXPECT_DOUBLE_EQ(overlong_penalty(16384, 20480, 4096), 0.0);
  EXPECT_DOUBLE_EQ(overlong_penalty(20480, 20480, 4096), -1.0);
  EXPECT_DOUBLE_EQ(overlong_penalty(7, 20, 0), 0.0) << "without a buffer";
}

TEST(OverlongPenalty, TimesAHalfTakenOffRewards) {
  // Lengths 10, 22, 25 of at most 25, the last 5 penalised.
  const std::vector<double> lengths{10, 22, 25}, rewards{1.0, 0.8, 0.6};
  std::vector<double> shaped;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    shaped.push_back(rewards[i] + 0.5 * overlong_penalty(lengths[i], 25, 5));
  EXPECT_THAT(shaped, ElementsAre(nearly(1.0), nearly(0.6), nearly(0.1)));
  EXPECT_DOUBLE_EQ(overlong_penalty(30, 25, 5), -1.0) << "and no further";
}

// Gradients with respect to the new log-probabilities, by autograd and by central differences, away from the bounds'
// corners.
TEST(PolicyLoss, GradientsAreThoseOfFiniteDifferences) {
  const std::vector<std::int64_t> lengths{3, 2, 4};
  const auto old = numbers({-1.2, -0.3, -2.0, -0.7, -1.1, -0.4, -1.6, -2.2, -0.9});
  const auto shift = numbers({0.3, -0.4, 0.05, 0.9, -0.7, 0.1, -0.15, 0.5, -0.02});
  const auto reference = old + numbers({0.2, -0.1, 0.4, -0.3, 0.1, 0.0, 0.6, -0.5, 0.2});
  const auto advantages = numbers({1.5, 1.5, 1.5, -0.8, -0.8, -2.0, -2.0, -2.0, -2.0});
  for (const RatioLevel level : {RatioLevel::token, RatioLevel::sequence}) {
    for (const double dual : {0.0, 1.5}) {
      for (const LossSum sum : {LossSum::token, LossSum::response, LossSum::constant}) {
        const auto loss = [&](const Tensor& now) {
          const auto ratio = probability_ratio(now, old, lengths, level);
          const auto losses = clipped_policy_loss(ratio, advantages, clips(0.2, 0.28, dual)) +
                              0.3 * kl_estimate(now, reference, KlEstimator::k2);
          std::vector<double> weights;
          for (const std::int64_t length : lengths)
            weights.insert(weights.end(), static_cast<std::size_t>(length),
                           loss_weight(length, false, sum, 6).of_token);
          return (losses * numbers(weights)).sum();
        };
        auto now = (old + shift).requires_grad_(true);
        loss(now).backward();
        const auto at = (old + shift).detach();
        for (std::int64_t i = 0; i < at.numel(); ++i) {
          constexpr double step = 1e-6;
          auto above = at.clone(), below = at.clone();
          above[i] += step;
          below[i] -= step;
          const double slope = (loss(above).item<double>() - loss(below).item<double>()) / (2 * step);
          // Losses of about 10 rounded to 1e-15 of themselves, over the step; third derivatives times its square.
          EXPECT_NEAR(now.grad()[i].item<double>(), slope, 10 * 1e-15 / step + 100 * step * step);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rlaif::train
