// One number that all ranks add to.
#pragma once

#include <cstdint>
#include <memory>

#include "rlaif/comm/communicator.hpp"

namespace rlaif::comm {

// An integer in rank 0's memory. A thread there answers the other ranks' messages, also while rank 0 computes. (Not a window
// with MPI_Fetch_and_op: over networks without remote atomics Open MPI 4.1 makes none, or answers only when rank 0 enters MPI.)
class SharedCounter {
 public:
  SharedCounter(const Communicator& comm, std::int64_t initial);  // collective; the root's initial value counts
  ~SharedCounter();                                               // collective
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;

  // Adds and returns the value before. Not collective.
  std::int64_t add(std::int64_t amount);
  // Takes the amount out where so much is left, else nothing. What others hold for a moment may make it say false though
  // enough was left; what all have taken together never exceeds what was there.
  bool take(std::int64_t amount);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rlaif::comm
