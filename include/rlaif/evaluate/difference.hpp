// Whether two results are told apart: the difference of two numbers with its interval, from what both were measured on.
//   const Interval d = paired_difference(sums_a, sums_b, seed);   if (tells_apart(d)) ...
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

// b less a, of two independent measurements of which only the intervals are known: the method of variance estimates recovery
// (Zou and Donner 2008). Half widths on either side add as squares.
Interval independent_difference(const Interval& a, const Interval& b);

// Sum and number of values by group (prompt).
using Grouped = std::map<std::string, std::pair<double, double>>;
bool have_same_groups(const Grouped& a, const Grouped& b);
// Mean of b less mean of a, where both have the same groups: each resample draws the same groups for both, so that what makes a
// prompt hard or easy cancels out.
Interval paired_difference(const Grouped& a, const Grouped& b, std::uint64_t seed, int resamples = 2000);

// The interval is known and holds no 0.
bool tells_apart(const Interval& difference);

}  // namespace rlaif::evaluate
