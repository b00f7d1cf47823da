#include "rlaif/core/file_lock.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "rlaif/core/error.hpp"
#include "rlaif/core/host.hpp"

namespace rlaif {
namespace {

namespace fs = std::filesystem;

class FileLockTest : public ::testing::Test {
 protected:
  FileLockTest() : file_(fs::temp_directory_path() / ("rlaif-lock-" + std::to_string(::getpid()))) {}
  ~FileLockTest() override { fs::remove(file_); }
  fs::path file_;
};

TEST_F(FileLockTest, IsTakenOnceAndAgainWhenItsHolderIsGone) {
  {
    FileLock first, second;
    EXPECT_EQ(first.take(file_), FileLock::Result::taken);
    EXPECT_EQ(second.take(file_), FileLock::Result::held);
    EXPECT_FALSE(second.is_open());
    const FileLock moved = std::move(first);
    EXPECT_TRUE(moved.is_open());
    EXPECT_EQ(second.take(file_), FileLock::Result::held);
  }
  FileLock third;
  EXPECT_EQ(third.take(file_), FileLock::Result::taken);
}

TEST_F(FileLockTest, ReadersShareIt) {
  FileLock made;
  ASSERT_EQ(made.take(file_), FileLock::Result::taken);
  made = FileLock();
  const int one = ::open(file_.c_str(), O_RDONLY), two = ::open(file_.c_str(), O_RDONLY);
  EXPECT_EQ(try_lock(one, file_, FileLock::Mode::shared), FileLock::Result::taken);
  EXPECT_EQ(try_lock(two, file_, FileLock::Mode::shared), FileLock::Result::taken);
  EXPECT_EQ(try_lock(two, file_), FileLock::Result::held);
  ::close(one);
  ::close(two);
}

TEST_F(FileLockTest, AFileThatCannotBeOpenedIsNamed) {
  FileLock lock;
  try {
    lock.take(file_ / "below");
    FAIL() << "an error was expected";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resource);
    EXPECT_NE(std::string(error.what()).find("below"), std::string::npos);
  }
}

TEST(FileLockErrors, OnlyThoseOfAFileSystemWithoutLocksSaySo) {
  for (const int error : {ENOSYS, ENOLCK, EOPNOTSUPP, ENOTSUP, EINVAL, 524}) EXPECT_TRUE(says_no_locks(error)) << error;
  for (const int error : {EWOULDBLOCK, EAGAIN, EINTR, EIO, EBADF, ENOSPC, ESTALE})
    EXPECT_FALSE(says_no_locks(error)) << error;
}

TEST(HolderText, ReadsBackToTheSameHolder) {
  for (const Holder& holder : {Holder{"a", "", 12}, Holder{"node-3.site", "4711", 1}, Holder::here()}) {
    const auto read = Holder::parse(holder.text());
    ASSERT_TRUE(read.has_value()) << holder.text();
    EXPECT_EQ(read->text(), holder.text());
  }
}

TEST(HolderText, WhatIsCutOffOrOfAnotherFormNamesNobody) {
  for (const char* text : {"", "host a", "host a, process ", "host a, process x", "host , process 3",
                           "host a, process 3, Slurm", "process 3", "\n"}) {
    EXPECT_FALSE(Holder::parse(text).has_value()) << text;
  }
}

TEST(HolderText, AProcessThatHasEndedIsGone) {
  EXPECT_FALSE(Holder::here().is_gone());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE((Holder{host_name(), "", child}).is_gone());
  EXPECT_FALSE((Holder{"another-" + host_name(), "", child}).is_gone());
}

}  // namespace
}  // namespace rlaif
