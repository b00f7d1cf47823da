// An advisory lock on a file: one job in a run directory, one writer of a file of answers.
//
//   FileLock lock;
//   if (lock.take(file) == FileLock::Result::held) ...  // by somebody else, now
//
// Not every file system has locks (Lustre without -o flock, NFS without its lock daemon, Cray DVS): there the answer is
// `unavailable`, with the system's reason, and whoever asked goes on without one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace rlaif {

class FileLock {
 public:
  enum class Result { taken, held, unavailable };
  enum class Mode { alone, shared };

  FileLock() = default;
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();  // lets go

  // Opens the file, which is made where it is not there, and asks for its lock. Does not wait. Throws Error(resource) where the
  // file cannot be opened, or locking fails for another reason than that there is none here.
  Result take(const std::filesystem::path& file);
  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  // After `unavailable`: "this file system has no file locks (Function not implemented)".
  std::string reason() const;

 private:
  int descriptor_ = -1;
  int error_ = 0;
};

// The same for a file that is open already: asks for the lock of `descriptor` once, without waiting.
FileLock::Result try_lock(int descriptor, const std::filesystem::path& file,
                          FileLock::Mode mode = FileLock::Mode::alone);
// Whether an errno of flock says that the file system has no locks, rather than that somebody holds this one or that all is lost.
bool says_no_locks(int error);

// A process that works somewhere, as it names itself to others.
struct Holder {
  std::string host, job;  // job: of Slurm; empty outside of it
  long process = 0;
  static Holder here();
  std::string text() const;  // "host a, process 12, Slurm job 7"
  // What text() says; nullopt where the words are others or cut off.
  static std::optional<Holder> parse(const std::string& text);
  // On this host, and there is no such process any more. false where that cannot be known.
  bool is_gone() const;
};

}  // namespace rlaif
