#include "rlaif/comm/shared_counter.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "mpi_handle.hpp"
#include "rlaif/core/error.hpp"
#include "waiting.hpp"

namespace rlaif::comm {
namespace {

constexpr int request_tag = 1;
constexpr int answer_tag = 2;

}  // namespace

struct SharedCounter::State {
  explicit State(std::int64_t initial) : value(initial) {}

  std::atomic<std::int64_t> value;  // on the root
  MPI_Comm comm = MPI_COMM_NULL;    // of this counter alone; null where one rank is alone
  bool is_root = true;
  int exceptions_at_birth = std::uncaught_exceptions();
  std::atomic<bool> stop{false};
  std::thread server;  // on the root: answers while the main thread computes

  void serve();
};

// Looks for requests every fifth of a millisecond, and less and less often, down to every two, while none come.
void SharedCounter::State::serve() {
  using namespace std::chrono_literals;
  constexpr auto shortest = 200us, longest = 2000us;
  auto pause = shortest;
  while (!stop) {
    int there = 0;
    MPI_Status status;
    RLAIF_MPI(MPI_Iprobe(MPI_ANY_SOURCE, request_tag, comm, &there, &status));
    if (there == 0) {
      std::this_thread::sleep_for(pause);
      pause = std::min(longest, pause + pause / 8);
      continue;
    }
    pause = shortest;
    std::int64_t amount = 0;
    RLAIF_MPI(MPI_Recv(&amount, 1, MPI_INT64_T, status.MPI_SOURCE, request_tag, comm, MPI_STATUS_IGNORE));
    const std::int64_t before = value.fetch_add(amount);
    RLAIF_MPI(MPI_Send(&before, 1, MPI_INT64_T, status.MPI_SOURCE, answer_tag, comm));
  }
}

SharedCounter::SharedCounter(const Communicator& comm, std::int64_t initial)
    : state_(std::make_unique<State>(initial)) {
  if (comm.size() == 1) return;
  State& s = *state_;
  s.is_root = comm.is_root();
  RLAIF_MPI(MPI_Comm_dup(comm.handle().comm, &s.comm));
  RLAIF_MPI(MPI_Comm_set_errhandler(s.comm, MPI_ERRORS_RETURN));
  if (s.is_root) s.server = std::thread([&s] { s.serve(); });
}

SharedCounter::~SharedCounter() {
  State& s = *state_;
  if (s.comm == MPI_COMM_NULL) return;
  // The root serves until all are here; not while this one alone unwinds.
  const bool unwinds = std::uncaught_exceptions() > s.exceptions_at_birth;
  if (!unwinds) {
    const Waiting waiting("the end of a shared counter");
    RLAIF_MPI(MPI_Barrier(s.comm));
  }
  s.stop = true;
  if (s.server.joinable()) s.server.join();
  if (!unwinds) RLAIF_MPI(MPI_Comm_free(&s.comm));
}

std::int64_t SharedCounter::add(std::int64_t amount) {
  State& s = *state_;
  if (s.is_root) return s.value.fetch_add(amount);
  std::int64_t before = 0;
  const Waiting waiting("a shared counter of rank 0", false);
  RLAIF_MPI(MPI_Sendrecv(&amount, 1, MPI_INT64_T, 0, request_tag, &before, 1, MPI_INT64_T, 0, answer_tag, s.comm,
                         MPI_STATUS_IGNORE));
  return before;
}

bool SharedCounter::take(std::int64_t amount) {
  RLAIF_CHECK(amount >= 0, "an amount to take is not negative");
  if (add(-amount) >= amount) return true;
  add(amount);
  return false;
}

}  // namespace rlaif::comm
