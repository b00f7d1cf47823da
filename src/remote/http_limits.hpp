// When a request may go out: token buckets, and the waits between attempts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "rlaif/remote/http.hpp"

namespace rlaif::remote {

using Clock = std::chrono::steady_clock;

inline Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

// So much a minute, with bursts of up to ten seconds' worth. An amount above the burst goes out of a full bucket, which is
// in debt then.
class TokenBucket {
 public:
  explicit TokenBucket(double per_minute)
      : per_second_(per_minute / 60.0), burst_(std::max(1.0, per_minute / 6.0)), level_(burst_) {}

  bool has(double amount, Clock::time_point now) {
    if (per_second_ <= 0.0) return true;
    refill(now);
    return level_ >= std::min(amount, burst_) - 1e-9;
  }
  void take(double amount) {
    if (per_second_ > 0.0) level_ -= amount;
  }
  // Until has(amount) will be true.
  Clock::duration wait_for(double amount) const {
    if (per_second_ <= 0.0) return {};
    return seconds(std::max(0.0, std::min(amount, burst_) - level_) / per_second_);
  }

 private:
  void refill(Clock::time_point now) {
    if (last_ != Clock::time_point{})
      level_ = std::min(burst_, level_ + per_second_ * std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }

  double per_second_, burst_, level_;
  Clock::time_point last_{};
};

bool is_retried_status(int status);

// Headers that name a wait, as they came.
struct RetryHeaders {
  std::string after_ms, after;
};
// What the server asks for; nothing where it asks for nothing that can be read. A date is held against `now_unix`.
std::optional<double> asked_wait_seconds(const RetryHeaders& headers, std::int64_t now_unix);
// Before attempt number `attempt` + 1, attempts counted from 1.
double own_wait_seconds(const HttpOptions& options, std::uint64_t key, int attempt);

}  // namespace rlaif::remote
