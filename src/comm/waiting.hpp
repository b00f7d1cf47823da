// What this rank waits for, seen by its watchdog. Internal to src/comm.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace rlaif::comm {

struct WaitRecord {
  std::atomic<const char*> what{nullptr};     // of the collective that this rank is in; null: it computes
  std::atomic<const char*> last{"none yet"};  // of the one before
  std::atomic<std::uint64_t> count{0};        // collectives that all ranks enter
  std::atomic<std::int64_t> since_ns{0};      // when it was entered, or left
  std::atomic<std::int64_t> waited_ns{0};     // in all
};
inline WaitRecord wait_record;

inline std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// From its making to its end the calling thread, the main one, is in a collective of this name. The outermost one counts.
// Two looks at the clock and a few stores: some 50 ns.
class Waiting {
 public:
  // `counts`: every rank comes here.
  explicit Waiting(const char* what, bool counts = true) noexcept
      : is_outermost_(wait_record.what.load(std::memory_order_relaxed) == nullptr) {
    if (!is_outermost_) return;
    begin_ = steady_ns();
    if (counts) wait_record.count.fetch_add(1, std::memory_order_relaxed);
    wait_record.since_ns.store(begin_, std::memory_order_relaxed);
    wait_record.what.store(what, std::memory_order_release);
  }
  ~Waiting() {
    if (!is_outermost_) return;
    const std::int64_t end = steady_ns();
    wait_record.last.store(wait_record.what.load(std::memory_order_relaxed), std::memory_order_relaxed);
    wait_record.since_ns.store(end, std::memory_order_relaxed);
    wait_record.waited_ns.fetch_add(end - begin_, std::memory_order_relaxed);
    wait_record.what.store(nullptr, std::memory_order_release);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  bool is_outermost_;
  std::int64_t begin_ = 0;
};

}  // namespace rlaif::comm
