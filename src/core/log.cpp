#include "rlaif/core/log.hpp"

#include <cstdio>

namespace rlaif::log {
namespace {

// The rank is a fact of the process, set once by the session.
int process_rank = 0;
int process_count = 1;

void line(const char* label, const std::string& message) {
  std::string text = "rlaif: ";
  if (process_count > 1 && *label) text += "rank " + std::to_string(process_rank) + ": ";
  text += label;
  text += message;
  text += '\n';
  std::fputs(text.c_str(), stderr);  // one write a line: lines of ranks do not mix
}

}  // namespace

void set_rank(int rank, int size) {
  process_rank = rank;
  process_count = size;
}

void info(const std::string& message) {
  if (process_rank == 0) line("", message);
}
void warning(const std::string& message) { line("warning: ", message); }
void error(const std::string& message) { line("error: ", message); }

}  // namespace rlaif::log
