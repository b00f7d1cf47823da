// The main of every MPI test binary. All ranks run all tests in the same order; a failure on any rank fails the
// run on all; rank 0 prints as GoogleTest does, other ranks print their failures only.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "rlaif/comm/communicator.hpp"

namespace {

// A rank that failed may have left the others in a collective: no test outlasts this. Set
// RLAIF_TEST_SECONDS for slow machines.
unsigned longest_test_seconds() {
  const char* text = std::getenv("RLAIF_TEST_SECONDS");
  const int seconds = text != nullptr ? std::atoi(text) : 0;
  return seconds > 0 ? static_cast<unsigned>(seconds) : 300U;
}

char timeout_message[512];

extern "C" void on_timeout(int) {
  // Only async-signal-safe calls: the launcher ends the other ranks once this one is gone.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, timeout_message, std::strlen(timeout_message));
  _exit(1);
}

class TimeLimit : public ::testing::EmptyTestEventListener {
 public:
  explicit TimeLimit(int rank) : rank_(rank) { std::signal(SIGALRM, on_timeout); }
  void OnTestStart(const ::testing::TestInfo& test) override {
    std::snprintf(timeout_message, sizeof timeout_message, "[  TIMEOUT ] rank %d: %s.%s did not end within %u s\n",
                  rank_, test.test_suite_name(), test.name(), longest_test_seconds());
    alarm(longest_test_seconds());
  }
  void OnTestEnd(const ::testing::TestInfo&) override { alarm(0); }

 private:
  int rank_;
};

class FailuresOnly : public ::testing::EmptyTestEventListener {
 public:
  explicit FailuresOnly(int rank) : rank_(rank) {}
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "[ rank %d ] %s:%d: Failure\n%s\n", rank_,
                 result.file_name() != nullptr ? result.file_name() : "unknown file", result.line_number(),
                 result.message());
  }
  void OnTestEnd(const ::testing::TestInfo& test) override {
    if (test.result()->Failed())
      std::fprintf(stderr, "[  FAILED  ] on rank %d: %s.%s\n", rank_, test.test_suite_name(), test.name());
  }

 private:
  int rank_;
};

}  // namespace

int main(int argc, char** argv) {
  rlaif::comm::Session session(&argc, &argv);
  ::testing::InitGoogleTest(&argc, argv);
  GTEST_FLAG_SET(shuffle, false);  // ranks would shuffle differently
  const auto world = rlaif::comm::Communicator::world();

  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  if (!world.is_root()) {
    delete listeners.Release(listeners.default_result_printer());
    delete listeners.Release(listeners.default_xml_generator());
    listeners.Append(new FailuresOnly(world.rank()));
  }
  listeners.Append(new TimeLimit(world.rank()));

  const int result = RUN_ALL_TESTS();
  const bool failed_somewhere = world.any(result != 0);
  if (world.is_root() && failed_somewhere && result == 0)
    std::fprintf(stderr, "[  FAILED  ] tests failed on another rank than 0\n");
  return failed_somewhere ? 1 : 0;
}
