#include <gtest/gtest.h>
#include <unistd.h>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/run/blocks.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

// Ten items in blocks of three, each worth its square; odd ones are left out.
class Blocks : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name;
    comm_.on_root(
        [&] { name = (fs::temp_directory_path() / ("rlaif-blocks-" + std::to_string(::getpid()))).string(); });
    comm_.broadcast(name);
    folder_ = name;
    comm_.on_root([&] { fs::remove_all(folder_); });
    expected_ = comm_.is_root() ? std::vector<Json>{0, 4, 16, 36, 64} : std::vector<Json>{};
  }
  void TearDown() override {
    comm_.barrier();
    comm_.on_root([&] { fs::remove_all(folder_); });
  }

  std::vector<Json> work(const BlockWork& plan) {
    return work_by_blocks(comm_, plan, [&](std::int64_t begin, std::int64_t end) {
      ++worked_;
      std::vector<Json> values;
      for (std::int64_t item = begin; item < end; ++item)
        if (item % 2 == 0) values.emplace_back(item * item);
      return values;
    });
  }
  // Blocks worked since the last call, on all ranks.
  double worked() {
    std::vector<double> sum{std::exchange(worked_, 0.0)};
    comm_.all_reduce_sum(std::span<double>(sum));
    return sum[0];
  }

  comm::Communicator comm_ = comm::Communicator::world();
  fs::path folder_;
  std::vector<Json> expected_;
  double worked_ = 0.0;
};

TEST_F(Blocks, ValuesComeInTheOrderOfItemsOnTheRoot) {
  EXPECT_EQ(work({"test", 10, 3}), expected_);
  EXPECT_EQ(worked(), 4.0);
  EXPECT_EQ(work({"test", 0, 3}), std::vector<Json>{});
}

TEST_F(Blocks, KeptOnesAreNotWorkedAgainUnlessTheyAreDamaged) {
  const BlockWork plan{"test", 10, 3, folder_};
  EXPECT_EQ(work(plan), expected_);
  EXPECT_EQ(worked(), 4.0);
  EXPECT_EQ(work(plan), expected_);
  EXPECT_EQ(worked(), 0.0);
  comm_.on_root([&] {
    std::string bytes = read_file(folder_ / "block-1.json");
    bytes.back() ^= 1;
    write_file_atomic(folder_ / "block-1.json", bytes);
    write_file_atomic(folder_ / "block-2.json", "");
    fs::remove(folder_ / "block-3.json");
  });
  EXPECT_EQ(work(plan), expected_);
  EXPECT_EQ(worked(), 3.0);
}

TEST_F(Blocks, AStopEndsAllRanksAndTheNextStartGoesOn) {
  BlockWork plan{"test", 10, 3, folder_};
  plan.stop_requested = [&] { return comm_.is_root() && worked_ == 1.0; };  // one rank is told, after its first block
  try {
    work(plan);
    // The others were faster than the rank that was told.
    EXPECT_EQ(worked(), 4.0);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    const double before = worked();
    plan.stop_requested = {};
    EXPECT_EQ(work(plan), expected_);
    EXPECT_EQ(before + worked(), 4.0);
  }
}

TEST_F(Blocks, AStopBeforeTheFirstBlockEndsAllRanks) {
  BlockWork plan{"test", 10, 3, folder_};
  plan.stop_requested = [] { return true; };
  try {
    work(plan);
    ADD_FAILURE() << "an Error was expected";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_EQ(worked(), 0.0);
}

}  // namespace
}  // namespace rlaif::run
