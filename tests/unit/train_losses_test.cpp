#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "rlaif/model/torch.hpp"
#include "rlaif/train/advantages.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/policy_gradient.hpp"
#include "rlaif/train/policy_loss.hpp"
#include "support/rounding.hpp"

namespace rlaif::train {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::vector<double> doubles(const torch::Tensor& tensor) {
  const auto values = tensor.detach().to(torch::kFloat64).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

// A few operations on numbers of this size in float32, or hand-worked numbers of six digits.
auto near(double value) { return DoubleNear(value, std::max(1e-6, std::fabs(value) * rounding::of_chain({2}, 2))); }

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
    const auto expected = torch::log_softmax(reference / temperature, 1).gather(1, targets.unsqueeze(1)).squeeze(1);
    (log_probs * weights).sum().backward();
    (expected * weights).sum().backward();
    // Logits of up to 16 / .7, both sides rounded.
    const double allowed = 2.0 * (16.0 / temperature) * rounding::of_chain({11}, 2, rounding::twice);
    EXPECT_TRUE(torch::allclose(log_probs, expected, 0.0, allowed)) << temperature;
    EXPECT_TRUE(torch::allclose(own.grad(), reference.grad(), 0.0, 3.0 * allowed)) << temperature;
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

// |a - b| <= bound, number by number.
void expect_within(const torch::Tensor& found, const torch::Tensor& expected, const torch::Tensor& bound,
                   const std::string& what) {
  const auto difference = (found.detach().to(torch::kFloat64) - expected.detach()).abs();
  EXPECT_TRUE((difference <= bound).all().item<bool>())
      << what << ": up to " << (difference / bound).max().item<double>() << " times the bound, by "
      << difference.max().item<double>();
}

// What rounding may do to the values, entropies and gradients of a projection, all in double. W is [V, d], H [M, d], p the
// probabilities, c = (1[target] - p) / T the slopes of a row's logits. Rows are looked at in parts: [M, V] is large.
struct Allowed {
  torch::Tensor log_prob_M, entropy_M, hidden_Md, output_Vd;

  Allowed(const torch::Tensor& h, const torch::Tensor& w, const torch::Tensor& all_MV, const Projection& of,
          double temperature, double unit) {
    constexpr std::int64_t part = 32;
    const auto upstream_M1 = of.weights.to(torch::kFloat64).abs().unsqueeze(1);
    output_Vd = torch::zeros_like(w);
    std::vector<torch::Tensor> log_prob, entropy, hidden;
    for (std::int64_t begin = 0; begin < h.size(0); begin += part) {
      const auto rows = [&](const torch::Tensor& x) { return x.narrow(0, begin, std::min(part, x.size(0) - begin)); };
      add(rows(h).abs(), w.abs(), rows(all_MV), rows(of.targets).unsqueeze(1), rows(upstream_M1), temperature, unit,
          static_cast<double>(h.size(0)));
      log_prob.push_back(log_prob_M);
      entropy.push_back(entropy_M);
      hidden.push_back(hidden_Md);
    }
    log_prob_M = torch::cat(log_prob);
    entropy_M = torch::cat(entropy);
    hidden_Md = torch::cat(hidden);
  }

