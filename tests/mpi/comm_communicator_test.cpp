#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::comm {
namespace {

static_assert(!std::is_copy_constructible_v<Communicator> && std::is_nothrow_move_constructible_v<Communicator>);

// Sizes on both sides of the switch between the two ways to reduce, and no multiples of the number of ranks.
const std::vector<std::size_t> lengths = {0, 1, 5, 511, 1031, 20011};

template <class T>
std::vector<T> values_of(int rank, std::size_t length) {
  Rng rng(11, Stream::test, {static_cast<std::uint64_t>(rank)});
  std::vector<T> values(length);
  for (T& v : values) v = static_cast<T>(rng.normal() * std::exp2(static_cast<double>(rng.below(30))));
  return values;
}

template <class T>
std::vector<T> sum_in_order_of_ranks(int ranks, std::size_t length) {
  std::vector<T> sum = values_of<T>(0, length);
  for (int r = 1; r < ranks; ++r) {
    const auto theirs = values_of<T>(r, length);
    for (std::size_t i = 0; i < length; ++i) sum[i] += theirs[i];
  }
  return sum;
}

template <class T>
void expect_ordered_sums(const Communicator& comm) {
  for (std::size_t length : lengths) {
    auto values = values_of<T>(comm.rank(), length);
    comm.all_reduce_sum(std::span<T>(values));
    EXPECT_EQ(values, sum_in_order_of_ranks<T>(comm.size(), length)) << length;
  }
}

TEST(Communicator, KnowsItsRanks) {
  const auto world = Communicator::world();
  EXPECT_GE(world.rank(), 0);
  EXPECT_LT(world.rank(), world.size());
  EXPECT_EQ(world.is_root(), world.rank() == 0);
  EXPECT_LT(world.local_rank(), world.local_size());
  EXPECT_LE(world.local_size(), world.size());
  const auto self = Communicator::self();
  EXPECT_EQ(self.rank(), 0);
  EXPECT_EQ(self.size(), 1);
}

TEST(Communicator, MovesLeaveOneOwner) {
  auto first = Communicator::world();
  const int rank = first.rank();
  Communicator second = std::move(first);
  EXPECT_EQ(second.rank(), rank);
  second = Communicator::world();
  second.barrier();
  EXPECT_EQ(second.rank(), rank);
}

TEST(Communicator, BroadcastGivesEveryRankTheRootsBytes) {
  const auto world = Communicator::world();
  for (int root = 0; root < world.size(); ++root) {
    const std::string expected = "from rank " + std::to_string(root) + std::string(root, '!') + std::string(1, '\0');
    std::string text = world.rank() == root ? expected : "something longer that stood here before";
    world.broadcast(text, root);
    EXPECT_EQ(text, expected);

    std::vector<double> numbers(7, world.rank() + 0.5);
    world.broadcast(std::as_writable_bytes(std::span<double>(numbers)), root);
    EXPECT_EQ(numbers, std::vector<double>(7, root + 0.5));
  }
}

TEST(Communicator, SumsAreAddedInTheOrderOfRanks) {
  const auto world = Communicator::world();
  expect_ordered_sums<double>(world);
  expect_ordered_sums<float>(world);
}

TEST(Communicator, MaximumIsOverRanksAndNanWins) {
  const auto world = Communicator::world();
  for (std::size_t length : lengths) {
    std::vector<double> values(length);
    for (std::size_t i = 0; i < length; ++i)
      values[i] = -10.0 + static_cast<double>((i + static_cast<std::size_t>(world.rank())) % 5);
    if (length > 2 && world.rank() == world.size() - 1) values[2] = std::numeric_limits<double>::quiet_NaN();
    world.all_reduce_max(values);
    for (std::size_t i = 0; i < length; ++i) {
      if (i == 2) {
        EXPECT_TRUE(std::isnan(values[i]));
        continue;
      }
      double expected = -10.0;
      for (int r = 0; r < world.size(); ++r)
        expected = std::max(expected, -10.0 + static_cast<double>((i + static_cast<std::size_t>(r)) % 5));
      EXPECT_EQ(values[i], expected);
    }
  }
}

std::string word_of(int rank) { return std::string(static_cast<std::size_t>(rank) * 37, 'a') + std::to_string(rank); }

void expect_gathered(const Communicator& comm) {
  std::vector<std::string> expected;
  for (int r = 0; r < comm.size(); ++r) expected.push_back(word_of(r));
  EXPECT_EQ(comm.all_gather(word_of(comm.rank())), expected);
  for (int root = 0; root < comm.size(); ++root)
    EXPECT_EQ(comm.gather(word_of(comm.rank()), root), comm.rank() == root ? expected : std::vector<std::string>());
}

void expect_exchanged(const Communicator& comm) {
  const auto block = [](int from, int to) {
    return std::vector<float>(static_cast<std::size_t>(3 * from + to), static_cast<float>(10 * from + to));
  };
  std::vector<std::vector<float>> send, expected;
  for (int r = 0; r < comm.size(); ++r) {
    send.push_back(block(comm.rank(), r));
    expected.push_back(block(r, comm.rank()));
  }
  EXPECT_EQ(comm.all_to_all(send), expected);
}

TEST(Communicator, StringsAreGatheredInTheOrderOfRanks) { expect_gathered(Communicator::world()); }

TEST(Communicator, AllToAllBringsEveryBlockToItsRank) { expect_exchanged(Communicator::world()); }

TEST(Communicator, MessagesLongerThanTheLimitGoInPieces) {
  auto world = Communicator::world();
  world.limit_messages(16);
  expect_gathered(world);
  expect_exchanged(world);
  std::string text = world.is_root() ? std::string(1003, 'x') + "y" : "";
  world.broadcast(text);
  EXPECT_EQ(text, std::string(1003, 'x') + "y");
  std::vector<double> values = values_of<double>(world.rank(), 101);
  world.all_reduce_sum(values);
  EXPECT_EQ(values, sum_in_order_of_ranks<double>(world.size(), 101));
}

TEST(Communicator, AnyIsTrueEverywhereIfTrueSomewhere) {
  const auto world = Communicator::world();
  EXPECT_FALSE(world.any(false));
  for (int r = 0; r < world.size(); ++r) EXPECT_TRUE(world.any(world.rank() == r));
}

// What agree threw on this rank: "" for nothing, "peer" for a PeerError, else the message.
std::string thrown(const Communicator& comm, const std::function<void()>& f, ErrorKind expected_kind) {
  try {
    comm.agree(f);
  } catch (const PeerError& error) {
    EXPECT_EQ(error.kind(), expected_kind);
    return "peer";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), expected_kind);
    return error.what();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(Agree, PassesWhereNoRankFails) {
  const auto world = Communicator::world();
  int calls = 0;
  EXPECT_EQ(thrown(world, [&] { ++calls; }, ErrorKind::internal), "");
  EXPECT_EQ(calls, 1);
}

TEST(Agree, OneFailingRankGivesOneMessageAndPeerErrorsElsewhere) {
  const auto world = Communicator::world();
  for (int failing = 0; failing < world.size(); ++failing) {
    const auto f = [&] {
      if (world.rank() == failing) throw input_error("bad line");
    };
    EXPECT_EQ(thrown(world, f, ErrorKind::input), world.rank() == failing ? "bad line" : "peer");
  }
}

TEST(Agree, OfManyFailingRanksTheLowestSpeaks) {
  const auto world = Communicator::world();
  const auto f = [&] {
    if (world.rank() == 0) throw usage_error("zero");
    throw input_error("other");
  };
  EXPECT_EQ(thrown(world, f, ErrorKind::usage), world.rank() == 0 ? "zero" : "peer");
}

TEST(Agree, AnExceptionOfTheLibraryCountsAsInternal) {
  const auto world = Communicator::world();
  const int last = world.size() - 1;
  const auto f = [&] {
    if (world.rank() == last) throw std::length_error("too long");
  };
  EXPECT_EQ(thrown(world, f, ErrorKind::internal), world.rank() == last ? "too long" : "peer");
}

TEST(Agree, NestedKeepsTheMessageOfTheRankThatFailedFirst) {
  const auto world = Communicator::world();
  const int last = world.size() - 1;
  const auto inner = [&] {
    if (world.rank() == last) throw input_error("deep");
  };
  const std::string message = thrown(world, [&] { world.agree(inner); }, ErrorKind::input);
  EXPECT_EQ(message, world.rank() == last ? "deep" : "peer");
}

TEST(OnRoot, RunsOnceAndItsFailureIsEverybodys) {
  const auto world = Communicator::world();
  std::vector<double> calls = {0.0};
  world.on_root([&] { calls[0] += 1.0; });
  world.all_reduce_sum(calls);
  EXPECT_EQ(calls[0], 1.0);
  if (world.is_root())
    EXPECT_THROW(world.on_root([] { throw input_error("no such deck"); }), Error);
  else
    EXPECT_THROW(world.on_root([] { throw input_error("no such deck"); }), PeerError);
}

TEST(RequireEqual, PassesForEqualTextsAndNamesTheFirstLineThatDiffers) {
  const auto world = Communicator::world();
  const std::string deck = "seed = 1\nmodel = small\nsteps = 10\n";
  world.require_equal(deck, "the deck");
  if (world.size() == 1) return;
  const int odd = world.size() - 1;
  const std::string mine = world.rank() == odd ? "seed = 1\nmodel = large\nsteps = 10\n" : deck;
  try {
    world.require_equal(mine, "the deck");
    FAIL() << "different decks passed";
  } catch (const PeerError& error) {
    EXPECT_NE(world.rank(), odd);
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  } catch (const Error& error) {
    EXPECT_EQ(world.rank(), odd);
    EXPECT_EQ(std::string(error.what()), "the deck differs between rank 0 and rank " + std::to_string(odd) +
                                             ", line 2: 'model = small' there, 'model = large' here");
  }
}

TEST(RequireEqual, SeesATextThatOnlyGoesOn) {
  const auto world = Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "one rank has nothing to differ from";
  EXPECT_THROW(world.require_equal(world.is_root() ? "a\n" : "a\nb", "x"), Error);
}

}  // namespace
}  // namespace rlaif::comm
