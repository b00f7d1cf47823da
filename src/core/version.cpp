#include "rlaif/core/version.hpp"

namespace rlaif {
const char* version() { return RLAIF_VERSION; }
}  // namespace rlaif
