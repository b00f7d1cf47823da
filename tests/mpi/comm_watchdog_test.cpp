#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "rlaif/comm/watchdog.hpp"

namespace rlaif::comm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

void sleep_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

// What a rank's watchdog said.
class Heard {
 public:
  void add(const std::string& message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(message);
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

// One for all ranks.
std::filesystem::path folder_of(const Communicator& comm) {
  std::string path =
      (std::filesystem::temp_directory_path() / ("rlaif-watchdog-" + std::to_string(::getpid()))).string();
  comm.broadcast(path);
  return path;
}

TEST(Watchdog, NamesTheCollectiveAndTheRankThatIsMissing) {
  const auto comm = Communicator::world();
  const auto folder = folder_of(comm);
  Heard heard;
  {
    const Watchdog watchdog(comm, 0.8, folder, [&](const std::string& message) { heard.add(message); });
    comm.barrier();
    note_place("a stage, step 7");
    const int sleeper = comm.size() - 1;
    if (comm.rank() == sleeper) sleep_for(2.0);
    comm.any(false);
    if (comm.size() > 1 && comm.rank() != sleeper) {
      ASSERT_THAT(heard.all(), SizeIs(1));  // once, though the wait goes on
      EXPECT_THAT(heard.all().front(), AllOf(HasSubstr(" in any (collective "), HasSubstr("at a stage, step 7"),
                                             HasSubstr("not there: rank " + std::to_string(sleeper) + " ("),
                                             HasSubstr("computing or reading for ")));
      EXPECT_THAT(heard.all().front(), Not(HasSubstr("; rank ")));  // the others are there
    } else {
      EXPECT_THAT(heard.all(), IsEmpty());
    }
    comm.barrier();
  }
  comm.barrier();
  EXPECT_FALSE(std::filesystem::exists(folder)) << "words are taken back";
}

TEST(Watchdog, ASilentRankIsNamedToo) {
  const auto comm = Communicator::world();
  const auto folder = folder_of(comm);
  Heard heard;
  {
    // The last rank has no watchdog: as if its process were stopped.
    const bool is_silent = comm.size() > 1 && comm.rank() == comm.size() - 1;
    const Watchdog watchdog(comm, is_silent ? 0.0 : 0.4, folder,
                            [&](const std::string& message) { heard.add(message); });
    if (is_silent) sleep_for(1.2);
    comm.barrier();
    if (comm.size() > 1 && !is_silent) {
      ASSERT_THAT(heard.all(), SizeIs(1));
      EXPECT_THAT(heard.all().front(), AllOf(HasSubstr(" in barrier "),
                                             HasSubstr("rank " + std::to_string(comm.size() - 1) + " (says nothing")));
    }
    comm.barrier();
  }
  comm.barrier();
  if (comm.is_root()) std::filesystem::remove_all(folder);
}

TEST(Watchdog, LongWorkBetweenCollectivesIsNoHang) {
  const auto comm = Communicator::world();
  Heard heard;
  const Watchdog watchdog(comm, 0.3, folder_of(comm), [&](const std::string& message) { heard.add(message); });
  for (int i = 0; i < 3; ++i) {
    sleep_for(0.2);
    comm.barrier();
  }
  sleep_for(0.6);  // all at once
  comm.barrier();
  EXPECT_THAT(heard.all(), IsEmpty());
}

TEST(Waited, CountsTheWaitAndNotTheWork) {
  const auto comm = Communicator::world();
  const double before = waited_seconds();
  if (comm.rank() == comm.size() - 1) sleep_for(0.5);
  comm.barrier();
  const double waited = waited_seconds() - before;
  if (comm.rank() == comm.size() - 1)
    EXPECT_LT(waited, 0.3);
  else
    EXPECT_GT(waited, 0.4);
}

TEST(Waited, TheRootsWorkForAllIsAWaitOnEveryRank) {
  const auto comm = Communicator::world();
  const double before = waited_seconds();
  comm.on_root([] { sleep_for(0.4); });
  EXPECT_GT(waited_seconds() - before, 0.3);
}

TEST(Stragglers, AreThoseFarAboveTheMedian) {
  EXPECT_THAT(stragglers(std::vector<double>{100, 104, 160, 98}, std::vector<double>(4, 1.0)), ElementsAre(2));
  EXPECT_THAT(stragglers(std::vector<double>{100, 140, 149, 98}, std::vector<double>(4, 1.0)), IsEmpty());
  EXPECT_THAT(stragglers(std::vector<double>{40, 80}, std::vector<double>(2, 1.0)), ElementsAre(1));
  EXPECT_THAT(stragglers(std::vector<double>{1, 4}, std::vector<double>(2, 1.0)), IsEmpty());  // seconds are no matter
  EXPECT_THAT(stragglers(std::vector<double>{100}, std::vector<double>{1.0}), IsEmpty());
}

TEST(Stragglers, WhoHasMoreToDoMayTakeLonger) {
  EXPECT_THAT(stragglers(std::vector<double>{100, 200, 100}, std::vector<double>{1, 2, 1}), IsEmpty());
  EXPECT_THAT(stragglers(std::vector<double>{100, 200, 160}, std::vector<double>{1, 2, 1}), ElementsAre(2));
  EXPECT_THAT(stragglers(std::vector<double>{100, 110, 3}, std::vector<double>{1, 1, 0}), IsEmpty());  // nothing to do
}

}  // namespace
}  // namespace rlaif::comm
