#include "rlaif/core/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/core/log.hpp"

namespace rlaif {
namespace {

constexpr std::size_t bar_cells = 20;

// Facts of the process, set once by the run.
struct {
  std::filesystem::path file;
  std::function<std::string()> paid;
  std::string paid_text;
  std::optional<std::chrono::steady_clock::time_point> paid_read;
} kept;

constexpr std::chrono::seconds between_looks{2};  // at files that others write

// A terminal is drawn more often than it is worth reading what was paid.
std::string paid_so_far(bool is_last) {
  if (!kept.paid) return "";
  const auto now = std::chrono::steady_clock::now();
  if (is_last || !kept.paid_read || now - *kept.paid_read >= between_looks) {
    kept.paid_text = kept.paid();
    kept.paid_read = now;
  }
  return kept.paid_text;
}

std::string environment_word(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

// A launcher that passes a terminal's output through hides it: RLAIF_PROGRESS says which it is.
bool draws_live() {
  const std::string asked = environment_word("RLAIF_PROGRESS");
  if (asked == "live" || asked == "plain") return asked == "live";
  return isatty(STDERR_FILENO) == 1 && environment_word("TERM") != "dumb";
}

std::size_t columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const int said = std::atoi(environment_word("COLUMNS").c_str());
  return said > 0 ? static_cast<std::size_t>(said) : 80;
}

// How many of `parts` are done, rounded down; all of them where there is nothing to do.
std::size_t done_of(const ProgressFacts& facts, std::uint64_t parts) {
  return facts.total == 0 ? parts : std::min(parts, facts.done * parts / facts.total);
}

std::string bar(const ProgressFacts& facts) {
  const std::size_t full = done_of(facts, bar_cells);
  return "[" + std::string(full, '#') + std::string(bar_cells - full, '.') + "]";
}

}  // namespace

std::string format_count(double value) {
  const char* suffixes[] = {"", "k", "M", "G", "T"};
  int index = 0;
  while (std::fabs(value) >= 999.5 && index < 4) {
    value /= 1000.0;
    ++index;
  }
  const int decimals = value >= 99.95 || (index == 0 && value == std::floor(value)) ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}{}", value, decimals, suffixes[index]);
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole / 60 % 60);
}

std::string format_usd(double usd) {
  if (usd > 0.0 && usd < 0.095) return fmt::format("${:.{}f}", usd, 1 - static_cast<int>(std::floor(std::log10(usd))));
  return fmt::format("${:.2f}", usd);
}

double ProgressFacts::eta_seconds() const {
  if (is_last || !(rate > 0.0) || total < done) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(total - done) / rate;
}

std::string plain_line(const ProgressFacts& facts) {
  std::string text = facts.stage + ": " + std::to_string(facts.done) + "/" + std::to_string(facts.total) + " " +
                     facts.unit + "s, " + format_count(facts.rate) + "/s";
  if (facts.is_last) {
    text += ", took " + format_duration(facts.seconds);
  } else if (const double eta = facts.eta_seconds(); !std::isnan(eta)) {
    text += ", ETA " + format_duration(eta);
  }
  return facts.detail.empty() ? text : text + ", " + facts.detail;
}

// Cut at the terminal's edge: a line that wraps could not be drawn over.
std::string live_line(const ProgressFacts& facts, std::size_t columns) {
  std::string text = fmt::format("{:<18} {} {:3} %  {}/{} {}s  {}/s", facts.stage, bar(facts), done_of(facts, 100),
                                 facts.done, facts.total, facts.unit, format_count(facts.rate));
  if (facts.is_last) {
    text += "  took " + format_duration(facts.seconds);
  } else if (const double eta = facts.eta_seconds(); !std::isnan(eta)) {
    text += "  ETA " + format_duration(eta);
  }
  if (!facts.detail.empty()) text += "  " + facts.detail;
  return text.size() < columns ? text : text.substr(0, columns - 1);
}

void keep_progress_in(const std::filesystem::path& file) { kept.file = file; }
void show_paid(std::function<std::string()> paid) { kept.paid = std::move(paid); }

Progress::Progress(std::string stage, std::uint64_t total, std::string unit, bool enabled)
    : stage_(std::move(stage)),
      unit_(std::move(unit)),
      total_(total),
      enabled_(enabled),
      terminal_(draws_live()),
      begin_(std::chrono::steady_clock::now()),
      printed_(begin_),
      noted_(begin_) {}

Progress::~Progress() {
  if (enabled_ && terminal_ && !finished_) log::end_live();
}

void Progress::start_at(std::uint64_t done) { done_ = start_ = done; }

double Progress::elapsed_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

ProgressFacts Progress::facts() const {
  const double elapsed = elapsed_seconds();
  ProgressFacts facts{stage_, unit_, detail_, done_, total_, 0.0, elapsed, finished_};
  if (elapsed > 0.0) facts.rate = static_cast<double>(done_ - start_) / elapsed;
  if (const std::string paid = paid_so_far(finished_); !paid.empty())
    facts.detail += (detail_.empty() ? "" : ", ") + paid;
  return facts;
}

void Progress::update(std::uint64_t done, const std::string& detail) {
  done_ = done;
  if (!enabled_) return;
  detail_ = detail;
  // A terminal is redrawn a few times a second; a log file gets a line every ten seconds.
  const auto now = std::chrono::steady_clock::now();
  const auto since = [now](auto then) { return std::chrono::duration<double>(now - then).count(); };
  if (since(printed_) >= (terminal_ ? 0.2 : 10.0)) print();
  if (now - noted_ >= between_looks) note();
}

void Progress::finish(const std::string& detail) {
  finished_ = true;
  if (!enabled_) return;
  if (!detail.empty()) detail_ = detail;
  print();
}

void Progress::print() {
  printed_ = std::chrono::steady_clock::now();
  if (!terminal_) {
    log::info(plain_line(facts()));
    return;
  }
  log::live(live_line(facts(), columns()));
  if (finished_) log::end_live();
}

void Progress::note() {
  noted_ = std::chrono::steady_clock::now();
  if (kept.file.empty()) return;
  const ProgressFacts now = facts();
  Json json{{"stage", now.stage}, {"done", now.done},     {"total", now.total},    {"unit", now.unit},
            {"rate", now.rate},   {"detail", now.detail}, {"seconds", now.seconds}};
  if (const double eta = now.eta_seconds(); !std::isnan(eta)) json["eta_seconds"] = eta;
  json["unix_seconds"] =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  try {
    write_file_atomic(kept.file, json.dump() + "\n");
  } catch (const Error& error) {  // only whoever looks on would read it
    log::warning(std::string(error.what()) + ": `rlaif status` shows an earlier state");
    kept.file.clear();
  }
}

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace rlaif
