// Log lines on stderr. Rank 0 speaks; other ranks speak only through warnings and errors.
#pragma once

#include <string>

namespace rlaif::log {

// Called once by the session; before it the process counts as rank 0.
void set_rank(int rank, int size);

void info(const std::string& message);     // rank 0 only, as it is
void warning(const std::string& message);  // any rank: "rlaif: rank 2: warning: ..."
void error(const std::string& message);

}  // namespace rlaif::log
