#include "rlaif/core/rng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rlaif {
namespace {

using ::testing::ElementsAre;

// The published known answers of Philox4x32-10 (Random123, kat_vectors).
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_THAT(philox4x32({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u));
  EXPECT_THAT(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
              ElementsAre(0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu));
  EXPECT_THAT(philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}),
              ElementsAre(0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u));
}

TEST(Rng, DrawsFollowFromItsKeyAlone) {
  Rng one(7, Stream::test, {1, 2}), again(7, Stream::test, {1, 2}), other(7, Stream::test, {2, 1});
  const std::uint64_t first = one.next_u64();
  EXPECT_EQ(first, again.next_u64());
  EXPECT_NE(first, other.next_u64());
  EXPECT_EQ(one.next_u64(), again.next_u64());
}

TEST(Rng, BelowABoundEveryNumberComes) {
  Rng rng(0, Stream::test, {3});
  std::array<int, 5> counts{};
  for (int i = 0; i < 5000; ++i) ++counts[rng.below(5)];
  // Binomial with 5000 draws of probability 1/5: six standard deviations are 170.
  for (const int count : counts) EXPECT_NEAR(count, 1000, 170);
}

}  // namespace
}  // namespace rlaif
