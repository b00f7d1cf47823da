// Means of a few independent values, such as one result a seed.
#pragma once

#include <span>

#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

// With n - 1 in the denominator; NaN of fewer than two.
double standard_deviation(std::span<const double> values);

// t so that a variable of Student's distribution lies within +-t with 95 %. `degrees` at least 1. From the finite sums for
// whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), by bisection.
double student_t95(int degrees);

// Mean and 95 % interval: mean +- t s / sqrt(n). Of one value low and high are NaN.
Interval student_mean(std::span<const double> values);

}  // namespace rlaif::evaluate
