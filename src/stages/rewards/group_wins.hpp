// What responses to one prompt are worth by comparisons among them. A pure function.
//   wins_in_groups({0.9, 0.8, 0.6}, {3});   // pairs (0,1), (0,2), (1,2) of one group: 0.85, 0.35, 0.30
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace rlaif::stages {

// The mean of P(it is better) over the others of its group whose comparison with it has a value: one number a response. NaN where
// none has. `preferred`: P(i is better than j) of all pairs i < j of the groups, group by group, NaN where there is no verdict.
// Where all have one, those of a group of G add up to G / 2.
std::vector<double> wins_in_groups(std::span<const double> preferred, std::span<const std::size_t> sizes);

}  // namespace rlaif::stages
