#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "rlaif/comm/grains.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::comm {
namespace {

using Vector = std::vector<float>;

// Values of very different sizes, so that another order of addition gives other bits.
Vector grain_values(std::uint64_t step, int grain, std::size_t length) {
  Rng rng(7, Stream::test, {step, static_cast<std::uint64_t>(grain)});
  Vector values(length);
  for (float& v : values) v = static_cast<float>(rng.normal() * std::exp2(static_cast<double>(rng.below(24))));
  return values;
}

// The definition, written out: the sum of a range is the sum of its two halves at the power of two.
Vector reference_sum(std::uint64_t step, int begin, int width, int grains, std::size_t length) {
  if (width == 1) return grain_values(step, begin, length);
  Vector left = reference_sum(step, begin, width / 2, grains, length);
  if (begin + width / 2 >= grains) return left;
  const Vector right = reference_sum(step, begin + width / 2, width / 2, grains, length);
  for (std::size_t i = 0; i < length; ++i) left[i] += right[i];
  return left;
}

std::vector<std::uint32_t> bits(const Vector& values) {
  std::vector<std::uint32_t> out;
  for (float v : values) out.push_back(std::bit_cast<std::uint32_t>(v));
  return out;
}

Vector summed(GrainSum& sum, std::uint64_t step, std::size_t length) {
  for (int g = sum.own().begin; g < sum.own().end; ++g) sum.add(g, grain_values(step, g, length));
  Vector out(length, -1.0F);
  sum.reduce(out);
  return out;
}

TEST(GrainSum, IsBitForBitTheTreeSumOnAnyNumberOfRanks) {
  const auto world = Communicator::world();
  for (int grains : {1, 2, 3, 4, 5, 6, 7, 8, 11, 16}) {
    const int width = static_cast<int>(std::bit_ceil(static_cast<unsigned>(grains)));
    for (std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{17}, std::size_t{1000}}) {
      GrainSum sum(world, grains, length);
      for (std::uint64_t step : {0U, 1U, 2U})  // buffers are used again
        EXPECT_EQ(bits(summed(sum, step, length)), bits(reference_sum(step, 0, width, grains, length)))
            << grains << " grains of " << length << ", step " << step;
    }
  }
}

TEST(GrainSum, LongVectorsGoInPiecesWithTheSameBits) {
  auto world = Communicator::world();
  const std::size_t length = 5000;
  GrainSum whole(world, 5, length);
  const auto expected = bits(summed(whole, 3, length));
  world.limit_messages(1024);
  GrainSum pieces(world, 5, length);
  EXPECT_EQ(bits(summed(pieces, 3, length)), expected);
}

TEST(GrainSum, NanAndInfinityPassThrough) {
  const auto world = Communicator::world();
  const std::size_t length = 40;
  GrainSum sum(world, 4, length);
  for (int g = sum.own().begin; g < sum.own().end; ++g) {
    Vector values(length, static_cast<float>(g + 1));
    if (g == 1) values[3] = std::numeric_limits<float>::quiet_NaN();
    if (g == 2) values[39] = std::numeric_limits<float>::infinity();
    sum.add(g, values);
  }
  Vector out(length);
  sum.reduce(out);
  EXPECT_TRUE(std::isnan(out[3]));
  EXPECT_EQ(out[39], std::numeric_limits<float>::infinity());
  EXPECT_EQ(out[0], 10.0F);
  EXPECT_EQ(std::count(out.begin(), out.end(), 10.0F), 38);
}

TEST(GrainSum, ReduceScatterLeavesTheBitsOfReduceInTheOwnShard) {
  auto world = Communicator::world();
  for (const std::size_t message_bytes : {std::size_t{1} << 20, std::size_t{256}}) {
    world.limit_messages(message_bytes);
    for (const int grains : {1, 3, 4, 7})
      for (const std::size_t length : {std::size_t{0}, std::size_t{5}, std::size_t{1000}, std::size_t{4096}}) {
        GrainSum sum(world, grains, length);
        const Vector expected = summed(sum, 1, length);
        for (int g = sum.own().begin; g < sum.own().end; ++g) sum.add(g, grain_values(1, g, length));
        Vector out(length, -1.0F);
        sum.reduce_scatter(out);
        const Shard own = shard_of(length, world.rank(), world.size());
        for (std::size_t i = 0; i < length; ++i) {
          const bool mine = i >= own.begin && i < own.end;
          EXPECT_EQ(out[i], mine ? expected[i] : -1.0F) << i << " of " << length << ", " << grains << " grains";
        }
        share_shards(world, out);
        EXPECT_EQ(bits(out), bits(expected));
      }
  }
}

TEST(Shards, CoverAVectorInTheOrderOfRanksAndAreCollectedOnTheRoot) {
  const auto world = Communicator::world();
  for (const std::size_t length : {std::size_t{0}, std::size_t{16}, std::size_t{100}, std::size_t{1 << 20}}) {
    std::size_t at = 0;
    for (int r = 0; r < world.size(); ++r) {
      const Shard shard = shard_of(length, r, world.size());
      EXPECT_EQ(shard.begin, at);
      EXPECT_EQ(shard.begin % 16, 0U);
      at = shard.end;
    }
    EXPECT_EQ(at, length);
    const Shard own = shard_of(length, world.rank(), world.size());
    Vector mine(own.size());
    for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = static_cast<float>(own.begin + i);
    Vector whole(world.is_root() ? length : 0, -1.0F);
    collect_shards(world, mine, whole);
    for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_EQ(whole[i], static_cast<float>(i));
  }
}

TEST(InRankOrder, EveryRankGoesOnFromTheOneBeforeAndAllSeeTheEnd) {
  const auto world = Communicator::world();
  std::vector<double> state{1.0, 5.0};
  in_rank_order(world, state, [&] { state[0] = state[0] * 10.0 + world.rank(); });
  double expected = 1.0;
  for (int r = 0; r < world.size(); ++r) expected = expected * 10.0 + r;
  EXPECT_EQ(state, (std::vector<double>{expected, 5.0}));
}

TEST(GrainRows, AreGatheredInTheOrderOfGrainsOnEveryRank) {
  const auto world = Communicator::world();
  for (int grains : {1, 2, 5, 8}) {
    const GrainRange own = grains_of(world.rank(), world.size(), grains);
    std::vector<double> rows;
    for (int g = own.begin; g < own.end; ++g)
      for (int column = 0; column < 3; ++column) rows.push_back(10.0 * g + column);
    const auto all = gather_grain_rows(world, grains, rows, 3);
    ASSERT_EQ(all.size(), static_cast<std::size_t>(grains) * 3);
    for (int g = 0; g < grains; ++g)
      for (int column = 0; column < 3; ++column)
        EXPECT_EQ(all[static_cast<std::size_t>(g * 3 + column)], 10.0 * g + column);
  }
}

}  // namespace
}  // namespace rlaif::comm
