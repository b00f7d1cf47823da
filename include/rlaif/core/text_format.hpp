// printf into a string, for tables.
#pragma once

#include <string>

namespace rlaif {

std::string text_format(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace rlaif
