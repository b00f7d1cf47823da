#include "rlaif/remote/answer_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <thread>
#include <unordered_map>
#include <vector>

#include "answer_line.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/file_lock.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/cost/meter.hpp"

namespace rlaif::remote {
namespace {

namespace fs = std::filesystem;

// Where an answer's line is: bytes [begin, begin + size) of a segment.
struct Place {
  std::size_t segment = 0, begin = 0, size = 0;
};

// An open file, closed (and so unlocked) on scope exit.
class File {
 public:
  File(const fs::path& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// A whole segment, read-only, in memory as long as the cache lives.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const File& file, const fs::path& path) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) throw io_error(path, "cannot be examined");
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) throw io_error(path, "cannot be read");
    bytes_ = static_cast<const char*>(address);
  }
  Mapping(Mapping&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping() {
    if (bytes_ != nullptr) ::munmap(const_cast<char*>(bytes_), size_);
  }
  std::string_view text() const { return {bytes_, size_}; }

 private:
  const char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

RequestHash request_hash(std::string_view request) {
  std::string again(request);
  again += "second word";
  return {checksum(request), checksum(again)};
}

std::string to_string(const RequestHash& hash) { return hex(hash.high) + hex(hash.low); }

struct AnswerCache::Impl {
  fs::path folder;
  int rank = 0;
  std::vector<fs::path> names;
  std::vector<Mapping> mappings;                                                // by segment; empty for the own one
  std::unordered_map<RequestHash, Place, HashOfHash> places;                    // of the first answer
  std::unordered_map<RequestHash, std::vector<Place>, HashOfHash> more_places;  // of those that came after it
  std::unordered_map<RequestHash, std::pair<std::int64_t, double>, HashOfHash> held;  // how often, and what each
  std::int64_t paid_nano_usd = 0, unsettled_nano_usd = 0;
  std::optional<File> own;
  std::size_t own_segment = 0, own_size = 0;
  std::future<int> syncing;  // errno of a sync that runs beside the asking; a slow disk shall not hold up requests
  std::chrono::steady_clock::time_point last_sync = std::chrono::steady_clock::now();

  void open();
  void read_segment(const fs::path& path);
  void cut_torn_line(const fs::path& path, std::size_t whole, std::size_t size) const;
  void apply(const AnswerLine& line, const Place& place);
  void add_place(const RequestHash& request, const Place& place);
  std::string body_at(const RequestHash& request, const Place& place) const;
  void append(const RequestHash& request, std::string_view kind, double usd, const std::string_view* body);
  void create_own();
  void collect_sync();
};

void AnswerCache::Impl::collect_sync() {
  if (!syncing.valid()) return;
  errno = syncing.get();
  if (errno != 0) throw io_error(names[own_segment], "cannot be synced");
}

void AnswerCache::Impl::open() {
  make_folders(folder);
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".jsonl" && entry.path().filename().string().starts_with("rank-"))
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) read_segment(path);
  for (const auto& [request, entry] : held) unsettled_nano_usd += entry.first * cost::to_nano_usd(entry.second);
}

void AnswerCache::Impl::read_segment(const fs::path& path) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) throw io_error(path, "cannot be opened");
  // Locked: nobody writes it any more, so that a line without its end will never get one.
  const bool is_left = try_lock(file.get(), path) == FileLock::Result::taken;
  Mapping mapping(file, path);
  const std::string_view text = mapping.text();
  std::size_t begin = 0;
  for (std::size_t number = 1; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    const auto line = read_answer_line(text.substr(begin, end - begin));
    if (!line)
      throw input_error(path, number,
                        "the line is damaged (its checksum does not match): remove it, and its request is "
                        "asked and paid for again");
    apply(*line, {names.size(), begin, end - begin});
    begin = end + 1;
  }
  if (begin < text.size() && is_left) cut_torn_line(path, begin, text.size());
  names.push_back(path);
  mappings.push_back(std::move(mapping));
}

void AnswerCache::Impl::cut_torn_line(const fs::path& path, std::size_t whole, std::size_t size) const {
  log::warning(path.string() + ": the last line was torn by a kill: its " + std::to_string(size - whole) +
               " bytes are cut off");
  if (::truncate(path.c_str(), static_cast<off_t>(whole)) != 0) throw io_error(path, "cannot be cut back");
}

void AnswerCache::Impl::apply(const AnswerLine& line, const Place& place) {
  if (line.kind == "sent") {
    auto& [times, usd] = held[line.request];
    ++times;
    usd = line.usd;
    return;
  }
  if (line.kind == "answer") {
    paid_nano_usd += cost::to_nano_usd(line.usd);
    add_place(line.request, place);
  }
  const auto found = held.find(line.request);
  if (found != held.end() && --found->second.first == 0) held.erase(found);
}

