// Collectives among ranks. The same interface over MPI (host memory) and NCCL (device memory, see device.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rlaif::comm {

// Owns MPI_Init_thread ... MPI_Finalize. Exactly one per process, first in main; every communicator dies before it.
class Session {
 public:
  Session(int* argc, char*** argv);
  ~Session();  // does not throw; finalizes unless an abort is under way
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Prints "rlaif: rank R: message" on stderr and ends every rank with `exit_code`. Does not return.
  [[noreturn]] static void abort(const std::string& message, int exit_code);
};

// Name and version of the MPI library, its first line.
std::string mpi_version();

// A group of ranks. Move-only. All calls are collective over the group unless they say otherwise.
// Every MPI error is fatal with the failing call, its file and line.
class Communicator {
 public:
  static Communicator world();  // duplicates MPI_COMM_WORLD
  static Communicator self();   // this rank alone
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  ~Communicator();

  int rank() const;
  int size() const;
  bool is_root() const { return rank() == 0; }
  int local_rank() const;  // rank among those that share this node's memory
  int local_size() const;

  void barrier() const;
  // Not collective. Gives MPI a moment to serve what other ranks ask of this one; between nodes their
  // WorkCounter::next waits for it while this rank computes. Costs under a microsecond.
  void progress() const;
  // Every rank alike: no MPI message is longer than `bytes` (default 1 GiB; MPI-3 counts are int).
  void limit_messages(std::size_t bytes);

  void broadcast(std::span<std::byte> bytes, int root = 0) const;
  void broadcast(std::string& text, int root = 0) const;  // resizes on the receivers

  // Element-wise sum over ranks, in place, added in the order of ranks (the result is the same on every rank).
  void all_reduce_sum(std::span<double> values) const;
  void all_reduce_sum(std::span<float> values) const;
  // NaN on any rank makes the result NaN on all.
  void all_reduce_max(std::span<double> values) const;

  // One string a rank, in the order of ranks, on every rank (all_gather) or on the root (gather; empty elsewhere).
  std::vector<std::string> all_gather(const std::string& mine) const;
  std::vector<std::string> gather(const std::string& mine, int root = 0) const;

  // Personalised exchange of float blocks: send[r] goes to rank r; returns received blocks by rank.
  std::vector<std::vector<float>> all_to_all(const std::vector<std::vector<float>>& send) const;

  // Every rank runs f; if any rank throws, all ranks throw: the lowest failing rank its own error, the
  // others PeerError of the same kind. So one bad input gives one message on any number of ranks.
  // f itself does not communicate: a rank that throws early would leave the others waiting.
  void agree(const std::function<void()>& f) const;
  // As agree, with f run on the root only.
  void on_root(const std::function<void()>& f) const;
  // True on every rank if it is true on any.
  bool any(bool mine) const;
  // Throws Error(usage) on the lowest rank whose text differs from rank 0's, PeerError elsewhere; the message
  // shows the first line that differs.
  void require_equal(const std::string& text, const std::string& what) const;

  struct Handle;  // holds the MPI_Comm; seen in src/comm only
  Handle& handle() const { return *handle_; }

 private:
  explicit Communicator(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// Work shared out as it is asked for: ranks take the next number from a SharedCounter, so a fast rank does more.
class WorkCounter {
 public:
  WorkCounter(const Communicator& comm, std::int64_t total);  // collective
  ~WorkCounter();                                             // collective
  WorkCounter(const WorkCounter&) = delete;
  WorkCounter& operator=(const WorkCounter&) = delete;

  // The next item for this rank, or -1 when all are taken. Not collective.
  std::int64_t next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rlaif::comm
