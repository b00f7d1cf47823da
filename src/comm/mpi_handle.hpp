// The MPI side of a Communicator, and the one macro through which MPI is called. Internal to src/comm.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rlaif/comm/communicator.hpp"

namespace rlaif::comm {

// Prints the failing call with MPI's own words for the error and ends every rank.
[[noreturn]] void mpi_failed(int code, const char* call, const char* file, int line);

// Offsets at which a vector of `length` elements is cut into one chunk a rank: parts + 1 values from 0 to
// length, whole cache lines of floats but for the last.
std::vector<std::size_t> chunk_offsets(std::size_t length, int parts);

// Waits for all and empties the list; `what`: for the watchdog.
void wait_all(std::vector<MPI_Request>& requests, const char* what = "an exchange of blocks");

struct Communicator::Handle {
  explicit Handle(MPI_Comm duplicated);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  MPI_Comm comm = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  int local_rank = 0;
  int local_size = 1;
  // Counts are int in MPI-3, and one bound for all types keeps every one of them within it.
  std::size_t max_message_bytes = std::size_t{1} << 30;

 private:
  int exceptions_at_birth_ = 0;
};

}  // namespace rlaif::comm

#define RLAIF_MPI(call)                                                                                      \
  do {                                                                                                       \
    const int rlaif_mpi_code = (call);                                                                       \
    if (rlaif_mpi_code != MPI_SUCCESS) ::rlaif::comm::mpi_failed(rlaif_mpi_code, #call, __FILE__, __LINE__); \
  } while (false)
