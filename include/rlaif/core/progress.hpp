// How far a stage is. On a terminal one live line a stage, drawn again and again:
//
//   ppo-rlaif   [#########...........]  46 %  37/80 steps  1.25/s  ETA 34s  reward 0.71, KL 3.2  $0.42
//
// elsewhere plain lines, seldom; in the run directory a file that `rlaif status` reads.
//   Progress progress("sft", 40, "step", comm.is_root());   progress.update(1, "loss 2.31");   progress.finish();
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace rlaif {

// "1.2k", "3.4M": three significant figures.
std::string format_count(double value);
// "8s", "3m 12s", "1h 04m"
std::string format_duration(double seconds);
// "$0.42", "$0.0013", "$1234": to the cent, and small ones to two figures.
std::string format_usd(double usd);

// What a progress line says.
struct ProgressFacts {
  std::string stage, unit, detail;
  std::uint64_t done = 0, total = 0;
  double rate = 0.0;  // a second, in this start
  double seconds = 0.0;
  bool is_last = false;
  double eta_seconds() const;  // NaN where there is none
};
// The line of a log, and the one of a terminal that has so many columns.
std::string plain_line(const ProgressFacts& facts);
std::string live_line(const ProgressFacts& facts, std::size_t columns);

// Where this process notes its progress, every two seconds: one JSON object; empty: nowhere. What cannot be written is said
// once.
void keep_progress_in(const std::filesystem::path& file);
// Asked for what has been paid, where judges are asked for money: "$0.42"; empty: nothing is said of it.
void show_paid(std::function<std::string()> paid);

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
  ProgressFacts facts() const;
  void print();
  void note();
  std::string stage_, unit_, detail_;
  std::uint64_t total_, done_ = 0, start_ = 0;
  bool enabled_, terminal_, finished_ = false;
  std::chrono::steady_clock::time_point begin_, printed_, noted_;
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