 private:
  void add(const torch::Tensor& h, const torch::Tensor& w, const torch::Tensor& all_MV, const torch::Tensor& targets_M1,
           const torch::Tensor& upstream_M1, double temperature, double unit, double all_rows) {
    const auto vocabulary = static_cast<double>(w.size(0)), width = static_cast<double>(w.size(1));
    const auto largest_M1 =
        std::get<0>(h.mm(w.t()).max(1, true)) / temperature;  // no logit has larger magnitudes in its sum
    // Of a probability, as a part of itself: the logits' sums, the scaled differences to the largest one (each rounded by parts of
    // twice the largest), the exponential, and the total, which has the same errors and a sum's.
    const auto weight_M1 =
        2.0 * largest_M1 * (rounding::of_sum(width, unit) + 3.0 * unit) + rounding::of_chain({}, 1, unit);
    const auto p_error_M1 = 2.0 * weight_M1 + rounding::of_sum(vocabulary, unit);
    const auto p_MV = all_MV.exp();
    const auto entropy_M1 = -(p_MV * all_MV).sum(1, true), log_prob_M1 = all_MV.gather(1, targets_M1);
    log_prob_M = (p_error_M1 + 4.0 * unit * (log_prob_M1.abs() + largest_M1)).squeeze(1);
    entropy_M = (p_error_M1 * (1.0 + 2.0 * entropy_M1) + rounding::of_sum(vocabulary, unit) * (entropy_M1 + largest_M1))
                    .squeeze(1);
    // Magnitudes of both parts of a slope, and its error.
    const auto slopes_MV = p_MV.scatter_add(1, targets_M1, torch::ones_like(log_prob_M1)).div_(temperature);
    const auto errors_MV = p_MV.mul(p_error_M1 / temperature).add_(slopes_MV, 4.0 * unit);
    // Blocks of 8,192 words, then the blocks.
    const double of_words =
        rounding::of_chain({std::min(vocabulary, 8192.0), std::ceil(vocabulary / 8192.0)}, 0, unit) + unit;
    hidden_Md = upstream_M1 * (errors_MV.mm(w) + of_words * slopes_MV.mm(w));
    output_Vd += (errors_MV + (rounding::of_sum(all_rows, unit) + unit) * slopes_MV).t().mm(h * upstream_M1);
  }
};

// Values, entropies and gradients against logits and torch's log_softmax, all in double.
void expect_as_composed(const Projection& of, bool hidden_trains, bool output_trains, double temperature, double unit) {
  auto hidden = of.hidden.clone().requires_grad_(hidden_trains),
       output = of.output.clone().requires_grad_(output_trains);
  auto h = of.hidden.to(torch::kFloat64, false, /*copy=*/true).requires_grad_(hidden_trains);
  auto w = of.output.to(torch::kFloat64, false, /*copy=*/true).requires_grad_(output_trains);
  const auto all = torch::log_softmax(h.mm(w.t()) / temperature, 1);
  const auto expected = all.gather(1, of.targets.unsqueeze(1)).squeeze(1);
  const Allowed allowed(h.detach(), w.detach(), all.detach(), of, temperature, unit);
  torch::Tensor entropy;
  const auto log_probs = chosen_log_probs(hidden, output, of.targets, temperature, &entropy);
  const std::string what =
      std::to_string(hidden_trains) + std::to_string(output_trains) + " T " + std::to_string(temperature);
  expect_within(log_probs, expected, allowed.log_prob_M, "log-probabilities " + what);
  expect_within(entropy, -(all.exp() * all).sum(1), allowed.entropy_M, "entropy " + what);
  EXPECT_FALSE(entropy.requires_grad());
  if (!hidden_trains && !output_trains) {
    EXPECT_FALSE(log_probs.requires_grad());
    return;
  }
  (log_probs * of.weights).sum().backward();
  (expected * of.weights.to(torch::kFloat64)).sum().backward();
  EXPECT_EQ(hidden.grad().defined(), hidden_trains) << what;
  EXPECT_EQ(output.grad().defined(), output_trains) << what;
  if (hidden_trains) expect_within(hidden.grad(), h.grad(), allowed.hidden_Md, "gradient of the states " + what);
  if (output_trains) expect_within(output.grad(), w.grad(), allowed.output_Vd, "gradient of the output matrix " + what);
}

TEST(ChosenLogProbs, MatchLogSoftmaxWhateverIsTrained) {
  // Below the small vocabulary; above it in one chunk; and in three chunks, the last one short.
  for (const auto& [rows, vocabulary] : {std::pair<std::int64_t, std::int64_t>{9, 50}, {9, 9001}, {230, 180'000}}) {
    const Projection in_double(rows, vocabulary, torch::kFloat64), in_float(rows, vocabulary, torch::kFloat32);
    for (const bool hidden : {false, true})
      for (const bool output : {false, true}) {
        // In double the expected numbers are rounded too.
        if (rows < 100) expect_as_composed(in_double, hidden, output, 0.7, 2.0 * rounding::twice);
        if (rows < 100 || (hidden && output)) expect_as_composed(in_float, hidden, output, 1.3, rounding::single);
      }
  }
}

TEST(ChosenLogProbs, OfASmallVocabularyAreTheBytesOfLogitsAndTokenLogProbs) {
  const Projection of(40, 300, torch::kFloat32);
  auto h1 = of.hidden.clone().requires_grad_(true), w1 = of.output.clone().requires_grad_(true);
  auto h2 = of.hidden.clone().requires_grad_(true), w2 = of.output.clone().requires_grad_(true);
  const auto first = chosen_log_probs(h1, w1, of.targets, 0.9),
             second = token_log_probs(h2.mm(w2.t()), of.targets, 0.9);
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
  EXPECT_NEAR(log_probs[0].item<double>(), -std::log(9000.0), std::log(9000.0) * rounding::of_chain({9000}, 2));
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

TEST(ClippedPolicyLoss, IsClippedOnTheSideThatWouldOvershoot) {
  // ratios 1.5 and .5, clip .2. A = +1: -1.2 (clipped), -.5 (not). A = -1: 1.5 (not), .8 (clipped).
  const auto old_log_probs = torch::full({4}, std::log(0.4), torch::kFloat64);
  const auto ratios = torch::tensor({1.5, 0.5, 1.5, 0.5}, torch::kFloat64);
  auto new_log_probs = (old_log_probs + ratios.log()).requires_grad_(true);
  const auto advantages = torch::tensor({1.0, 1.0, -1.0, -1.0}, torch::kFloat64);
  const auto loss = clipped_policy_loss((new_log_probs - old_log_probs).exp(), advantages, {0.2, 0.2});
  EXPECT_THAT(doubles(loss), ElementsAre(near(-1.2), near(-0.5), near(1.5), near(0.8)));
  loss.sum().backward();
  // d(-A r)/d log p = -A r where not clipped, 0 where clipped.
  EXPECT_THAT(doubles(new_log_probs.grad()), ElementsAre(near(0.0), near(-0.5), near(1.5), near(0.0)));
}

TEST(ClippedPolicyLoss, AtRatioOneTheGradientIsThePolicyGradient) {
  auto log_probs = torch::tensor({-1.0, -2.0}, torch::kFloat64).requires_grad_(true);
  clipped_policy_loss((log_probs - log_probs.detach()).exp(), torch::tensor({0.7, -0.4}, torch::kFloat64), {0.2, 0.2})
      .sum()
      .backward();
  EXPECT_THAT(doubles(log_probs.grad()), ElementsAre(near(-0.7), near(0.4)));
}

TEST(ClippedValueLoss, TakesTheLargerOfClippedAndPlain) {
  // old 0, clip .2. v = .5, R = 1: plain .125, clipped at .2 gives .32 -> .32. v = .5, R = 0: .125 > .02 -> .125.
  // v = -.5, R = -1: clipped at -.2 gives .32. v = .1, R = 1: within the clip, .405.
  const auto values = torch::tensor({0.5, 0.5, -0.5, 0.1}, torch::kFloat64);
  const auto returns = torch::tensor({1.0, 0.0, -1.0, 1.0}, torch::kFloat64);
  EXPECT_THAT(doubles(clipped_value_loss(values, torch::zeros({4}, torch::kFloat64), returns, 0.2)),
              ElementsAre(near(0.32), near(0.125), near(0.32), near(0.405)));
}

}  // namespace
}  // namespace rlaif::train
