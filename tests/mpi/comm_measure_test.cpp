#include "rlaif/comm/measure.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace rlaif::comm {
namespace {

TEST(FittedLink, FindsTheLineThatTimesLieOn) {
  // 2 us and 4 GB/s.
  std::vector<MessageTime> times;
  for (const std::size_t bytes : {4U, 1024U, 65536U, 1048576U})
    times.push_back({bytes, 2e-6 + static_cast<double>(bytes) / 4e9});
  const Link link = fitted_link(times);
  EXPECT_NEAR(link.latency_seconds, 2e-6, 1e-12);
  EXPECT_NEAR(link.bytes_per_second, 4e9, 1.0);
}

TEST(FittedLink, WeighsRelativeErrors) {
  // Through (8 bytes, 1 us) and (8e6, 1 ms), a third message twice as slow as the line between them moves the line towards it.
  const std::vector<MessageTime> line{{8, 1e-6}, {8'000'000, 1e-3}},
      bent{{8, 1e-6}, {4'000'000, 1e-3}, {8'000'000, 1e-3}};
  EXPECT_NEAR(fitted_link(line).bytes_per_second, 7'999'992 / (1e-3 - 1e-6), 1.0);
  EXPECT_LT(fitted_link(bent).bytes_per_second, fitted_link(line).bytes_per_second);
}

TEST(FittedLink, OfTimesThatAreNoLineIsBoundedByThem) {
  const Link one = fitted_link(std::vector<MessageTime>{{1000, 1e-5}});
  EXPECT_DOUBLE_EQ(one.latency_seconds, 1e-5);
  EXPECT_DOUBLE_EQ(one.bytes_per_second, 1e8);
  const Link falling = fitted_link(std::vector<MessageTime>{{8, 2e-5}, {80000, 1e-5}});
  EXPECT_GT(falling.latency_seconds, 0.0);
  EXPECT_DOUBLE_EQ(falling.bytes_per_second, 8e9);
  EXPECT_EQ(fitted_link({}).bytes_per_second, 0.0);
}

TEST(MeasuredTimes, AreAlikeOnAllRanksAndGrowWithTheMessage) {
  const Communicator comm = Communicator::world();
  const std::vector<std::size_t> sizes{4, 4 << 20};
  std::vector<std::vector<MessageTime>> all{time_gradient_sums(comm, sizes, 0.01)};
  if (comm.size() > 1) all.push_back(time_messages(comm, comm.size() - 1, sizes, 0.01));
  for (const auto& times : all) {
    ASSERT_EQ(times.size(), 2u);
    EXPECT_EQ(times[0].bytes, 4u);
    EXPECT_EQ(times[1].bytes, std::size_t{4} << 20);
    for (const MessageTime& one : times) {
      std::vector<double> seconds{one.seconds, -one.seconds};
      comm.all_reduce_max(seconds);
      EXPECT_EQ(seconds[0], -seconds[1]);
    }
    if (comm.size() > 1) {
      EXPECT_GT(times[0].seconds, 0.0);
      EXPECT_GT(times[1].seconds, times[0].seconds);
    }
  }
}

}  // namespace
}  // namespace rlaif::comm
