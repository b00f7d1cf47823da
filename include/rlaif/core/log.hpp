// Log lines on stderr. Rank 0 speaks; other ranks speak only through warnings and errors.
//   log::info("sft: done before");   log::live("sft [###...] 12 %");   log::end_live();
#pragma once

#include <string>

namespace rlaif::log {

// Called once by the session; before it the process counts as rank 0.
void set_rank(int rank, int size);

void info(const std::string& message);     // rank 0 only, as it is
void warning(const std::string& message);  // any rank: "rlaif: rank 2: warning: ..."
void error(const std::string& message);

// The last line of a terminal, drawn over again and again (core/progress.hpp); other lines of this process go above it. Rank 0
// only.
void live(const std::string& text);
// What is drawn stays, and is a line like others from then on.
void end_live();

}  // namespace rlaif::log
