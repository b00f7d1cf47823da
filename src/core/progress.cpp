#include "rlaif/core/progress.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace rlaif {

std::string format_count(double value) {
  const char* suffixes[] = {"", "k", "M", "G", "T"};
  int index = 0;
  while (std::fabs(value) >= 999.5 && index < 4) {
    value /= 1000.0;
    ++index;
  }
  char text[32];
  const int decimals = value >= 99.95 || (index == 0 && value == std::floor(value)) ? 0 : value >= 9.995 ? 1 : 2;
  std::snprintf(text, sizeof text, "%.*f%s", decimals, value, suffixes[index]);
  return text;
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  char text[48];
  if (seconds < 9.95) {
    std::snprintf(text, sizeof text, "%.1fs", seconds);
  } else if (whole < 60) {
    std::snprintf(text, sizeof text, "%llds", whole);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lldm %02llds", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lldh %02lldm", whole / 3600, whole / 60 % 60);
  }
  return text;
}

Progress::Progress(std::string stage, std::uint64_t total, std::string unit, bool enabled)
    : stage_(std::move(stage)),
      unit_(std::move(unit)),
      total_(total),
      enabled_(enabled),
      terminal_(isatty(STDERR_FILENO) == 1),
      begin_(std::chrono::steady_clock::now()),
      printed_(begin_) {}

Progress::~Progress() {
  if (enabled_ && terminal_ && !finished_ && done_ > 0) std::fputc('\n', stderr);
}

void Progress::start_at(std::uint64_t done) { done_ = start_ = done; }

double Progress::elapsed_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void Progress::update(std::uint64_t done, const std::string& detail) {
  done_ = done;
  if (!enabled_) return;
  detail_ = detail;
  // A terminal is redrawn a few times a second; a log file gets a line every ten seconds.
  const double since = std::chrono::duration<double>(std::chrono::steady_clock::now() - printed_).count();
  if (since >= (terminal_ ? 0.2 : 10.0)) print(false);
}

void Progress::finish(const std::string& detail) {
  finished_ = true;
  if (!enabled_) return;
  if (!detail.empty()) detail_ = detail;
  print(true);
}

void Progress::print(bool last) {
  printed_ = std::chrono::steady_clock::now();
  const double elapsed = elapsed_seconds();
  const double rate = elapsed > 0 ? static_cast<double>(done_ - start_) / elapsed : 0.0;
  std::string text = stage_ + ": " + std::to_string(done_) + "/" + std::to_string(total_) + " " + unit_ + "s, " +
                     format_count(rate) + "/s";
  if (last) {
    text += ", took " + format_duration(elapsed);
  } else if (rate > 0 && total_ >= done_) {
    text += ", ETA " + format_duration(static_cast<double>(total_ - done_) / rate);
  }
  if (!detail_.empty()) text += ", " + detail_;
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s%s", text.c_str(), last ? "\n" : "");
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
  std::fflush(stderr);
}

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace rlaif
