// Gradient sums over a device communicator, with MPI in the place of NCCL.
#include <gtest/gtest.h>

#include "mpi/fake_plugin.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/loop.hpp"
#include "support/rounding.hpp"

namespace rlaif::train {
namespace {

TEST(DataParallelOnDevices, SumsWhatTheGrainTreeSums) {
  const auto world = comm::Communicator::world();
  comm::script = comm::Script{};
  comm::script.comm = &world;
  comm::script.identity = "gpu " + std::to_string(world.rank());
  comm::DevicePlan plan;
  plan.cuda = true;
  const comm::PluginTable table = comm::fake_table();
  comm::DeviceCommunicator device(world, plan, 30.0, table);

  // Longer than one bucket, so that the cut shows.
  auto weight = torch::linspace(-1.0, 1.0, 7'000'000);
  FlatParameters parameters({{"all", {{"w", weight}}}});
  const auto backward = [&](int grain) -> std::vector<double> {
    (weight * weight * static_cast<double>(grain + 1)).sum().backward();
    return {static_cast<double>(grain + 1)};
  };
  DataParallel by_tree(world, 5, parameters);
  EXPECT_EQ(by_tree.accumulate(1, backward), std::vector<double>{15.0});
  const auto expected = parameters.gradients().clone();
  DataParallel by_device(world, 5, parameters, &device);
  EXPECT_EQ(by_device.accumulate(1, backward), std::vector<double>{15.0});
  EXPECT_TRUE(torch::allclose(parameters.gradients(), expected, 0.0, 30.0 * rounding::of_sum(5)));
  EXPECT_NEAR(expected[0].item<double>(), -30.0, 30.0 * rounding::of_chain({5, 2}));
}

// Over the fake, with a model whose middle parameter reaches into both buckets.
class BucketsOverAFake : public ::testing::Test {
 protected:
  void SetUp() override {
    comm::script = comm::Script{};
    comm::script.comm = &world;
    comm::script.identity = "gpu " + std::to_string(world.rank());
    plan.cuda = true;
  }
  // Where in the flat gradient the sums began that were asked for so far.
  std::vector<std::int64_t> begins(const FlatParameters& parameters) const {
    std::vector<std::int64_t> all;
    for (const auto& [floats, count] : comm::script.issued)
      all.push_back(floats - parameters.gradients().data_ptr<float>());
    return all;
  }
  const comm::Communicator world = comm::Communicator::world();
  comm::DevicePlan plan;
  const comm::PluginTable table = comm::fake_table();
};

TEST_F(BucketsOverAFake, LeaveInReverseOrderWhileTheBackwardPassOfTheLastGrainRuns) {
  comm::DeviceCommunicator device(world, plan, 30.0, table);
  constexpr std::int64_t bucket = 25'000'000 / sizeof(float);
  auto first = torch::ones({16}), second = torch::ones({bucket}), third = torch::ones({bucket / 2});
  FlatParameters parameters({{"all", {{"first", first}, {"second", second}, {"third", third}}}});
  DataParallel data_parallel(world, 2 * world.size(), parameters, &device);
  const std::int64_t total = static_cast<std::int64_t>(parameters.size());
  const std::vector<std::int64_t> expected = {total - bucket, 0};

  std::size_t issued_before_first = 0;
  const auto row = data_parallel.accumulate(1, [&](int grain) -> std::vector<double> {
    EXPECT_TRUE(comm::script.issued.empty()) << "nothing leaves before the last grain";
    data_parallel.last_backward();
    // `first` gets its gradient last: what stands behind it has left by then.
    const auto probe = first * 2.0;
    probe.register_hook([&](const torch::Tensor&) { issued_before_first = comm::script.issued.size(); });
    (probe.sum() + (second * 3.0).sum() + third.sum()).backward();
    return {static_cast<double>(grain)};
  });
  EXPECT_EQ(begins(parameters), expected);
  const int grains = 2 * world.size();
  EXPECT_EQ(row[0], grains * (grains - 1) / 2.0);
  EXPECT_EQ(parameters.gradients()[16 + bucket].item<double>(), grains);  // of `third`
  EXPECT_EQ(issued_before_first, 1U);
}

TEST_F(BucketsOverAFake, OfParametersWithoutAGradientLeaveAtTheEndInTheSameOrder) {
  comm::DeviceCommunicator device(world, plan, 30.0, table);
  auto first = torch::ones({16}), second = torch::ones({8'000'000});
  FlatParameters parameters({{"all", {{"first", first}, {"second", second}}}});
  DataParallel data_parallel(world, world.size(), parameters, &device);
  data_parallel.accumulate(1, [&](int) -> std::vector<double> {
    data_parallel.last_backward();
    (world.is_root() ? first : second).sum().backward();  // ranks differ in what they use
    return {0.0};
  });
  EXPECT_EQ(begins(parameters), (std::vector<std::int64_t>{8'000'016 - 6'250'000, 0}));
  EXPECT_EQ(parameters.gradients()[0].item<float>(), 1.0F);
  EXPECT_EQ(parameters.gradients()[16].item<float>(), static_cast<float>(world.size() - 1));
}

TEST_F(BucketsOverAFake, AShardedOptimizerOverDevicesDoesWhatOneOverHostsDoes) {
  const auto run = [&](comm::DeviceCommunicator* device) {
    torch::manual_seed(4);
    auto weight = torch::randn({50, 7}), bias = torch::randn({33});
    FlatParameters parameters({{"weight", {{"weight", weight}}}, {"bias", {{"bias", bias}}, 2.0}});
    AdamWOptions options;
    options.clip_norm = 0.5;
    AdamW optimizer(parameters, options, {&world, device});
    DataParallel data_parallel(world, 4, parameters, device, DataParallel::Result::own_shard);
    for (int step = 0; step < 3; ++step) {
      data_parallel.accumulate(1, [&](int grain) -> std::vector<double> {
        ((weight * (grain + 1)).sin().sum() + (bias * bias).sum()).backward();
        return {0.0};
      });
      optimizer.step(1e-2, 0.25);
    }
    return parameters.values().clone();
  };
  comm::DeviceCommunicator device(world, plan, 30.0, table);
  EXPECT_TRUE(torch::allclose(run(&device), run(nullptr), 0.0, 5.0 * 3.0 * rounding::of_chain({350, 4}, 2)));
}

}  // namespace
}  // namespace rlaif::train
