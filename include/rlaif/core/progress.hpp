// One progress line a stage with rate and ETA on stderr; plain lines, seldom, where it is not a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rlaif {

// "1.2k", "3.4M": three significant figures.
std::string format_count(double value);
// "8s", "3m 12s", "1h 04m"
std::string format_duration(double seconds);

class Progress {
 public:
  // Prints on rank 0 only: pass enabled = (rank == 0). `unit` is singular ("step", "block").
  Progress(std::string stage, std::uint64_t total, std::string unit, bool enabled);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` counts from the stage's start; a resumed stage first calls start_at so that the rate is of this run.
  void start_at(std::uint64_t done);
  void update(std::uint64_t done, const std::string& detail = "");
  void finish(const std::string& detail = "");
  double elapsed_seconds() const;

 private:
  void print(bool last);
  std::string stage_, unit_, detail_;
  std::uint64_t total_, done_ = 0, start_ = 0;
  bool enabled_, terminal_, finished_ = false;
  std::chrono::steady_clock::time_point begin_, printed_;
};

// Seconds since construction.
class Stopwatch {
 public:
  Stopwatch() : begin_(std::chrono::steady_clock::now()) {}
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

 private:
  std::chrono::steady_clock::time_point begin_;
};

// Highest resident set of this process so far, bytes.
std::uint64_t peak_memory_bytes();

}  // namespace rlaif
