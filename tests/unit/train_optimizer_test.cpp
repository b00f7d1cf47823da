#include <gtest/gtest.h>
#include <torch/optim/adamw.h>

#include <cmath>
#include <limits>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/optimizer.hpp"
#include "support/rounding.hpp"

namespace rlaif::train {
namespace {

struct Two {
  torch::Tensor matrix = torch::randn({3, 5});
  torch::Tensor vector = torch::randn({7});
};

torch::Tensor loss_of(const torch::Tensor& matrix, const torch::Tensor& vector, int step) {
  return (matrix * matrix).sum() * 0.5 + (vector * (step + 1)).sin().sum();
}

TEST(FlatParameters, KeepValuesAndShareStorageWithTheBuffers) {
  torch::manual_seed(1);
  Two two;
  const auto matrix_before = two.matrix.clone();
  FlatParameters flat({{"a", {{"matrix", two.matrix}}}, {"b", {{"vector", two.vector}}, 2.0}});
  EXPECT_TRUE(torch::equal(two.matrix, matrix_before));
  ASSERT_EQ(flat.ranges().size(), 2U);
  // 15 and 7 elements, each on its own 16.
  EXPECT_EQ(flat.ranges()[0].begin, 0);
  EXPECT_EQ(flat.ranges()[0].end, 16);
  EXPECT_EQ(flat.ranges()[1].end, 32);
  flat.values().fill_(3.0);
  EXPECT_EQ(two.vector[6].item<float>(), 3.0F);
}

TEST(FlatParameters, BackwardAccumulatesIntoTheFlatGradient) {
  torch::manual_seed(1);
  Two two;
  FlatParameters flat({{"all", {{"matrix", two.matrix}, {"vector", two.vector}}}});
  (two.matrix.sum() * 2.0 + two.vector.sum()).backward();
  (two.matrix.sum() * 0.5).backward();
  EXPECT_EQ(two.matrix.grad().data_ptr<float>(), flat.gradients().data_ptr<float>());
  EXPECT_TRUE(torch::equal(flat.gradients().narrow(0, 0, 15), torch::full({15}, 2.5F)));
  EXPECT_TRUE(torch::equal(flat.gradients().narrow(0, 16, 7), torch::ones({7})));
  flat.zero_gradients();
  EXPECT_EQ(two.matrix.grad().abs().sum().item<float>(), 0.0F);
  two.matrix.sum().backward();
  EXPECT_EQ(two.matrix.grad().data_ptr<float>(), flat.gradients().data_ptr<float>());
}

TEST(FlatParameters, LeaveParametersWithValuesAndWithoutGradients) {
  Two two;
  {
    FlatParameters flat({{"all", {{"matrix", two.matrix}}}});
  }
  EXPECT_FALSE(two.matrix.requires_grad());
  EXPECT_FALSE(two.matrix.grad().defined());
  EXPECT_EQ(two.matrix.numel(), 15);
}

TEST(ScheduledRate, WarmsUpLinearlyAndDecaysToTheEndFraction) {
  const ScheduleOptions options{1.0, 4, 0.1};
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 0, 14), 0.25);
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 3, 14), 1.0);
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 8, 14), 0.55);  // half of the ten steps of decay
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 13, 14), 0.1);
}

TEST(ScheduledRate, WithoutWarmUpStartsAtTheFullRateAndMayStayThere) {
  EXPECT_DOUBLE_EQ(scheduled_rate({0.5, 0, 0.2}, 0, 11), 0.5);
  EXPECT_DOUBLE_EQ(scheduled_rate({0.5, 0, 0.2}, 10, 11), 0.1);
  EXPECT_DOUBLE_EQ(scheduled_rate({0.5, 0, 1.0}, 7, 11), 0.5);
  EXPECT_DOUBLE_EQ(scheduled_rate({0.5, 0, 0.2}, 0, 1), 0.5);
}

