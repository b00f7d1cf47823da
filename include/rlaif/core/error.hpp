// Errors by kind. Bad input throws at the boundary; a broken invariant aborts, in release builds too.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace rlaif {

// The kind decides the exit code of the program.
enum class ErrorKind {
  internal = 1,      // a defect of the program
  usage = 2,         // command line or deck
  input = 3,         // a file, record or value that is not what was expected
  resource = 4,      // disk, memory, device, network
  interrupted = 75,  // a signal asked for a stop; state is saved, run again to continue (EX_TEMPFAIL)
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

// Thrown on the ranks that only follow a failure that another rank reports.
class PeerError : public Error {
 public:
  explicit PeerError(ErrorKind kind) : Error(kind, "another rank failed") {}
};

[[nodiscard]] Error usage_error(const std::string& message);
[[nodiscard]] Error input_error(const std::string& message);
[[nodiscard]] Error input_error(const std::filesystem::path& file, const std::string& message);
[[nodiscard]] Error input_error(const std::filesystem::path& file, std::size_t line, const std::string& message);
// Adds strerror(errno) as it stands at the call.
[[nodiscard]] Error io_error(const std::filesystem::path& file, const std::string& action);

[[noreturn]] void invariant_failed(const char* expression, const char* file, int line, const std::string& message);

}  // namespace rlaif

// A broken invariant is a defect: say where, and abort.
#define RLAIF_CHECK(condition, message)                                                     \
  do {                                                                                      \
    if (!(condition)) ::rlaif::invariant_failed(#condition, __FILE__, __LINE__, (message)); \
  } while (false)
