#include "rlaif/core/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/host.hpp"

namespace rlaif {
namespace {

// The kernel's own "not supported", which file systems outside of it hand to programs; the C library has no name for it.
constexpr int kernel_not_supported = 524;

constexpr std::string_view host_word = "host ", process_word = ", process ", job_word = ", Slurm job ";

}  // namespace

bool says_no_locks(int error) {
  switch (error) {
    case ENOSYS:
    case ENOLCK:
    case EOPNOTSUPP:
#if ENOTSUP != EOPNOTSUPP
    case ENOTSUP:
#endif
    case EINVAL:  // of a descriptor that is open and an operation that flock knows: this kind of file has none
    case kernel_not_supported: return true;
    default: return false;
  }
}

FileLock::Result try_lock(int descriptor, const std::filesystem::path& file, FileLock::Mode mode) {
  const int operation = (mode == FileLock::Mode::alone ? LOCK_EX : LOCK_SH) | LOCK_NB;
  int code = 0;
  do {
    code = ::flock(descriptor, operation);
  } while (code != 0 && errno == EINTR);
  if (code == 0) return FileLock::Result::taken;
  if (errno == EWOULDBLOCK || errno == EAGAIN) return FileLock::Result::held;
  if (says_no_locks(errno)) return FileLock::Result::unavailable;
  throw io_error(file, "cannot be locked");
}

FileLock::FileLock(FileLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), error_(other.error_) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(error_, other.error_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileLock::Result FileLock::take(const std::filesystem::path& file) {
  FileLock opened;
  opened.descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (opened.descriptor_ < 0) throw io_error(file, "cannot be opened");
  const Result result = try_lock(opened.descriptor_, file);
  opened.error_ = errno;
  if (result != Result::held) *this = std::move(opened);
  return result;
}

std::string FileLock::reason() const {
  const std::string cause = error_ == kernel_not_supported ? "Operation not supported" : std::strerror(error_);
  return "this file system has no file locks (" + cause + ")";
}

Holder Holder::here() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return {host_name(), job ? job : "", static_cast<long>(::getpid())};
}

std::string Holder::text() const {
  std::string text;
  text.append(host_word).append(host).append(process_word).append(std::to_string(process));
  if (!job.empty()) text.append(job_word).append(job);
  return text;
}

std::optional<Holder> Holder::parse(const std::string& text) {
  const std::size_t process_at = text.find(process_word);
  if (!text.starts_with(host_word) || process_at == std::string::npos) return std::nullopt;
  Holder holder;
  holder.host = text.substr(host_word.size(), process_at - host_word.size());
  const char* digits = text.data() + process_at + process_word.size();
  const auto [end, error] = std::from_chars(digits, text.data() + text.size(), holder.process);
  if (error != std::errc() || holder.process <= 0 || holder.host.empty()) return std::nullopt;
  const std::string rest(end, text.data() + text.size());
  if (rest.starts_with(job_word)) holder.job = rest.substr(job_word.size());
  if (rest != (holder.job.empty() ? "" : std::string(job_word) + holder.job)) return std::nullopt;
  return holder;
}

bool Holder::is_gone() const {
  return host == host_name() && ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
}

}  // namespace rlaif