TEST(AdamW, MatchesTorchOverSeveralSteps) {
  torch::manual_seed(3);
  Two two;
  auto matrix = two.matrix.clone().requires_grad_(true);
  auto vector = two.vector.clone().requires_grad_(true);
  FlatParameters flat({{"a", {{"matrix", two.matrix}}}, {"b", {{"vector", two.vector}}, 2.0}});
  AdamW own(flat, {0.9, 0.98, 1e-8, 0.01, 0.0});
  const auto torch_options = [](double rate) {
    return torch::optim::AdamWOptions(rate).betas({0.9, 0.98}).eps(1e-8).weight_decay(0.01);
  };
  torch::optim::AdamW first({matrix}, torch_options(1e-2));
  torch::optim::AdamW second({vector}, torch_options(2e-2));
  // Of a step: the gradient's own sums, Adam's products and a root. Weights are about 1 and 5 steps follow each other.
  const double rounded = 3.0 * rounding::of_chain({22, 4, 4}, 2);
  for (int step = 0; step < 5; ++step) {
    flat.zero_gradients();
    first.zero_grad();
    second.zero_grad();
    (loss_of(two.matrix, two.vector, step) * 4.0).backward();
    loss_of(matrix, vector, step).backward();
    const double norm = own.step(1e-2, 0.25);
    const double expected = std::sqrt((matrix.grad().square().sum() + vector.grad().square().sum()).item<double>());
    EXPECT_NEAR(norm, expected, 2.0 * expected * rounded);
    first.step();
    second.step();
  }
  EXPECT_TRUE(torch::allclose(two.matrix, matrix, 0.0, 5.0 * rounded));
  EXPECT_TRUE(torch::allclose(two.vector, vector, 0.0, 5.0 * rounded));
}

TEST(AdamW, ClipsTheScaledGradientToTheNorm) {
  auto parameter = torch::zeros({2});
  FlatParameters flat({{"all", {{"p", parameter}}}});
  AdamW optimizer(flat, {0.9, 0.98, 1e-8, 0.0, 1.0});
  parameter.grad().copy_(torch::tensor({30.0F, 40.0F}));
  EXPECT_NEAR(optimizer.step(0.1, 0.1), 5.0, 5.0 * rounding::of_chain({2}, 1));  // (3, 4)
  EXPECT_TRUE(torch::allclose(parameter.grad(), torch::tensor({0.6F, 0.8F})));
}

TEST(AdamW, ANonFiniteGradientThrowsAndChangesNothing) {
  auto parameter = torch::ones({3});
  FlatParameters flat({{"all", {{"p", parameter}}}});
  AdamW optimizer(flat, {});
  parameter.grad().copy_(torch::tensor({1.0F, std::numeric_limits<float>::quiet_NaN(), 0.0F}));
  EXPECT_THROW(optimizer.step(0.1, 1.0), Error);
  EXPECT_TRUE(torch::equal(parameter, torch::ones({3})));
  EXPECT_EQ(optimizer.state()[0].second.abs().sum().item<float>(), 0.0F);
}

TEST(AdamW, StepGroupsLeavesOtherGroupsAlone) {
  auto a = torch::ones({2}), b = torch::ones({2});
  FlatParameters flat({{"a", {{"a", a}}}, {"b", {{"b", b}}}});
  AdamW optimizer(flat, {0.9, 0.98, 1e-8, 0.0, 0.0});
  a.grad().fill_(3.0);
  b.grad().fill_(4.0);
  EXPECT_NEAR(optimizer.step_groups(0.1, 1.0, {"b"}), std::sqrt(32.0), 6.0 * rounding::of_chain({2}, 1));
  EXPECT_TRUE(torch::equal(a, torch::ones({2})));
  EXPECT_TRUE(torch::allclose(b, torch::full({2}, 0.9F)));  // the first step of Adam has the size of the rate
}

TEST(AdamW, ARestoredStateContinuesWithTheSameBits) {
  torch::manual_seed(5);
  Two straight;
  Two resumed{straight.matrix.clone(), straight.vector.clone()};
  FlatParameters flat({{"all", {{"matrix", straight.matrix}, {"vector", straight.vector}}}});
  FlatParameters other({{"all", {{"matrix", resumed.matrix}, {"vector", resumed.vector}}}});
  AdamW first(flat, {});
  AdamW second(other, {});
  const auto advance = [](FlatParameters& parameters, Two& two, AdamW& optimizer, int step) {
    parameters.zero_gradients();
    loss_of(two.matrix, two.vector, step).backward();
    optimizer.step(1e-2, 1.0);
  };
  for (int step = 0; step < 3; ++step) advance(flat, straight, first, step);
  other.values().copy_(flat.values());
  second.load_state(first.state());
  for (int step = 3; step < 6; ++step) {
    advance(flat, straight, first, step);
    advance(other, resumed, second, step);
  }
  EXPECT_TRUE(torch::equal(flat.values(), other.values()));
}

}  // namespace
}  // namespace rlaif::train
