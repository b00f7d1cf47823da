// What the difference of two scores is divided by. Private to judge.
#pragma once

#include <cmath>
#include <string>

#include "rlaif/core/error.hpp"

namespace rlaif::judge {

// Throws Error(usage) naming the judge where it is not above 0.
inline void require_temperature(const std::string& judge, double temperature) {
  if (temperature > 0.0 && std::isfinite(temperature)) return;
  throw usage_error("judge '" + judge + "': a temperature above 0 was expected, found " + std::to_string(temperature));
}

}  // namespace rlaif::judge
