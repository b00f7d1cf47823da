// Ratings of policies from who was preferred over whom, on one scale for all of them.
//   const std::vector<Interval> elo = elo_ratings(games, 3, seed, 2000);   // elo[0] is 0; elo[1].value, .low, .high
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

// Of the players a and b, whose numbers count from 0.
struct Game {
  std::uint64_t group = 0;  // the prompt: games of one are resampled together
  std::size_t a = 0, b = 1;
  double p_a = 0.5;  // 1: a won, 0: b did, 0.5: a tie; or how sure it is that a is better
};

// wins[i][j]: how often i was preferred over j, ties half to each side.
using WinMatrix = std::vector<std::vector<double>>;

// Log-strengths s with P(i beats j) = sigmoid(s_i - s_j) (Bradley and Terry 1952), that of player 0 being 0, by maximum
// likelihood with Newton's method. The likelihood alone has a finite maximum only where of any two groups of players
// either has beaten the other (Ford 1957; Hunter 2004, assumption 1); so each pair of players is given one game more,
// which ends even: the conjugate prior of Davidson and Solomon (1973) of weight one. Whoever wins all of n games stands
// ln(2 n + 1) above, and players who never met are told apart by who they have both met, or not at all.
std::vector<double> bradley_terry(const WinMatrix& wins);

// The same in Elo points: 400 points are odds of ten to one. Intervals by bootstrap over groups.
std::vector<Interval> elo_ratings(std::span<const Game> games, std::size_t players, std::uint64_t seed,
                                  int resamples = 2000);

}  // namespace rlaif::evaluate
