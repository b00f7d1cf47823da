#pragma once

namespace rlaif {
const char* version();  // of this program, "0.1.0"
}
