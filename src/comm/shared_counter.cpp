#include "rlaif/comm/shared_counter.hpp"

#include <exception>

#include "mpi_handle.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::comm {

struct SharedCounter::State {
  std::int64_t own = 0;  // where one rank is alone; otherwise the value lies in the window
  MPI_Win window = MPI_WIN_NULL;
  int exceptions_at_birth = 0;
};

SharedCounter::SharedCounter(const Communicator& comm, std::int64_t initial) : state_(std::make_unique<State>()) {
  state_->exceptions_at_birth = std::uncaught_exceptions();
  state_->own = initial;
  if (comm.size() == 1) return;
  // MPI_Win_allocate, not MPI_Win_create: memory that MPI chose is what it can reach without rank 0's help.
  std::int64_t* value = nullptr;
  const MPI_Aint bytes = comm.is_root() ? static_cast<MPI_Aint>(sizeof *value) : 0;
  RLAIF_MPI(MPI_Win_allocate(bytes, sizeof *value, MPI_INFO_NULL, comm.handle().comm, &value, &state_->window));
  RLAIF_MPI(MPI_Win_set_errhandler(state_->window, MPI_ERRORS_RETURN));
  RLAIF_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, state_->window));
  if (comm.is_root()) *value = initial;
  RLAIF_MPI(MPI_Win_sync(state_->window));
  comm.barrier();
}

SharedCounter::~SharedCounter() {
  // Freeing a window waits for all ranks: not while this one alone unwinds.
  if (state_->window == MPI_WIN_NULL || std::uncaught_exceptions() > state_->exceptions_at_birth) return;
  RLAIF_MPI(MPI_Win_unlock_all(state_->window));
  RLAIF_MPI(MPI_Win_free(&state_->window));
}

std::int64_t SharedCounter::add(std::int64_t amount) {
  State& s = *state_;
  std::int64_t before = s.own;
  if (s.window == MPI_WIN_NULL) {
    s.own += amount;
  } else {
    RLAIF_MPI(MPI_Fetch_and_op(&amount, &before, MPI_INT64_T, 0, 0, MPI_SUM, s.window));
    RLAIF_MPI(MPI_Win_flush(0, s.window));
  }
  return before;
}

bool SharedCounter::take(std::int64_t amount) {
  RLAIF_CHECK(amount >= 0, "an amount to take is not negative");
  if (add(-amount) >= amount) return true;
  add(amount);
  return false;
}

}  // namespace rlaif::comm
