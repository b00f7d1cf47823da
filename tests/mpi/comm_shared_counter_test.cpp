#include <gtest/gtest.h>

#include <vector>

#include "rlaif/comm/shared_counter.hpp"

namespace rlaif::comm {
namespace {

TEST(SharedCounter, AddsUpOverRanksAndReturnsTheValueBefore) {
  const auto world = Communicator::world();
  SharedCounter counter(world, 5);
  std::vector<double> seen(static_cast<std::size_t>(3 * world.size()), 0.0);
  for (int i = 0; i < 3; ++i) seen.at(static_cast<std::size_t>(counter.add(1) - 5)) += 1.0;
  world.all_reduce_sum(seen);
  EXPECT_EQ(seen, std::vector<double>(seen.size(), 1.0));
  world.barrier();
  EXPECT_EQ(counter.add(0), 5 + 3 * world.size());
}

TEST(SharedCounter, NeverGivesOutMoreThanThereIs) {
  const auto world = Communicator::world();
  std::vector<double> taken{0.0};
  {
    SharedCounter budget(world, 1000);
    for (int i = 0; i < 400; ++i) {
      const std::int64_t amount = 1 + (i * 7 + world.rank()) % 13;
      if (!budget.take(amount)) continue;
      taken[0] += static_cast<double>(amount);
      if (i % 5 == 0) {  // a reservation that was not needed
        budget.add(amount);
        taken[0] -= static_cast<double>(amount);
      }
    }
    world.barrier();
    world.all_reduce_sum(taken);
    EXPECT_LE(taken[0], 1000.0);
    EXPECT_GT(taken[0], 1000.0 - 13.0 * world.size());
    EXPECT_EQ(budget.add(0), 1000 - static_cast<std::int64_t>(taken[0]));
    world.barrier();
  }
}

}  // namespace
}  // namespace rlaif::comm
