#include "rlaif/core/time_limit.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace rlaif {
namespace {

constexpr std::size_t steps_kept = 50;

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::optional<double> job_end_time() {
  const char* text = std::getenv("SLURM_JOB_END_TIME");
  if (!text) return std::nullopt;
  double seconds = 0.0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), seconds);
  if (error != std::errc() || *end != '\0' || seconds <= 0.0) return std::nullopt;
  return seconds;
}

TimeLimit::TimeLimit(std::optional<double> end, std::function<double()> now)
    : end_(end), now_(now ? std::move(now) : wall_clock) {}

bool TimeLimit::reached(bool warned) {
  if (!end_) return warned;
  const double now = now_();
  if (last_) steps_.push_back(now - *last_);
  if (steps_.size() > steps_kept) steps_.pop_front();
  last_ = now;
  const double left = *end_ - now;
  if (warned && left > near_seconds) return true;
  const double slowest = steps_.empty() ? 0.0 : *std::max_element(steps_.begin(), steps_.end());
  return left < 2.0 * slowest + saving_seconds;
}

}  // namespace rlaif
