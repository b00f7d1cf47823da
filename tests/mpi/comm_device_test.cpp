#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mpi/fake_plugin.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::comm {
namespace {

class DeviceCommunicatorOverAFake : public ::testing::Test {
 protected:
  void SetUp() override {
    script = Script{};
    script.comm = &world;
    script.identity = "gpu " + std::to_string(world.rank());
    plan.cuda = true;
  }
  Communicator world = Communicator::world();
  DevicePlan plan;
  PluginTable table = fake_table();
};

TEST_F(DeviceCommunicatorOverAFake, GivesAllRanksTheRootsIdAndEndsInOrder) {
  {
    DeviceCommunicator first(world, plan, 30.0, table);
    DeviceCommunicator second = std::move(first);
    EXPECT_EQ(script.id_seen, "id-of-r0");
  }
  EXPECT_EQ(script.closed, 1);
  EXPECT_EQ(script.released, 1);
  EXPECT_EQ(script.aborted, 0);
}

TEST_F(DeviceCommunicatorOverAFake, PollsUntilTheCollectiveIsOver) {
  DeviceCommunicator device(world, plan, 30.0, table);
  std::vector<float> values = {1.0F + static_cast<float>(world.rank()), 0.5F};
  device.all_reduce_sum(values.data(), values.size(), nullptr);
  device.join(nullptr);
  const auto n = static_cast<float>(world.size());
  EXPECT_EQ(values, (std::vector<float>{n * (n + 1) / 2, 0.5F * n}));
  const int root = world.size() - 1;
  const float before = values[0];
  device.reduce_sum(values.data(), 1, root, nullptr);
  device.join(nullptr);
  if (world.rank() == root) {
    EXPECT_EQ(values[0], before * n);
  }
  values[0] = before;
  device.broadcast(values.data(), 1, root, nullptr);
  device.join(nullptr);
  EXPECT_EQ(values[0], n * (n + 1) / 2);
  EXPECT_GT(script.polls, script.busy_polls);
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const PeerError&) {
    return "peer";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resource);
    return error.what();
  }
  return "";
}

TEST_F(DeviceCommunicatorOverAFake, RefusesTwoRanksOnOneGpuBeforeNcclIsAsked) {
  if (world.size() == 1) GTEST_SKIP() << "one rank shares its GPU with nobody";
  const int last = world.size() - 1;
  script.identity = world.rank() == last ? "gpu 0" : "gpu " + std::to_string(world.rank());
  const std::string message = message_of([&] { DeviceCommunicator device(world, plan, 30.0, table); });
  EXPECT_EQ(message, world.is_root() ? "ranks 0 and " + std::to_string(last) +
                                           " share GPU 0, and NCCL takes one rank a GPU: start one rank per GPU"
                                     : "peer");
  EXPECT_EQ(script.id_seen, "");
}

TEST_F(DeviceCommunicatorOverAFake, ACollectiveThatHangsIsAbortedAndNamed) {
  script.busy_polls = 0;  // what does not hang is ready at the first poll, however loaded the machine
  DeviceCommunicator device(world, plan, 0.2, table);
  std::vector<float> values(3, 1.0F);
  device.all_reduce_sum(values.data(), 3, nullptr);
  script.hangs = true;
  const auto start = std::chrono::steady_clock::now();
  const std::string message = message_of([&] { device.all_reduce_sum(values.data(), 3, nullptr); });
  EXPECT_NE(message.find("NCCL all_reduce_sum number 2 (3 floats): not over after"), std::string::npos) << message;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(script.aborted, 1);
}

TEST_F(DeviceCommunicatorOverAFake, AnAsynchronousErrorIsAbortedAndNamedAtTheJoin) {
  DeviceCommunicator device(world, plan, 30.0, table);
  std::vector<float> values(2, 1.0F);
  device.broadcast(values.data(), 2, 0, nullptr);
  script.async_failure = "remote process exited";
  const std::string message = message_of([&] { device.join(nullptr); });
  EXPECT_EQ(message, "NCCL broadcast number 1 (2 floats): remote process exited");
  EXPECT_EQ(script.aborted, 1);
  EXPECT_EQ(script.released, 0);
}

