// Numbers that the statistics of this module have in common. Private to evaluate.
//   return pairs > 0.0 ? won / pairs : not_a_number;
#pragma once

#include <cmath>
#include <limits>

namespace rlaif::evaluate {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace rlaif::evaluate
