// A lease on a piece of work: of processes that share a folder, on one machine or many, one does it and the others see who.
// It saves work and decides nothing: where two believe to have it, both do the work, and what they make must be able to bear it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace rlaif {

// Who holds a lease, as its file says.
struct LeaseHolder {
  std::string host, job, owner, token;  // token: of this one time of taking it; job: of Slurm, empty outside of it
  long process = 0;
  std::string text() const;  // "OWNER (host a, process 12, Slurm job 7)"
};

// The lease, held. Its file is made with O_EXCL, and its time set anew every `beat_seconds` by a thread, until this is
// destroyed and the file removed.
class Lease {
 public:
  // nullptr: the file is there. `owner` names what the work is done for, a run directory. Throws Error(resource).
  static std::unique_ptr<Lease> take(const std::filesystem::path& file, const std::string& owner, double beat_seconds);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  Lease(std::filesystem::path file, std::string token, double beat_seconds);
  void beat();

  std::filesystem::path file_;
  std::string token_;
  std::chrono::duration<double> period_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

// Somebody else's lease, looked at again and again.
class LeaseWatch {
 public:
  // Of `owner` itself the file is one that it left behind: dead at once.
  LeaseWatch(std::filesystem::path file, std::string owner, double dead_after_seconds);

  enum class State { free, held, dead };
  // Dead is a holder whose process is gone from this host, or whose file has not changed for dead_after_seconds of this
  // process's own clock: clocks of machines are not compared.
  State look();
  const LeaseHolder& holder() const { return holder_; }  // at the last look
  // Removes the file if it still is the one that was looked at; false: somebody was faster.
  bool remove_dead();

 private:
  std::filesystem::path file_;
  std::string owner_;
  std::chrono::duration<double> dead_after_;
  LeaseHolder holder_;
  std::string seen_;  // token and time of the file
  std::chrono::steady_clock::time_point since_;
};

}  // namespace rlaif
