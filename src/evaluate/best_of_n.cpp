#include "rlaif/evaluate/best_of_n.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rlaif/core/error.hpp"

namespace rlaif::evaluate {

std::vector<std::size_t> best_first(std::span<const double> scores) {
  std::vector<std::size_t> places(scores.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return places;
}

double best_of_n_mean(std::span<const double> scores, std::span<const double> values, std::size_t n) {
  const std::size_t all = scores.size();
  RLAIF_CHECK(values.size() == all && n >= 1 && n <= all, "n of the values that are there");
  const std::vector<std::size_t> places = best_first(scores);
  // Of the best: n / N. Of the next: times (rank - n) / (rank - 1), the ratio of the binomials.
  double weight = static_cast<double>(n) / static_cast<double>(all), mean = 0.0;
  for (std::size_t k = 0; k < all; ++k) {
    mean += weight * values[places[k]];
    const double rank = static_cast<double>(all - k);
    if (rank > 1.0) weight *= std::max(0.0, rank - static_cast<double>(n)) / (rank - 1.0);
  }
  return mean;
}

double best_of_n_kl_bound(std::size_t n) {
  const auto draws = static_cast<double>(n);
  return std::log(draws) - (draws - 1.0) / draws;
}

std::vector<double> best_of_n_distribution(std::span<const double> probabilities, std::size_t n) {
  std::vector<double> best;
  double below = 0.0;
  for (const double probability : probabilities) {
    const double up_to = below + probability;
    best.push_back(std::pow(up_to, static_cast<double>(n)) - std::pow(below, static_cast<double>(n)));
    below = up_to;
  }
  return best;
}

}  // namespace rlaif::evaluate
