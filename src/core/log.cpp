#include "rlaif/core/log.hpp"

#include <cstdio>

namespace rlaif::log {
namespace {

// The rank is a fact of the process, set once by the session.
int process_rank = 0;
int process_count = 1;

void line(const std::string& text) { std::fputs((text + "\n").c_str(), stderr); }  // one write: ranks' lines do not mix

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

}  // namespace rlaif::log
