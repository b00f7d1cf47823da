#include "rlaif/core/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cerrno>

#include "rlaif/core/error.hpp"

namespace rlaif {
namespace {

namespace fs = std::filesystem;

// Closes on scope exit; close() itself reports errors, because some file systems fail only there.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  bool close() {
    const int descriptor = descriptor_;
    descriptor_ = -1;
    return ::close(descriptor) == 0;
  }

 private:
  int descriptor_;
};

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Descriptor open_to_read(const fs::path& file) {
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    throw errno == ENOENT ? input_error(file, "no such file") : io_error(file, "cannot be opened for reading");
  }
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) throw io_error(file, "cannot be examined");
  if (S_ISDIR(status.st_mode)) throw input_error(file, "is a folder, a file was expected");
  return descriptor;
}

template <class Use>
void read_pieces(const Descriptor& descriptor, const fs::path& file, Use use) {
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error(file, "cannot be read");
    if (count == 0) return;
    use(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
  }
}

}  // namespace

std::string read_file(const fs::path& file) {
  const Descriptor descriptor = open_to_read(file);
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) throw io_error(file, "cannot be examined");
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(status.st_size));
  read_pieces(descriptor, file, [&](std::string_view piece) { bytes.append(piece); });
  return bytes;
}

fs::path temporary_name(const fs::path& file) {
  return file.parent_path() / ("." + file.filename().string() + "." + std::to_string(::getpid()) + ".tmp");
}

void make_folders(const fs::path& folder) {
  if (folder.empty()) return;
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw Error(ErrorKind::resource, folder.string() + ": cannot be created: " + code.message());
}

void sync_folder(const fs::path& folder) {
  const fs::path path = folder.empty() ? fs::path(".") : folder;
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) throw io_error(path, "cannot be opened to be synced");
  // Some network file systems do not sync folders; they say EINVAL and keep the rename durable themselves.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) throw io_error(path, "cannot be synced");
}

void commit_file(const fs::path& temporary, const fs::path& file) {
  {
    Descriptor descriptor(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.get() < 0) throw io_error(temporary, "cannot be opened to be synced");
    if (::fsync(descriptor.get()) != 0) throw io_error(temporary, "cannot be synced");
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) throw io_error(file, "cannot be renamed into place");
  sync_folder(file.parent_path());
}

void write_file_atomic(const fs::path& file, std::string_view bytes) {
  make_folders(file.parent_path());
  const fs::path temporary = temporary_name(file);
  try {
    Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (descriptor.get() < 0) throw io_error(file, "cannot be created");
    if (!write_all(descriptor.get(), bytes)) throw io_error(file, "cannot be written");
    if (!descriptor.close()) throw io_error(file, "cannot be written");
    commit_file(temporary, file);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

std::uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string hex(std::uint64_t value) {
  std::string text(16, '0');
  for (int digit = 15; digit >= 0; --digit, value >>= 4) {
    text[static_cast<std::size_t>(digit)] = "0123456789abcdef"[value & 15];
  }
  return text;
}

std::string file_checksum(const fs::path& file) {
  RunningChecksum sum;
  const Descriptor descriptor = open_to_read(file);
  read_pieces(descriptor, file, [&](std::string_view piece) { sum.add(piece); });
  return sum.value();
}

struct RunningChecksum::State {
  XXH3_state_t hash;
};

RunningChecksum::RunningChecksum() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->hash); }
RunningChecksum::RunningChecksum(RunningChecksum&&) noexcept = default;
RunningChecksum& RunningChecksum::operator=(RunningChecksum&&) noexcept = default;
RunningChecksum::~RunningChecksum() = default;

void RunningChecksum::add(std::string_view bytes) { XXH3_64bits_update(&state_->hash, bytes.data(), bytes.size()); }

void RunningChecksum::add_file(const fs::path& file, std::uint64_t size) {
  const Descriptor descriptor = open_to_read(file);
  std::uint64_t left = size;
  read_pieces(descriptor, file, [&](std::string_view piece) {
    piece = piece.substr(0, left);
    add(piece);
    left -= piece.size();
  });
  if (left > 0) {
    throw input_error(
        file, "is " + std::to_string(size - left) + " bytes long, at least " + std::to_string(size) + " were expected");
  }
}

std::string RunningChecksum::value() const { return hex(XXH3_64bits_digest(&state_->hash)); }

AppendFile::AppendFile(const fs::path& file, std::uint64_t size) : file_(file), size_(size) {
  make_folders(file.parent_path());
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw io_error(file, "cannot be opened for appending");
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) throw io_error(file, "cannot be examined");
  if (static_cast<std::uint64_t>(status.st_size) < size) {
    throw input_error(file, "is " + std::to_string(status.st_size) + " bytes long, at least " + std::to_string(size) +
                                " were expected by the checkpoint");
  }
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) throw io_error(file, "cannot be cut back");
  if (::lseek(descriptor_, 0, SEEK_END) < 0) throw io_error(file, "cannot be positioned");
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(other.descriptor_), size_(other.size_) {
  other.descriptor_ = -1;
}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::append(std::string_view bytes) {
  if (!write_all(descriptor_, bytes)) throw io_error(file_, "cannot be written");
  size_ += bytes.size();
}

void AppendFile::sync() {
  if (::fdatasync(descriptor_) != 0) throw io_error(file_, "cannot be synced");
}

}  // namespace rlaif
