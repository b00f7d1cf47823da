#pragma once

#include <string>

namespace rlaif {
std::string host_name();  // of this machine; "unknown" where it has none
}
