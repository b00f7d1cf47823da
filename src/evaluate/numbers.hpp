// Numbers that the statistics of this module have in common. Private to evaluate.
//   json["kappa"] = number_or_null(kappa);
#pragma once

#include <cmath>
#include <limits>

#include "rlaif/core/json.hpp"

namespace rlaif::evaluate {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }
inline double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace rlaif::evaluate
