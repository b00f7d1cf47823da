#include "text_format.hpp"

#include <cstdarg>
#include <cstdio>

namespace rlaif::pipeline {

std::string text_format(const char* format, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

}  // namespace rlaif::pipeline
