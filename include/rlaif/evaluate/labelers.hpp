// How far labelers agree beyond chance, and whether they err together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

// Side that P(first is better) names: 1 first, -1 second, 0 neither (p = 0.5).
std::vector<int> named_sides(std::span<const double> p);

// Cohen's kappa (1960): (observed - chance) / (1 - chance) for two labelers over any set of labels. NaN where chance
// agreement is 1 (both always give the same one label) or there are no items.
double cohens_kappa(std::span<const int> a, std::span<const int> b);

// Fleiss' kappa (1971): counts[item][label] says how many of the labelers gave that label; every item has the same
// number of labelers, two or more. NaN as above.
double fleiss_kappa(std::span<const std::vector<int>> counts);

// Correlation over pairs of "labeler is wrong" (a tie is half wrong): 0 where the labelers err independently, as a
// majority vote assumes. NaN where either never changes.
double error_correlation(std::span<const double> p_a, std::span<const double> p_b, std::span<const double> reference);

// Two labelers on the same pairs, each P(first is better) or NaN: the share on which they name the same side, of the pairs
// on which both name one. Interval by bootstrap over groups (prompts).
struct SideAgreement {
  Interval share;
  std::size_t decided = 0;  // pairs that both decided
};
SideAgreement side_agreement(std::span<const std::uint64_t> groups, std::span<const double> p_a,
                             std::span<const double> p_b, std::uint64_t seed, int resamples = 2000);

}  // namespace rlaif::evaluate
