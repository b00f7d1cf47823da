#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/lease.hpp"

namespace rlaif {
namespace {

namespace fs = std::filesystem;

class LeaseTest : public ::testing::Test {
 protected:
  LeaseTest() : folder_(fs::temp_directory_path() / ("rlaif-lease-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~LeaseTest() override { fs::remove_all(folder_); }
  fs::path file() const { return folder_ / "sft.lease"; }
  // What a process of another machine has left.
  void leave(const std::string& owner) const {
    write_file_atomic(file(), "{\"host\": \"elsewhere\", \"process\": 7, \"job\": \"12\", \"owner\": \"" + owner +
                                  "\", \"token\": \"t\"}\n");
  }
  fs::path folder_;
};

TEST_F(LeaseTest, OneOfTwoGetsItAndTheOtherSeesWho) {
  const auto first = Lease::take(file(), "runs/a", 10);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(Lease::take(file(), "runs/b", 10), nullptr);
  LeaseWatch watch(file(), "runs/b", 60);
  EXPECT_EQ(watch.look(), LeaseWatch::State::held);
  EXPECT_EQ(watch.holder().owner, "runs/a");
  EXPECT_EQ(watch.holder().process, ::getpid());
  EXPECT_THAT(watch.holder().text(), ::testing::StartsWith("runs/a (host "));
}

TEST_F(LeaseTest, IsFreeWhenItsHolderIsDone) {
  Lease::take(file(), "runs/a", 10).reset();
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_EQ(LeaseWatch(file(), "runs/b", 60).look(), LeaseWatch::State::free);
  EXPECT_NE(Lease::take(file(), "runs/b", 10), nullptr);
}

TEST_F(LeaseTest, AHolderWithoutASignOfLifeIsDeadAfterAWhile) {
  leave("runs/a");
  LeaseWatch watch(file(), "runs/b", 0.2);
  EXPECT_EQ(watch.look(), LeaseWatch::State::held);
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  EXPECT_EQ(watch.look(), LeaseWatch::State::dead);
  EXPECT_TRUE(watch.remove_dead());
  EXPECT_NE(Lease::take(file(), "runs/b", 10), nullptr);
}

TEST_F(LeaseTest, ABeatingHolderIsNot) {
  const auto lease = Lease::take(file(), "runs/a", 0.05);
  LeaseWatch watch(file(), "runs/b", 0.3);
  for (int look = 0; look < 4; ++look) {
    EXPECT_EQ(watch.look(), LeaseWatch::State::held) << look;
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }
}

TEST_F(LeaseTest, AProcessOfThisHostThatIsGoneIsDeadAtOnce) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  write_file_atomic(file(), std::string("{\"host\": \"") + host + "\", \"process\": " + std::to_string(child) +
                                ", \"owner\": \"runs/a\", \"token\": \"t\"}\n");
  EXPECT_EQ(LeaseWatch(file(), "runs/b", 60).look(), LeaseWatch::State::dead);
}

TEST_F(LeaseTest, WhatTheOwnerItselfLeftBehindIsDeadAtOnce) {
  leave("runs/a");
  EXPECT_EQ(LeaseWatch(file(), "runs/a", 60).look(), LeaseWatch::State::dead);
}

TEST_F(LeaseTest, ADeadLeaseThatSomebodyElseTookStaysTheirs) {
  leave("runs/a");
  LeaseWatch slow(file(), "runs/b", 0.0);
  ASSERT_EQ(slow.look(), LeaseWatch::State::dead);
  fs::remove(file());
  const auto fast = Lease::take(file(), "runs/c", 10);
  ASSERT_NE(fast, nullptr);
  EXPECT_FALSE(slow.remove_dead());
  LeaseWatch watch(file(), "runs/d", 60);
  EXPECT_EQ(watch.look(), LeaseWatch::State::held);
  EXPECT_EQ(watch.holder().owner, "runs/c");
}

TEST_F(LeaseTest, AFileThatIsNoneHasAHolderWithoutAName) {
  std::ofstream(file()) << "garbage";
  LeaseWatch watch(file(), "runs/b", 60);
  EXPECT_EQ(watch.look(), LeaseWatch::State::held);
  EXPECT_EQ(watch.holder().text(), "somebody");
}

TEST_F(LeaseTest, AFolderThatCannotBeWrittenToIsSaid) {
  EXPECT_THROW(Lease::take("/proc/none/sft.lease", "runs/a", 10), Error);
}

}  // namespace
}  // namespace rlaif
