#include "rlaif/comm/watchdog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <numeric>
#include <sstream>
#include <thread>

#include "rlaif/core/error.hpp"
#include "rlaif/core/host.hpp"
#include "waiting.hpp"

namespace rlaif::comm {
namespace {

namespace fs = std::filesystem;

struct Place {
  std::mutex mutex;
  std::string text = "the start";
};
Place& place() {
  static Place* const one = new Place;  // outlives every thread that looks at it
  return *one;
}

std::string place_text() {
  const std::lock_guard lock(place().mutex);
  return place().text;
}

std::string seconds_text(double seconds) { return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 1 : 0); }

// This rank at this moment.
struct Look {
  const char* what;
  const char* last;
  std::uint64_t count;
  double seconds;  // in it, or since the last one
};
Look look() {
  const WaitRecord& record = wait_record;
  const char* const what = record.what.load(std::memory_order_acquire);
  return {what, record.last.load(), record.count.load(),
          1e-9 * static_cast<double>(steady_ns() - record.since_ns.load())};
}

// A word for the others; the file system may be what hangs, so nobody waits for it.
void leave_word(const fs::path& file, const std::string& word) {
  std::thread([file, word] {
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    const fs::path temporary = file.string() + ".new";
    std::ofstream(temporary) << word;
    fs::rename(temporary, file, ignored);
  }).detach();
}

std::string word_of(const Look& now, const std::string& host) {
  std::string word = std::to_string(now.count) + "\n" + host + ", at " + place_text() + ", ";
  if (now.what) return word + "in " + now.what + " for " + seconds_text(now.seconds);
  return word + "computing or reading for " + seconds_text(now.seconds) + ", last in " + now.last;
}

fs::path word_file(const fs::path& folder, int rank) { return folder / ("rank-" + std::to_string(rank)); }

// What is known of ranks that are not in the collective with this number.
std::string others(int rank, int size, const fs::path& folder, std::uint64_t count) {
  std::string text;
  int absent = 0;
  constexpr int most = 8;
  for (int r = 0; r < size; ++r) {
    if (r == rank) continue;
    std::ifstream in(word_file(folder, r));
    std::uint64_t theirs = 0;
    std::string word;
    if (in >> theirs && in.ignore() && std::getline(in, word)) {
      if (theirs == count && word.find(", in ") != std::string::npos) continue;
    } else {
      word = "says nothing: its process is stopped, gone or does not see " + folder.string();
    }
    if (++absent <= most)
      text += (text.empty() ? "" : "; ") + std::string("rank ") + std::to_string(r) + " (" + word + ")";
  }
  if (absent > most) text += " and " + std::to_string(absent - most) + " more";
  return text.empty() ? "every rank says that it is in it" : "not there: " + text;
}

// The thread that ends the run may be held up by what hangs.
void end_all(const std::string& message) {
  constexpr int code = static_cast<int>(ErrorKind::resource);
  std::thread([] {
    std::this_thread::sleep_for(std::chrono::seconds(60));
    std::_Exit(code);
  }).detach();
  Session::abort(message, code);
}

}  // namespace

void note_place(const std::string& text) {
  const std::lock_guard lock(place().mutex);
  place().text = text;
}

double waited_seconds() { return 1e-9 * static_cast<double>(wait_record.waited_ns.load()); }

struct Watchdog::State {
  int rank = 0, size = 1;
  double limit_seconds = 0.0;
  fs::path folder;
  std::function<void(const std::string&)> on_hang;
  std::string host;
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::thread thread;

  fs::path own_file() const { return word_file(folder, rank); }
  void watch();
  std::string message(const Look& now) const;
};

std::string Watchdog::State::message(const Look& now) const {
  std::string text = "has waited " + seconds_text(now.seconds) + " in " + now.what + " (collective " +
                     std::to_string(now.count) + ") at " + place_text() + ", on " + host + "; ";
  // Reading may hang with the file system.
  auto answer = std::make_shared<std::promise<std::string>>();
  auto known = answer->get_future();
  std::thread([answer, rank = rank, size = size, folder = folder, count = now.count] {
    answer->set_value(others(rank, size, folder, count));
  }).detach();
  text += known.wait_for(std::chrono::seconds(20)) == std::future_status::ready ? known.get()
                                                                                : folder.string() + " cannot be read";
  return text + " (run.watchdog_minutes)";
}

void Watchdog::State::watch() {
  const auto pause = std::chrono::duration<double>(std::clamp(limit_seconds / 20, 0.05, 5.0));
  std::uint64_t word_count = 0;  // of the collective that the word is about
  std::int64_t word_ns = 0;      // when it was left
  bool has_word = false, has_called = false;
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, pause, [&] { return stop; })) {
    const Look now = look();
    const bool near = now.seconds > 0.5 * limit_seconds;
    const bool is_old = 1e-9 * static_cast<double>(steady_ns() - word_ns) > 0.1 * limit_seconds;
    if (near && (!has_word || word_count != now.count || is_old)) {
      leave_word(own_file(), word_of(now, host));
      has_word = true;
      word_count = now.count;
      word_ns = steady_ns();
    }
    if (!near && has_word) {
      std::error_code ignored;
      fs::remove(own_file(), ignored);
      has_word = has_called = false;
    }
    if (now.what == nullptr || now.seconds <= limit_seconds || has_called) continue;
    has_called = true;
    on_hang(message(now));
  }
}

Watchdog::Watchdog(const Communicator& comm, double limit_seconds, fs::path folder,
                   std::function<void(const std::string&)> on_hang) {
  if (!(limit_seconds > 0.0) || comm.size() == 1) return;
  state_ = std::make_unique<State>();
  State& s = *state_;
  s.rank = comm.rank();
  s.size = comm.size();
  s.limit_seconds = limit_seconds;
  s.folder = std::move(folder);
  s.host = host_name();
  s.on_hang = on_hang ? std::move(on_hang) : end_all;
  if (wait_record.since_ns == 0) wait_record.since_ns = steady_ns();
  std::error_code ignored;
  fs::remove(s.own_file(), ignored);  // of an earlier run
  s.thread = std::thread([&s] { s.watch(); });
}

Watchdog::~Watchdog() {
  if (!state_) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  state_->thread.join();
  std::error_code ignored;
  fs::remove(state_->own_file(), ignored);
  fs::remove(state_->folder, ignored);  // by the last one: it must be empty
}

std::vector<int> stragglers(std::span<const double> busy_seconds, std::span<const double> shares) {
  RLAIF_CHECK(busy_seconds.size() == shares.size(), "a share for every rank");
  std::vector<double> paces;  // seconds a share
  for (std::size_t r = 0; r < shares.size(); ++r)
    if (shares[r] > 0.0) paces.push_back(busy_seconds[r] / shares[r]);
  if (paces.size() < 2) return {};
  std::vector<double> sorted = paces;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[(sorted.size() - 1) / 2];  // the lower one: of two ranks the faster
  std::vector<int> slow;
  for (std::size_t r = 0; r < shares.size(); ++r) {
    if (!(shares[r] > 0.0)) continue;
    const double expected = median * shares[r];
    if (busy_seconds[r] > 1.5 * expected && busy_seconds[r] > expected + 5.0) slow.push_back(static_cast<int>(r));
  }
  return slow;
}

}  // namespace rlaif::comm
