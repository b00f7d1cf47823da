// Gradient sums over a device communicator, with MPI in the place of NCCL.
#include <gtest/gtest.h>

#include "mpi/fake_plugin.hpp"
#include "rlaif/train/loop.hpp"

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
  EXPECT_TRUE(torch::allclose(parameters.gradients(), expected, 1e-6, 1e-6));
  EXPECT_NEAR(expected[0].item<double>(), -30.0, 1e-4);
}

}  // namespace
}  // namespace rlaif::train
