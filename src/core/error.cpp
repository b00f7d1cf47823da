#include "rlaif/core/error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rlaif {

Error usage_error(const std::string& message) { return Error(ErrorKind::usage, message); }

Error input_error(const std::string& message) { return Error(ErrorKind::input, message); }

Error input_error(const std::filesystem::path& file, const std::string& message) {
  return Error(ErrorKind::input, file.string() + ": " + message);
}

Error input_error(const std::filesystem::path& file, std::size_t line, const std::string& message) {
  return Error(ErrorKind::input, file.string() + ":" + std::to_string(line) + ": " + message);
}

Error io_error(const std::filesystem::path& file, const std::string& action) {
  const int code = errno;
  return Error(ErrorKind::resource, file.string() + ": " + action + ": " + std::strerror(code));
}

void invariant_failed(const char* expression, const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "rlaif: broken invariant at %s:%d: %s (%s)\n", file, line, message.c_str(), expression);
  std::fflush(stderr);
  std::abort();
}

}  // namespace rlaif
