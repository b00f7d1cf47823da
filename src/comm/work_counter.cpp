#include <exception>

#include "mpi_handle.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::comm {

struct WorkCounter::State {
  std::int64_t total = 0;
  std::int64_t taken = 0;  // counts where one rank is alone; otherwise the counter lies in the window
  bool exhausted = false;
  MPI_Win window = MPI_WIN_NULL;
  int exceptions_at_birth = 0;
};

WorkCounter::WorkCounter(const Communicator& comm, std::int64_t total) : state_(std::make_unique<State>()) {
  RLAIF_CHECK(total >= 0, "a count of items is not negative");
  state_->total = total;
  state_->exceptions_at_birth = std::uncaught_exceptions();
  if (comm.size() == 1) return;
  // MPI_Win_allocate, not MPI_Win_create: memory that MPI chose is what it can reach without rank 0's help.
  std::int64_t* counter = nullptr;
  const MPI_Aint bytes = comm.is_root() ? static_cast<MPI_Aint>(sizeof *counter) : 0;
  RLAIF_MPI(MPI_Win_allocate(bytes, sizeof *counter, MPI_INFO_NULL, comm.handle().comm, &counter,
                             &state_->window));
  RLAIF_MPI(MPI_Win_set_errhandler(state_->window, MPI_ERRORS_RETURN));
  RLAIF_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, state_->window));
  if (comm.is_root()) *counter = 0;
  RLAIF_MPI(MPI_Win_sync(state_->window));
  comm.barrier();
}

WorkCounter::~WorkCounter() {
  // Freeing a window waits for all ranks: not while this one alone unwinds.
  if (state_->window == MPI_WIN_NULL || std::uncaught_exceptions() > state_->exceptions_at_birth) return;
  RLAIF_MPI(MPI_Win_unlock_all(state_->window));
  RLAIF_MPI(MPI_Win_free(&state_->window));
}

std::int64_t WorkCounter::next() {
  State& s = *state_;
  if (s.exhausted) return -1;
  std::int64_t item = 0;
  if (s.window == MPI_WIN_NULL) {
    item = s.taken++;
  } else {
    const std::int64_t one = 1;
    RLAIF_MPI(MPI_Fetch_and_op(&one, &item, MPI_INT64_T, 0, 0, MPI_SUM, s.window));
    RLAIF_MPI(MPI_Win_flush(0, s.window));
  }
  if (item < s.total) return item;
  s.exhausted = true;
  return -1;
}

}  // namespace rlaif::comm
