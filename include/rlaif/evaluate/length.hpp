// Whether the longer response wins for being longer.
#pragma once

#include <span>

namespace rlaif::evaluate {

// Share of pairs in which the longer response is preferred (p = 0.5 counts half); pairs of equal length are left out.
// `length_differences`: length of first less length of second.
double longer_preferred(std::span<const double> p_first, std::span<const double> length_differences);

// Win rate at equal length: logistic regression of the win (1, 0.5 or 0) on the length difference, read at a difference
// of zero; AlpacaEval's length control (2404.04475) in its smallest form. Differences are scaled by their standard
// deviation, and the slope carries a ridge of 1e-3 a pair so that it stays finite where length alone decides.
double length_controlled_win_rate(std::span<const double> wins, std::span<const double> length_differences);

// Win rate at equal length as AlpacaEval 2 has it (Dubois et al. 2404.04475, section 3): logistic regression of the win
// on a term for the policy and tanh(difference / standard deviation of the differences), read at a difference of zero.
// Of one policy and one opponent the paper's third term, how hard a prompt is, is no other number than the residual,
// and is left out. A ridge of 1e-3 a pair on the slope. Wins may be probabilities.
double saturating_length_controlled_win_rate(std::span<const double> wins, std::span<const double> length_differences);

}  // namespace rlaif::evaluate
