#include "rlaif/evaluate/labelers.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/statistics.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

double beyond_chance(double observed, double chance) {
  return chance >= 1.0 ? not_a_number : (observed - chance) / (1.0 - chance);
}

}  // namespace

std::vector<int> named_sides(std::span<const double> p) {
  std::vector<int> sides;
  sides.reserve(p.size());
  for (const double value : p) sides.push_back(value > 0.5 ? 1 : value < 0.5 ? -1 : 0);
  return sides;
}

double cohens_kappa(std::span<const int> a, std::span<const int> b) {
  RLAIF_CHECK(a.size() == b.size(), "the two labelers saw different items");
  if (a.empty()) return not_a_number;
  std::map<int, std::pair<double, double>> uses;
  double agreed = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    agreed += a[i] == b[i];
    uses[a[i]].first += 1.0;
    uses[b[i]].second += 1.0;
  }
  const auto items = static_cast<double>(a.size());
  double chance = 0.0;
  for (const auto& [label, count] : uses) chance += count.first * count.second;
  return beyond_chance(agreed / items, chance / (items * items));
}

double fleiss_kappa(std::span<const std::vector<int>> counts) {
  if (counts.empty()) return not_a_number;
  std::vector<double> uses(counts.front().size(), 0.0);
  double labelers = 0.0;
  for (const int count : counts.front()) labelers += count;
  RLAIF_CHECK(labelers >= 2.0, "Fleiss' kappa needs two labelers or more");
  double agreed = 0.0;  // sum over items of the share of agreeing pairs of labelers
  for (const std::vector<int>& item : counts) {
    RLAIF_CHECK(item.size() == uses.size(), "items have different sets of labels");
    double labels = 0.0, pairs = 0.0;
    for (std::size_t label = 0; label < item.size(); ++label) {
      uses[label] += item[label];
      labels += item[label];
      pairs += item[label] * (item[label] - 1.0);
    }
    RLAIF_CHECK(labels == labelers, "items have different numbers of labelers");
    agreed += pairs / (labelers * (labelers - 1.0));
  }
  const auto items = static_cast<double>(counts.size());
  double chance = 0.0;
  for (const double count : uses) chance += (count / (items * labelers)) * (count / (items * labelers));
  return beyond_chance(agreed / items, chance);
}

double error_correlation(std::span<const double> p_a, std::span<const double> p_b, std::span<const double> reference) {
  RLAIF_CHECK(p_a.size() == reference.size() && p_b.size() == reference.size(), "the labelers saw different pairs");
  if (reference.empty()) return not_a_number;
  const auto pairs = static_cast<double>(reference.size());
  double sum_a = 0.0, sum_b = 0.0, sum_aa = 0.0, sum_bb = 0.0, sum_ab = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double a = 1.0 - same_side(p_a[i], reference[i]);
    const double b = 1.0 - same_side(p_b[i], reference[i]);
    sum_a += a;
    sum_b += b;
    sum_aa += a * a;
    sum_bb += b * b;
    sum_ab += a * b;
  }
  // Multiples of a quarter throughout: these differences are exact.
  const double variance_a = pairs * sum_aa - sum_a * sum_a, variance_b = pairs * sum_bb - sum_b * sum_b;
  if (variance_a <= 0.0 || variance_b <= 0.0) return not_a_number;
  return (pairs * sum_ab - sum_a * sum_b) / std::sqrt(variance_a * variance_b);
}

SideAgreement side_agreement(std::span<const std::uint64_t> groups, std::span<const double> p_a,
                             std::span<const double> p_b, std::uint64_t seed, int resamples) {
  RLAIF_CHECK(p_a.size() == p_b.size() && p_a.size() == groups.size(), "the labelers saw different pairs");
  const std::vector<int> a = named_sides(p_a), b = named_sides(p_b);
  SideAgreement agreement;
  GroupedMean same;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == 0 || b[i] == 0) continue;
    ++agreement.decided;
    same.add(groups[i], a[i] == b[i] ? 1.0 : 0.0);
  }
  agreement.share = same.interval(seed, resamples);
  return agreement;
}

}  // namespace rlaif::evaluate
