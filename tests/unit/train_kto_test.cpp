// Kahneman-Tversky optimisation against numbers worked by hand, and its training.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/kto.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

torch::Tensor float64s(const std::vector<double>& values) { return torch::tensor(values, torch::kFloat64); }

// Pairs with a preference, two a question.
std::vector<TokenPair> decided_pairs(std::size_t count) {
  auto pairs = answer_pairs(count, 2, 0.9);
  std::erase_if(pairs, [](const TokenPair& pair) { return pair.p_first == 0.5; });
  return pairs;
}

TEST(KtoLoss, HandWorkedNumbers) {
  const auto losses = kto_loss(float64s({2, -3}), torch::tensor({true, false}), 0.5, {});
  EXPECT_NEAR(losses[0].item<double>(), 0.462570, 1e-6);
  EXPECT_NEAR(losses[1].item<double>(), 0.413382, 1e-6);
}

TEST(KtoLoss, IsAHalfWhereTheLogRatioIsZ0AndWeighsBothKinds) {
  KtoOptions options;
  options.desirable_weight = 1.5;
  options.undesirable_weight = 0.25;
  const auto losses = kto_loss(float64s({0.7, 0.7}), torch::tensor({true, false}), 0.7, options);
  EXPECT_DOUBLE_EQ(losses[0].item<double>(), 0.75);
  EXPECT_DOUBLE_EQ(losses[1].item<double>(), 0.125);
}

TEST(KtoLoss, TheGradientIsThatOfFiniteDifferences) {
  const auto desirable = torch::tensor({true, false, true, false});
  const auto at = float64s({2.0, -3.0, -1.0, 4.0});
  const auto loss = [&](const torch::Tensor& ratios) { return kto_loss(ratios, desirable, 0.5, {}).sum(); };
  auto ratios = at.clone().requires_grad_(true);
  loss(ratios).backward();
  for (std::int64_t i = 0; i < at.numel(); ++i) {
    constexpr double step = 1e-5;
    auto above = at.clone(), below = at.clone();
    above[i] += step;
    below[i] -= step;
    // Sums of about 2 rounded to 1e-16 of themselves, over the step.
    EXPECT_NEAR(ratios.grad()[i].item<double>(), (loss(above) - loss(below)).item<double>() / (2 * step), 1e-10);
  }
}

TEST(Kto, ThePreferredAnswersBecomeLikelierThanTheOthers) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  run_kto(run, decided_pairs(60), kto_options(6));
  const auto lines = metrics_lines(run);
  // Policy and reference are the same: both kinds are at z0 = 0.
  EXPECT_NEAR(lines[0].at("loss").get<double>(), 0.5, 1e-6);
  EXPECT_NEAR(lines[0].at("kl").get<double>(), 0.0, 1e-6);
  EXPECT_GT(lines.back().at("desirable_reward").get<double>(), lines.back().at("undesirable_reward").get<double>());
  EXPECT_GT(lines.back().at("accuracy").get<double>(), 0.8);
  EXPECT_GE(lines.back().at("kl").get<double>(), 0.0);
}

TEST(Kto, AStoppedRunEndsInTheSameBytesAsAStraightOne) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder, straight_folder;
  const auto pairs = decided_pairs(40);
  StageRun run = stage_run(comm, folder.path());
  int boundaries = 0;
  run.stop_requested = [&] { return ++boundaries > 4; };
  EXPECT_THROW(run_kto(run, pairs, kto_options(2)), Error);
  run.stop_requested = [] { return false; };
  EXPECT_EQ(run_kto(run, pairs, kto_options(2)),
            run_kto(stage_run(comm, straight_folder.path()), pairs, kto_options(2)));
}

TEST(Kto, TiesAndOptionsThatCannotBeAreRefusedByName) {
  auto pairs = decided_pairs(20);
  pairs[3].p_first = 0.5;
  EXPECT_THROW(check_kto(pairs, {}, 24, "stage"), Error);
  KtoOptions options;
  options.beta = 0.0;
  try {
    check_kto_options(options, "arm.a");
    FAIL() << "a beta of 0 was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("arm.a: kto.beta above 0"));
  }
}

}  // namespace
}  // namespace rlaif::train::test
