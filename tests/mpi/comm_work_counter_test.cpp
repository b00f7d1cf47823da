#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::comm {
namespace {

std::vector<double> times_handed_out(const Communicator& comm, std::int64_t total) {
  std::vector<double> times(static_cast<std::size_t>(total), 0.0);
  {
    WorkCounter counter(comm, total);
    std::int64_t last = -1;
    for (std::int64_t item = counter.next(); item >= 0; item = counter.next()) {
      EXPECT_GT(item, last);
      EXPECT_LT(item, total);
      last = item;
      times[static_cast<std::size_t>(item)] += 1.0;
    }
    EXPECT_EQ(counter.next(), -1);
  }
  comm.all_reduce_sum(times);
  return times;
}

TEST(WorkCounter, HandsOutEveryItemExactlyOnce) {
  const auto world = Communicator::world();
  for (std::int64_t total : {0, 1, 2, 3, 100, 1003})
    EXPECT_EQ(times_handed_out(world, total), std::vector<double>(static_cast<std::size_t>(total), 1.0));
}

TEST(WorkCounter, OneRankAloneTakesItemsInOrder) {
  const auto self = Communicator::self();
  WorkCounter counter(self, 4);
  for (std::int64_t item : {0, 1, 2, 3, -1, -1}) EXPECT_EQ(counter.next(), item);
}

TEST(WorkCounter, AnswersOnOneNodeWhileRankZeroComputes) {
  const auto world = Communicator::world();
  if (world.size() == 1 || world.local_size() != world.size()) GTEST_SKIP() << "needs several ranks on one node";
  WorkCounter counter(world, 50);
  world.barrier();
  const auto begin = std::chrono::steady_clock::now();
  if (world.is_root()) {
    // Busy outside MPI, as in a matrix product.
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(800)) std::this_thread::yield();
  } else {
    while (counter.next() >= 0) {
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(700));
  }
}

TEST(WorkCounter, AFailureThatAllRanksAgreeOnUnwindsPastIt) {
  const auto world = Communicator::world();
  const auto work = [&] {
    WorkCounter counter(world, 10);
    counter.next();
    world.agree([&] {
      if (world.rank() == world.size() - 1) throw input_error("bad item");
    });
  };
  EXPECT_THROW(work(), Error);
  EXPECT_EQ(times_handed_out(world, 20), std::vector<double>(20, 1.0));
}

}  // namespace
}  // namespace rlaif::comm