void AnswerCache::Impl::add_place(const RequestHash& request, const Place& place) {
  if (!places.emplace(request, place).second) more_places[request].push_back(place);
}

void AnswerCache::Impl::create_own() {
  for (int number = 0; !own; ++number) {
    const fs::path path = folder / ("rank-" + std::to_string(rank) + "-" + std::to_string(number) + ".jsonl");
    File file(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND);
    if (!file.is_open()) {
      if (errno != EEXIST) throw io_error(path, "cannot be created");
      continue;
    }
    // Tells readers that the file is being written; where a file system has no locks they cut nothing off either.
    // A reader may hold it for the time of its reading.
    while (try_lock(file.get(), path) == FileLock::Result::held)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    sync_folder(folder);
    own = std::move(file);
    own_segment = names.size();
    names.push_back(path);
    mappings.emplace_back();
  }
}

void AnswerCache::Impl::append(const RequestHash& request, std::string_view kind, double usd,
                               const std::string_view* body) {
  if (!own) create_own();
  const std::string line = write_answer_line(request, kind, usd, body);
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(own->get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw io_error(names[own_segment], "cannot be written");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (body != nullptr) add_place(request, {own_segment, own_size, line.size() - 1});
  own_size += line.size();
}

AnswerCache::AnswerCache(fs::path folder, int rank) : impl_(std::make_unique<Impl>()) {
  impl_->folder = std::move(folder);
  impl_->rank = rank;
  impl_->open();
}

AnswerCache::~AnswerCache() = default;

bool AnswerCache::contains(const RequestHash& request) const { return impl_->places.contains(request); }

std::string AnswerCache::Impl::body_at(const RequestHash& request, const Place& place) const {
  std::string own_line;
  std::string_view line;
  if (own && place.segment == own_segment) {
    own_line.resize(place.size);
    const ssize_t count = ::pread(own->get(), own_line.data(), place.size, static_cast<off_t>(place.begin));
    if (count != static_cast<ssize_t>(place.size)) throw io_error(names[place.segment], "cannot be read");
    line = own_line;
  } else {
    line = mappings[place.segment].text().substr(place.begin, place.size);
  }
  const Json answer = try_parse_json(line);
  const auto body = answer.find("body");
  if (!answer.is_object() || body == answer.end() || !body->is_string())
    throw input_error(names[place.segment], "the answer to request " + to_string(request) + " is damaged");
  return body->get<std::string>();
}

std::optional<std::string> AnswerCache::find(const RequestHash& request, const IsAnswer& is_answer) const {
  const auto first = impl_->places.find(request);
  if (first == impl_->places.end()) return std::nullopt;
  std::string body = impl_->body_at(request, first->second);
  if (!is_answer || is_answer(body)) return body;
  const auto more = impl_->more_places.find(request);
  if (more == impl_->more_places.end()) return std::nullopt;
  for (const Place& place : more->second) {
    body = impl_->body_at(request, place);
    if (is_answer(body)) return body;
  }
  return std::nullopt;
}

void AnswerCache::note_sent(const RequestHash& request, double worst_usd) {
  impl_->append(request, "sent", worst_usd, nullptr);
}

void AnswerCache::note_failed(const RequestHash& request) { impl_->append(request, "failed", 0.0, nullptr); }

void AnswerCache::store(const RequestHash& request, std::string_view body, double cost_usd) {
  impl_->append(request, "answer", cost_usd, &body);
  impl_->paid_nano_usd += cost::to_nano_usd(cost_usd);
}

void AnswerCache::sync_beside() {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (!impl_->own || now - impl_->last_sync < 1s) return;
  if (impl_->syncing.valid() && impl_->syncing.wait_for(0s) != std::future_status::ready) return;
  impl_->collect_sync();
  impl_->last_sync = now;
  impl_->syncing =
      std::async(std::launch::async, [file = impl_->own->get()] { return ::fdatasync(file) == 0 ? 0 : errno; });
}

void AnswerCache::sync() {
  impl_->collect_sync();
  if (impl_->own && ::fdatasync(impl_->own->get()) != 0)
    throw io_error(impl_->names[impl_->own_segment], "cannot be synced");
}

std::size_t AnswerCache::size() const { return impl_->places.size(); }
std::size_t AnswerCache::segments() const { return impl_->names.size(); }
double AnswerCache::paid_usd() const { return static_cast<double>(impl_->paid_nano_usd) * 1e-9; }
double AnswerCache::unsettled_usd() const { return static_cast<double>(impl_->unsettled_nano_usd) * 1e-9; }

}  // namespace rlaif::remote
