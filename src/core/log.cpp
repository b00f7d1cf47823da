#include "rlaif/core/log.hpp"

#include <cstdio>

namespace rlaif::log {
namespace {

// The rank is a fact of the process, set once by the session.
int process_rank = 0;
int process_count = 1;

// What is drawn on the last line of the terminal.
std::string drawn;
const char* const over = "\r\033[K";  // to the line's beginning, and clear it

// One write: ranks' lines do not mix.
void line(const std::string& text) { std::fputs(((drawn.empty() ? "" : over) + text + "\n" + drawn).c_str(), stderr); }

void labelled(const char* label, const std::string& message) {
  const std::string rank = process_count > 1 ? "rank " + std::to_string(process_rank) + ": " : "";
  line("rlaif: " + rank + label + message);
}

}  // namespace

void set_rank(int rank, int size) {
  process_rank = rank;
  process_count = size;
}

void info(const std::string& message) {
  if (process_rank == 0) line(message);
}
void warning(const std::string& message) { labelled("warning: ", message); }
void error(const std::string& message) { labelled("error: ", message); }

void live(const std::string& text) {
  if (process_rank != 0) return;
  drawn = text;
  std::fputs((over + drawn).c_str(), stderr);
  std::fflush(stderr);
}

void end_live() {
  if (drawn.empty()) return;
  drawn.clear();
  std::fputs("\n", stderr);
  std::fflush(stderr);
}

}  // namespace rlaif::log