TEST(ChooseDevice, CpuIsTakenAsAskedFor) {
  const auto world = Communicator::world();
  const DevicePlan plan = choose_device(world, DeviceChoice::cpu);
  EXPECT_FALSE(plan.cuda);
  EXPECT_EQ(plan.description, "CPU: asked for");
}

TEST(ChooseDevice, WithoutAGpuAutomaticFallsBackAndCudaFailsWithOneMessage) {
  const auto world = Communicator::world();
  const DevicePlan plan = choose_device(world, DeviceChoice::automatic);
  if (plan.cuda) GTEST_SKIP() << "this machine has a GPU: " << plan.description;
  EXPECT_TRUE(plan.description.starts_with("CPU: ")) << plan.description;
  EXPECT_GT(plan.description.size(), 15U) << "a reason follows";
  const std::string message = message_of([&] { choose_device(world, DeviceChoice::cuda); });
  if (world.is_root())
    EXPECT_TRUE(message.starts_with("a GPU was asked for, but ")) << message;
  else
    EXPECT_EQ(message, "peer");
}

TEST(Nccl, SumsAndBroadcastsAsMpiDoes) {
  const auto world = Communicator::world();
  const DevicePlan plan = choose_device(world, DeviceChoice::automatic);
  if (!plan.cuda) GTEST_SKIP() << plan.description;
  if (plan.shared) GTEST_SKIP() << "one rank per GPU is needed: " << plan.description;
  const PluginTable& plugin = *loaded_plugin();
  DeviceCommunicator device(world, plan, 60.0);
  constexpr std::size_t n = 100003;
  std::vector<float> values(n), result(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>((i * 7 + 3) % 1000) * (world.rank() + 1.0F);
  PluginError error{};
  void* memory = nullptr;
  ASSERT_EQ(plugin.allocate(&memory, n * sizeof(float), &error), 0) << error.text;
  ASSERT_EQ(plugin.copy_to_device(memory, values.data(), n * sizeof(float), &error), 0) << error.text;
  device.all_reduce_sum(memory, n, nullptr);
  device.join(nullptr);
  ASSERT_EQ(plugin.copy_to_host(result.data(), memory, n * sizeof(float), &error), 0) << error.text;
  auto oracle = values;  // whole numbers: exact in any order
  world.all_reduce_sum(std::span<float>(oracle));
  EXPECT_EQ(result, oracle);

  const int root = world.size() - 1;
  ASSERT_EQ(plugin.copy_to_device(memory, values.data(), n * sizeof(float), &error), 0) << error.text;
  device.reduce_sum(memory, n, root, nullptr);
  device.join(nullptr);
  ASSERT_EQ(plugin.copy_to_host(result.data(), memory, n * sizeof(float), &error), 0) << error.text;
  if (world.rank() == root) {
    EXPECT_EQ(result, oracle);
  }
  ASSERT_EQ(plugin.copy_to_device(memory, values.data(), n * sizeof(float), &error), 0) << error.text;
  device.broadcast(memory, n, root, nullptr);
  device.join(nullptr);
  ASSERT_EQ(plugin.copy_to_host(result.data(), memory, n * sizeof(float), &error), 0) << error.text;
  oracle = values;
  world.broadcast(std::as_writable_bytes(std::span<float>(oracle)), root);
  EXPECT_EQ(result, oracle);
  plugin.free(memory);
}

TEST(ChooseDevice, RanksThatShareAGpuAreToldSoAndNcclIsRefused) {
  const auto world = Communicator::world();
  const DevicePlan plan = choose_device(world, DeviceChoice::automatic);
  if (!plan.shared) GTEST_SKIP() << "no GPU is shared: " << plan.description;
  EXPECT_THROW(DeviceCommunicator(world, plan, 60.0), Error);
}

}  // namespace
}  // namespace rlaif::comm
