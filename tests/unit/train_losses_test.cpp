#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/ppo.hpp"

namespace rlaif::train {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::vector<double> doubles(const torch::Tensor& tensor) {
  const auto values = tensor.detach().to(torch::kFloat64).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

auto near(double value) { return DoubleNear(value, 1e-6); }

TEST(TokenLogProbs, MatchHandWorkedNumbers) {
  // softmax(0, ln 3) = 1/4, 3/4; at temperature 0.5 the logits are 0, 2 ln 3: 1/10, 9/10.
  const auto logits = torch::tensor({{0.0F, std::log(3.0F)}, {0.0F, std::log(3.0F)}});
  const auto targets = torch::tensor({std::int64_t{0}, std::int64_t{1}});
  EXPECT_THAT(doubles(token_log_probs(logits, targets)), ElementsAre(near(std::log(0.25)), near(std::log(0.75))));
  EXPECT_THAT(doubles(token_log_probs(logits, targets, 0.5)), ElementsAre(near(std::log(0.1)), near(std::log(0.9))));
}

TEST(TokenLogProbs, ValueAndGradientMatchAutogradThroughLogSoftmax) {
  torch::manual_seed(1);
  const auto weights = torch::randn({7}, torch::kFloat64);
  const auto targets = torch::randint(0, 11, {7}, torch::kInt64);
  for (const double temperature : {1.0, 0.7, 1.5}) {
    auto own = (torch::randn({7, 11}, torch::kFloat64) * 4).requires_grad_(true);
    auto reference = own.detach().clone().requires_grad_(true);
    const auto log_probs = token_log_probs(own, targets, temperature);
    const auto expected =
        torch::log_softmax(reference / temperature, 1).gather(1, targets.unsqueeze(1)).squeeze(1);
    (log_probs * weights).sum().backward();
    (expected * weights).sum().backward();
    EXPECT_TRUE(torch::allclose(log_probs, expected, 1e-12, 1e-12)) << temperature;
    EXPECT_TRUE(torch::allclose(own.grad(), reference.grad(), 1e-12, 1e-12)) << temperature;
  }
}

TEST(TokenLogProbs, LargeLogitsDoNotOverflow) {
  const auto logits = torch::tensor({{1000.0F, 0.0F}});
  EXPECT_THAT(doubles(token_log_probs(logits, torch::tensor({std::int64_t{1}}))), ElementsAre(near(-1000.0)));
}

// states, output matrix and targets of a vocabulary; `trains` says which of the two require gradients.
struct Projection {
  torch::Tensor hidden, output, targets, weights;
  Projection(std::int64_t rows, std::int64_t vocabulary, torch::ScalarType type) {
    torch::manual_seed(rows);
    hidden = torch::randn({rows, 6}, torch::kFloat64).to(type);
    output = (torch::randn({vocabulary, 6}, torch::kFloat64) * 2).to(type);
    targets = torch::randint(0, vocabulary, {rows}, torch::kInt64);
    weights = torch::randn({rows}, torch::kFloat64).to(type);
  }
};

// Values, entropies and gradients against logits and torch's log_softmax, all in double.
void expect_as_composed(const Projection& of, bool hidden_trains, bool output_trains, double temperature, double tolerance) {
  auto hidden = of.hidden.clone().requires_grad_(hidden_trains), output = of.output.clone().requires_grad_(output_trains);
  auto h = of.hidden.to(torch::kFloat64, false, /*copy=*/true).requires_grad_(hidden_trains);
  auto w = of.output.to(torch::kFloat64, false, /*copy=*/true).requires_grad_(output_trains);
  const auto all = torch::log_softmax(h.mm(w.t()) / temperature, 1);
  const auto expected = all.gather(1, of.targets.unsqueeze(1)).squeeze(1);
  torch::Tensor entropy;
  const auto log_probs = chosen_log_probs(hidden, output, of.targets, temperature, &entropy);
  const std::string what = std::to_string(hidden_trains) + std::to_string(output_trains) + " T " + std::to_string(temperature);
  const auto near_to = [&](const torch::Tensor& a, const torch::Tensor& b) {
    return torch::allclose(a.detach().to(torch::kFloat64), b.detach(), tolerance, tolerance);
  };
  EXPECT_TRUE(near_to(log_probs, expected)) << what;
  EXPECT_TRUE(near_to(entropy, -(all.exp() * all).sum(1))) << what;
  EXPECT_FALSE(entropy.requires_grad());
  if (!hidden_trains && !output_trains) {
    EXPECT_FALSE(log_probs.requires_grad());
    return;
  }
  (log_probs * of.weights).sum().backward();
  (expected * of.weights.to(torch::kFloat64)).sum().backward();
  EXPECT_EQ(hidden.grad().defined(), hidden_trains) << what;
  EXPECT_EQ(output.grad().defined(), output_trains) << what;
  if (hidden_trains) {
    EXPECT_TRUE(near_to(hidden.grad(), h.grad())) << what;
  }
  if (output_trains) {
    EXPECT_TRUE(near_to(output.grad(), w.grad())) << what;
  }
}

TEST(ChosenLogProbs, MatchLogSoftmaxWhateverIsTrained) {
  // Below the small vocabulary; above it in one chunk; and in three chunks, the last one short.
  for (const auto& [rows, vocabulary] : {std::pair<std::int64_t, std::int64_t>{9, 50}, {9, 9001}, {230, 180'000}}) {
    const Projection in_double(rows, vocabulary, torch::kFloat64), in_float(rows, vocabulary, torch::kFloat32);
    for (const bool hidden : {false, true})
      for (const bool output : {false, true}) {
        if (rows < 100) expect_as_composed(in_double, hidden, output, 0.7, 1e-10);
        if (rows < 100 || (hidden && output)) expect_as_composed(in_float, hidden, output, 1.3, 2e-5);
      }
  }
}

TEST(ChosenLogProbs, OfASmallVocabularyAreTheBytesOfLogitsAndTokenLogProbs) {
  const Projection of(40, 300, torch::kFloat32);
  auto h1 = of.hidden.clone().requires_grad_(true), w1 = of.output.clone().requires_grad_(true);
  auto h2 = of.hidden.clone().requires_grad_(true), w2 = of.output.clone().requires_grad_(true);
  const auto first = chosen_log_probs(h1, w1, of.targets, 0.9), second = token_log_probs(h2.mm(w2.t()), of.targets, 0.9);
  EXPECT_TRUE(torch::equal(first, second));
  (first * of.weights).sum().backward();
  (second * of.weights).sum().backward();
  EXPECT_TRUE(torch::equal(h1.grad(), h2.grad()) && torch::equal(w1.grad(), w2.grad()));
}

TEST(ChosenLogProbs, NoRowsAreNoRows) {
  const auto hidden = torch::zeros({0, 6}).requires_grad_(true);
  EXPECT_EQ(chosen_log_probs(hidden, torch::zeros({9000, 6}), torch::zeros({0}, torch::kInt64)).numel(), 0);
}

TEST(ChosenLogProbs, ANanStaysANan) {
  auto hidden = torch::zeros({2, 6});
  hidden[1][0] = NAN;
  const auto log_probs = chosen_log_probs(hidden, torch::ones({9000, 6}), torch::zeros({2}, torch::kInt64));
  EXPECT_NEAR(log_probs[0].item<double>(), -std::log(9000.0), 1e-5);
  EXPECT_TRUE(std::isnan(log_probs[1].item<double>()));
}

TEST(TokenEntropy, OfAUniformAndOfASkewedDistribution) {
  const auto logits = torch::tensor({{2.0F, 2.0F}, {0.0F, std::log(3.0F)}});
  EXPECT_THAT(doubles(token_entropy(logits)),
              ElementsAre(near(std::log(2.0)), near(-(0.25 * std::log(0.25) + 0.75 * std::log(0.75)))));
}

TEST(SoftLabelCrossEntropy, HandWorkedNumbersForHardAndSoftLabels) {
  // sigma(ln 3) = 3/4: label 1 pays ln(4/3), label 0 pays ln 4, label .3 pays .3 ln(4/3) + .7 ln 4.
  const auto margins = torch::full({3}, std::log(3.0), torch::kFloat64);
  const auto labels = torch::tensor({1.0, 0.0, 0.3}, torch::kFloat64);
  EXPECT_THAT(doubles(soft_label_cross_entropy(margins, labels)),
              ElementsAre(near(std::log(4.0 / 3.0)), near(std::log(4.0)),
                          near(0.3 * std::log(4.0 / 3.0) + 0.7 * std::log(4.0))));
}

TEST(SoftLabelCrossEntropy, GradientIsProbabilityLessLabel) {
  auto margins = torch::tensor({std::log(3.0), 0.0}, torch::kFloat64).requires_grad_(true);
  soft_label_cross_entropy(margins, torch::tensor({0.3, 0.5}, torch::kFloat64)).sum().backward();
  EXPECT_THAT(doubles(margins.grad()), ElementsAre(near(0.75 - 0.3), near(0.0)));
}

TEST(KlEstimators, HandWorkedNumbers) {
  // d = ln 2: k1 = .693147, k2 = .240227, k3 = 1/2 - 1 + .693147.
  const auto policy = torch::tensor({std::log(0.5), std::log(0.2)}, torch::kFloat64);
  const auto reference = torch::tensor({std::log(0.25), std::log(0.4)}, torch::kFloat64);
  EXPECT_THAT(doubles(kl_estimate(policy, reference, KlEstimator::k1)), ElementsAre(near(0.693147), near(-0.693147)));
  EXPECT_THAT(doubles(kl_estimate(policy, reference, KlEstimator::k2)), ElementsAre(near(0.240227), near(0.240227)));
  EXPECT_THAT(doubles(kl_estimate(policy, reference, KlEstimator::k3)), ElementsAre(near(0.193147), near(0.306853)));
}

TEST(KlEstimators, K1AndK3HaveTheSameExpectationUnderThePolicy) {
  const auto p = torch::tensor({0.5, 0.3, 0.2}, torch::kFloat64);
  const auto q = torch::tensor({0.2, 0.2, 0.6}, torch::kFloat64);
  const auto k1 = (p * kl_estimate(p.log(), q.log(), KlEstimator::k1)).sum().item<double>();
  const auto k3 = (p * kl_estimate(p.log(), q.log(), KlEstimator::k3)).sum().item<double>();
  EXPECT_NEAR(k1, k3, 1e-12);
}

TEST(AdaptiveKl, CoefficientMovesTowardsTheTargetAndIsClipped) {
  EXPECT_NEAR(adapted_kl_coefficient(0.2, 1.1, 1.0, 100, 1000), 0.2 * (1 + 0.1 * 0.1), 1e-12);
  EXPECT_NEAR(adapted_kl_coefficient(0.2, 9.0, 1.0, 100, 1000), 0.2 * (1 + 0.2 * 0.1), 1e-12);
  EXPECT_NEAR(adapted_kl_coefficient(0.2, 0.0, 1.0, 100, 1000), 0.2 * (1 - 0.2 * 0.1), 1e-12);
}

TEST(Gae, FourTokensByHand) {
  // gamma .9, lambda .5, reward only at the end. deltas: .9*.4-.5 = -.14; .9*.3-.4 = -.13; .9*.2-.3 = -.12; 1-.2 = .8.
  // advantages backwards with factor .45: .8; -.12+.36 = .24; -.13+.108 = -.022; -.14-.0099 = -.1499.
  const std::vector<double> rewards = {0, 0, 0, 1};
  const std::vector<double> values = {0.5, 0.4, 0.3, 0.2};
  EXPECT_THAT(gae(rewards, values, 0.9, 0.5), ElementsAre(near(-0.1499), near(-0.022), near(0.24), near(0.8)));
}

TEST(Gae, LambdaOneIsReturnLessValueAndLambdaZeroIsTheTemporalDifference) {
  const std::vector<double> rewards = {-0.1, 0.2, 1.0};
  const std::vector<double> values = {0.3, -0.2, 0.6};
  EXPECT_THAT(gae(rewards, values, 1.0, 1.0), ElementsAre(near(1.1 - 0.3), near(1.2 + 0.2), near(1.0 - 0.6)));
  EXPECT_THAT(gae(rewards, values, 1.0, 0.0), ElementsAre(near(-0.1 - 0.2 - 0.3), near(0.2 + 0.6 + 0.2), near(0.4)));
}

TEST(Gae, OneTokenIsRewardLessValue) {
  EXPECT_THAT(gae(std::vector<double>{2.0}, std::vector<double>{0.5}, 0.9, 0.9), ElementsAre(near(1.5)));
}

TEST(Moments, MeanAndPopulationVariance) {
  // 1, 2, 3, 6: mean 3, squares 50, variance 50/4 - 9 = 3.5
  const Moments moments{4, 12, 50};
  EXPECT_DOUBLE_EQ(moments.mean(), 3.0);
  EXPECT_DOUBLE_EQ(moments.variance(), 3.5);
  EXPECT_DOUBLE_EQ(Moments{}.mean(), 0.0);
  EXPECT_DOUBLE_EQ(Moments{}.variance(), 0.0);
}

TEST(PpoPolicyLoss, IsClippedOnTheSideThatWouldOvershoot) {
  // ratios 1.5 and .5, clip .2. A = +1: -1.2 (clipped), -.5 (not). A = -1: 1.5 (not), .8 (clipped).
  const auto old_log_probs = torch::full({4}, std::log(0.4), torch::kFloat64);
  const auto ratios = torch::tensor({1.5, 0.5, 1.5, 0.5}, torch::kFloat64);
  auto new_log_probs = (old_log_probs + ratios.log()).requires_grad_(true);
  const auto advantages = torch::tensor({1.0, 1.0, -1.0, -1.0}, torch::kFloat64);
  const auto loss = ppo_policy_loss(new_log_probs, old_log_probs, advantages, 0.2);
  EXPECT_THAT(doubles(loss), ElementsAre(near(-1.2), near(-0.5), near(1.5), near(0.8)));
  loss.sum().backward();
  // d(-A r)/d log p = -A r where not clipped, 0 where clipped.
  EXPECT_THAT(doubles(new_log_probs.grad()), ElementsAre(near(0.0), near(-0.5), near(1.5), near(0.0)));
}

TEST(PpoPolicyLoss, AtRatioOneTheGradientIsThePolicyGradient) {
  auto log_probs = torch::tensor({-1.0, -2.0}, torch::kFloat64).requires_grad_(true);
  ppo_policy_loss(log_probs, log_probs.detach(), torch::tensor({0.7, -0.4}, torch::kFloat64), 0.2).sum().backward();
  EXPECT_THAT(doubles(log_probs.grad()), ElementsAre(near(-0.7), near(0.4)));
}

TEST(PpoValueLoss, TakesTheLargerOfClippedAndPlain) {
  // old 0, clip .2. v = .5, R = 1: plain .125, clipped at .2 gives .32 -> .32. v = .5, R = 0: .125 > .02 -> .125.
  // v = -.5, R = -1: clipped at -.2 gives .32. v = .1, R = 1: within the clip, .405.
  const auto values = torch::tensor({0.5, 0.5, -0.5, 0.1}, torch::kFloat64);
  const auto returns = torch::tensor({1.0, 0.0, -1.0, 1.0}, torch::kFloat64);
  EXPECT_THAT(doubles(ppo_value_loss(values, torch::zeros({4}, torch::kFloat64), returns, 0.2)),
              ElementsAre(near(0.32), near(0.125), near(0.32), near(0.405)));
}

}  // namespace
}  // namespace rlaif::train
