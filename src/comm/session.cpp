#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include "mpi_handle.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"

namespace rlaif::comm {
namespace {

std::atomic<bool> abort_under_way{false};

bool mpi_is_usable() {
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized != 0 && finalized == 0;
}

// Ranks that wait in MPI spin. Where they are more than the cores, each must give way to the one it waits for;
// mpirun sees to it (the value it set is kept), srun does not, and such a job all but hangs.
void give_way_when_oversubscribed() {
  int ranks_here = 0;
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_STEP_TASKS_PER_NODE"})
    if (const char* text = std::getenv(name); text != nullptr && ranks_here == 0) ranks_here = std::atoi(text);
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return;
  if (ranks_here > CPU_COUNT(&cores)) setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
}

// Ranks that fail together speak in turn: the first one's abort ends the others before they repeat it.
void wait_turn(int rank) {
  constexpr int step_ms = 50;
  constexpr int longest_ms = 500;
  const int wait_ms = rank < longest_ms / step_ms ? rank * step_ms : longest_ms;
  std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
}

}  // namespace

Session::Session(int* argc, char*** argv) {
  RLAIF_CHECK(!mpi_is_usable(), "one Session a process");
  give_way_when_oversubscribed();
  int provided = MPI_THREAD_SINGLE;
  // MULTIPLE: beside the main thread, one of rank 0 answers for a SharedCounter.
  RLAIF_MPI(MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided));
  if (provided < MPI_THREAD_MULTIPLE)
    abort("this MPI library was built without thread support: MPI_THREAD_MULTIPLE is needed",
          static_cast<int>(ErrorKind::resource));
  RLAIF_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  RLAIF_MPI(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
  int rank = 0;
  int size = 1;
  RLAIF_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  RLAIF_MPI(MPI_Comm_size(MPI_COMM_WORLD, &size));
  log::set_rank(rank, size);
}

Session::~Session() {
  // During unwinding the other ranks may wait elsewhere: leaving without MPI_Finalize makes the launcher
  // end them, finalizing would wait for them for ever.
  if (abort_under_way || std::uncaught_exceptions() > 0 || !mpi_is_usable()) return;
  const int code = MPI_Finalize();
  if (code != MPI_SUCCESS) std::fprintf(stderr, "rlaif: MPI_Finalize failed with code %d\n", code);
}

void Session::abort(const std::string& message, int exit_code) {
  const bool first = !abort_under_way.exchange(true);
  const bool usable = mpi_is_usable();
  int rank = 0;
  if (usable) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (first) wait_turn(rank);
  }
  std::fprintf(stderr, "rlaif: rank %d: %s\n", rank, message.c_str());
  std::fflush(nullptr);
  if (usable) MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

void mpi_failed(int code, const char* call, const char* file, int line) {
  char words[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (mpi_is_usable()) MPI_Error_string(code, words, &length);
  Session::abort(std::string(file) + ":" + std::to_string(line) + ": " + call + " failed with code " +
                     std::to_string(code) + (length > 0 ? ": " + std::string(words) : std::string()),
                 static_cast<int>(ErrorKind::resource));
}

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  RLAIF_MPI(MPI_Get_library_version(text, &length));
  const std::string all(text, static_cast<std::size_t>(length));
  return all.substr(0, all.find(','));
}

}  // namespace rlaif::comm
