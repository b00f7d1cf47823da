#include "rlaif/evaluate/ratings.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "rlaif/core/error.hpp"

#include "cholesky.hpp"
#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

constexpr int most_steps = 200;
constexpr double last_step = 1e-11;
constexpr double elo_points = 400.0 / std::numbers::ln10;  // of a unit of log-odds

double log_likelihood_of(const WinMatrix& wins, const std::vector<double>& strengths) {
  double sum = 0.0;
  for (std::size_t i = 0; i < wins.size(); ++i) {
    for (std::size_t j = 0; j < wins.size(); ++j)
      if (i != j) sum += wins[i][j] * log_logistic(strengths[i] - strengths[j]);
  }
  return sum;
}

// Of all players but the first, who stays where it is.
std::vector<double> newton_step_of(const WinMatrix& wins, const std::vector<double>& strengths) {
  const std::size_t free = wins.size() - 1;
  std::vector<double> gradient(free, 0.0);
  Matrix hessian(free, std::vector<double>(free, 0.0));
  for (std::size_t i = 1; i < wins.size(); ++i) {
    for (std::size_t j = 0; j < wins.size(); ++j) {
      if (i == j) continue;
      const double games = wins[i][j] + wins[j][i];
      const double p = logistic(strengths[i] - strengths[j]), weight = games * p * (1.0 - p);
      gradient[i - 1] += wins[i][j] - games * p;
      hessian[i - 1][i - 1] += weight;
      if (j > 0) hessian[i - 1][j - 1] -= weight;
    }
  }
  return solve(std::move(hessian), std::move(gradient));
}

// Sums of won games, by group.
struct GroupedWins {
  std::vector<WinMatrix> groups;
  std::size_t players;

  std::vector<double> strengths(std::span<const std::size_t> chosen) const {
    WinMatrix sum(players, std::vector<double>(players, 0.0));
    for (const std::size_t group : chosen) {
      for (std::size_t i = 0; i < players; ++i)
        for (std::size_t j = 0; j < players; ++j) sum[i][j] += groups[group][i][j];
    }
    return bradley_terry(sum);
  }
};

}  // namespace

std::vector<double> bradley_terry(const WinMatrix& of) {
  WinMatrix wins = of;
  for (std::size_t i = 0; i < wins.size(); ++i) {
    RLAIF_CHECK(wins[i].size() == wins.size(), "wins are those of each player over each");
    for (std::size_t j = 0; j < wins.size(); ++j) wins[i][j] += i == j ? 0.0 : 0.5;
  }
  std::vector<double> strengths(wins.size(), 0.0);
  if (wins.size() < 2) return strengths;
  double likelihood = log_likelihood_of(wins, strengths);
  for (int taken = 0; taken < most_steps; ++taken) {
    const std::vector<double> step = newton_step_of(wins, strengths);
    double share = 1.0, largest = 0.0;
    for (const double one : step) largest = std::max(largest, std::fabs(one));
    std::vector<double> next = strengths;
    double reached = 0.0;
    for (; share > 1e-9; share /= 2.0) {
      for (std::size_t i = 1; i < next.size(); ++i) next[i] = strengths[i] + share * step[i - 1];
      reached = log_likelihood_of(wins, next);
      if (reached >= likelihood) break;
    }
    if (share <= 1e-9) break;  // rounding alone is left
    strengths = std::move(next);
    likelihood = reached;
    if (share * largest < last_step) break;
  }
  return strengths;
}

std::vector<Interval> elo_ratings(std::span<const Game> games, std::size_t players, std::uint64_t seed, int resamples) {
  std::map<std::uint64_t, WinMatrix> by_group;
  for (const Game& game : games) {
    RLAIF_CHECK(game.a < players && game.b < players && game.a != game.b, "a game is of two players that are there");
    WinMatrix& wins =
        by_group.try_emplace(game.group, WinMatrix(players, std::vector<double>(players, 0.0))).first->second;
    wins[game.a][game.b] += game.p_a;
    wins[game.b][game.a] += 1.0 - game.p_a;
  }
  GroupedWins grouped{{}, players};
  for (auto& [group, wins] : by_group) grouped.groups.push_back(std::move(wins));
  // The same resamples serve all players: each is fitted once and read by all.
  std::vector<std::vector<double>> fitted;
  bootstrap(
      grouped.groups.size(),
      [&](std::span<const std::size_t> chosen) {
        fitted.push_back(grouped.strengths(chosen));
        return 0.0;
      },
      seed, resamples);
  std::vector<Interval> ratings;
  for (std::size_t player = 0; player < players; ++player) {
    std::size_t at = 0;
    Interval interval = bootstrap(
        grouped.groups.size(), [&](std::span<const std::size_t>) { return elo_points * fitted[at++][player]; }, seed,
        resamples);
    ratings.push_back(interval);
  }
  return ratings;
}

}  // namespace rlaif::evaluate
