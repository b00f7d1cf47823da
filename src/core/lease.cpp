#include "rlaif/core/lease.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <random>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/host.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif {
namespace {

namespace fs = std::filesystem;

std::string new_token() {
  std::random_device random;
  return hex((static_cast<std::uint64_t>(random()) << 32) | random());
}

struct LeaseFile {
  std::string text;
  struct timespec time{};
};

// Opened anew at every look: network file systems then ask their server. nullopt: not there.
std::optional<LeaseFile> read_lease(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ESTALE) return std::nullopt;
    throw io_error(file, "cannot be opened");
  }
  LeaseFile found;
  struct stat status{};
  char buffer[4096];
  const ssize_t count = ::fstat(descriptor, &status) == 0 ? ::read(descriptor, buffer, sizeof buffer) : -1;
  ::close(descriptor);
  if (count < 0) return std::nullopt;
  found.text.assign(buffer, static_cast<std::size_t>(count));
  found.time = status.st_mtim;
  return found;
}

// A file that is being written, or is no lease, has a holder without a name.
LeaseHolder parse_holder(const std::string& text) {
  LeaseHolder holder;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return holder;
  const auto said = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  holder.host = said("host");
  holder.job = said("job");
  holder.owner = said("owner");
  holder.token = said("token");
  if (const auto found = json.find("process"); found != json.end() && found->is_number_integer())
    holder.process = found->get<long>();
  return holder;
}

}  // namespace

std::string LeaseHolder::text() const {
  if (host.empty()) return "somebody";
  std::string text = owner + " (host " + host + ", process " + std::to_string(process);
  if (!job.empty()) text += ", Slurm job " + job;
  return text + ")";
}

std::unique_ptr<Lease> Lease::take(const fs::path& file, const std::string& owner, double beat_seconds) {
  make_folders(file.parent_path());
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    if (errno == EEXIST) return nullptr;
    throw io_error(file, "cannot be created");
  }
  const std::string token = new_token();
  Json json;
  json["host"] = host_name();
  json["process"] = static_cast<long>(::getpid());
  const char* job = std::getenv("SLURM_JOB_ID");
  json["job"] = job ? job : "";
  json["owner"] = owner;
  json["token"] = token;
  const std::string text = json.dump() + "\n";
  const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const Error failure = io_error(file, "cannot be written");
  if (::close(descriptor) != 0 || !written) {
    ::unlink(file.c_str());
    throw failure;
  }
  return std::unique_ptr<Lease>(new Lease(file, token, beat_seconds));
}

Lease::Lease(fs::path file, std::string token, double beat_seconds)
    : file_(std::move(file)), token_(std::move(token)), period_(beat_seconds), thread_([this] { beat(); }) {}

Lease::~Lease() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  thread_.join();
  try {
    const auto found = read_lease(file_);
    if (found && parse_holder(found->text).token == token_) ::unlink(file_.c_str());
  } catch (const Error&) {  // it stays behind, and is seen to be dead
  }
}

void Lease::beat() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, period_, [this] { return ended_; })) {
    const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    ::futimens(descriptor, nullptr);
    ::close(descriptor);
  }
}

LeaseWatch::LeaseWatch(fs::path file, std::string owner, double dead_after_seconds)
    : file_(std::move(file)), owner_(std::move(owner)), dead_after_(dead_after_seconds) {}

LeaseWatch::State LeaseWatch::look() {
  const auto found = read_lease(file_);
  if (!found) return State::free;
  holder_ = parse_holder(found->text);
  const auto now = std::chrono::steady_clock::now();
  std::string seen = holder_.token;
  seen += " " + std::to_string(found->time.tv_sec) + "." + std::to_string(found->time.tv_nsec);
  if (seen != seen_) {
    seen_ = seen;
    since_ = now;
  }
  if (!holder_.owner.empty() && holder_.owner == owner_) return State::dead;
  const bool gone = holder_.host == host_name() && holder_.process > 0 &&
                    ::kill(static_cast<pid_t>(holder_.process), 0) != 0 && errno == ESRCH;
  return gone || now - since_ >= dead_after_ ? State::dead : State::held;
}

bool LeaseWatch::remove_dead() {
  // Renamed first: of two that find it dead, one gets it, and sees whether it is the one that was looked at.
  const fs::path aside = temporary_name(file_);
  if (::rename(file_.c_str(), aside.c_str()) != 0) return false;
  const auto found = read_lease(aside);
  const bool same = found && parse_holder(found->text).token == holder_.token;
  if (!same && ::link(aside.c_str(), file_.c_str()) != 0 && errno != EEXIST) {  // a new one: put back
    ::rename(aside.c_str(), file_.c_str());
    return false;
  }
  ::unlink(aside.c_str());
  return same;
}

}  // namespace rlaif
