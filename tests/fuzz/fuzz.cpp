#include "fuzz.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>

#include "rlaif/core/error.hpp"

namespace rlaif::fuzz {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void finding(const char* what, const char* message) {
  std::fprintf(stderr, "fuzz: %s: %s\n", what, message);
  std::abort();
}

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written <= 0) finding("the fuzzer's own file", "cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

fs::path make_scratch() {
  std::string name = fs::is_directory("/dev/shm") ? "/dev/shm/rlaif-fuzz-XXXXXX" : "/tmp/rlaif-fuzz-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) finding("the fuzzer's own folder", "cannot be made");
  return name;
}

// Removed when the process ends in order.
struct Scratch {
  fs::path folder = make_scratch();
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
};

}  // namespace

void expect_clean(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal || error.kind() == ErrorKind::interrupted)
      finding("an error of the wrong kind", error.what());
    if (std::string_view(error.what()).empty()) finding("an error", "without a message");
  } catch (const std::exception& error) {
    finding("an exception that is no rlaif::Error", error.what());
  }
}

fs::path memory_file(std::string_view bytes) {
  static const int descriptor = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (descriptor < 0 || ::ftruncate(descriptor, 0) != 0 || ::lseek(descriptor, 0, SEEK_SET) != 0)
    finding("the fuzzer's own file", "cannot be made");
  write_all(descriptor, bytes);
  return "/proc/self/fd/" + std::to_string(descriptor);
}

fs::path scratch_folder() {
  static const Scratch scratch;
  for (const auto& item : fs::directory_iterator(scratch.folder)) fs::remove_all(item.path());
  return scratch.folder;
}

void write_plain(const fs::path& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out) finding("the fuzzer's own file", "cannot be written");
}

std::vector<std::string_view> parts_of(std::string_view input, std::size_t count) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    const std::size_t end = std::min(input.find('\xff'), input.size());
    parts.push_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  parts.push_back(input);
  return parts;
}

}  // namespace rlaif::fuzz
