#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/fitting.hpp"

namespace rlaif::evaluate {
namespace {

constexpr int most_rounds = 1000;
constexpr double still = 1e-9;

bool names_a_side(double p) { return std::isfinite(p) && p != 0.5; }

// Weighted counts of a judge's named sides by how probable each side is the better one.
Confusion confusion_by(std::span<const double> p, std::span<const double> p_better_first) {
  Confusion cells{{{1.0, 1.0}, {1.0, 1.0}}};
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!names_a_side(p[i])) continue;
    const std::size_t named = p[i] > 0.5 ? 0 : 1;
    cells[0][named] += p_better_first[i];
    cells[1][named] += 1.0 - p_better_first[i];
  }
  for (auto& row : cells) {
    const double sum = row[0] + row[1];
    for (double& cell : row) cell /= sum;
  }
  return cells;
}

std::vector<double> majority(std::span<const std::vector<double>> p_by_judge, std::size_t pairs) {
  std::vector<double> shares(pairs, 0.5);
  for (std::size_t i = 0; i < pairs; ++i) {
    double first = 0.0, all = 0.0;
    for (const auto& p : p_by_judge) {
      if (!names_a_side(p[i])) continue;
      all += 1.0;
      first += p[i] > 0.5 ? 1.0 : 0.0;
    }
    if (all > 0.0) shares[i] = first / all;
  }
  return shares;
}

}  // namespace

Confusion labelled_confusion(std::span<const double> p, std::span<const double> reference) {
  RLAIF_CHECK(p.size() == reference.size(), "verdicts and references are of different pairs");
  std::vector<double> decided, better;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!names_a_side(reference[i])) continue;
    decided.push_back(p[i]);
    better.push_back(reference[i] > 0.5 ? 1.0 : 0.0);
  }
  return confusion_by(decided, better);
}

DawidSkene dawid_skene(std::span<const std::vector<double>> p_by_judge) {
  DawidSkene result;
  const std::size_t pairs = p_by_judge.empty() ? 0 : p_by_judge.front().size();
  for (const auto& p : p_by_judge) RLAIF_CHECK(p.size() == pairs, "the judges saw different pairs");
  result.p_first = majority(p_by_judge, pairs);
  result.confusions.resize(p_by_judge.size());
  for (double moved = 1.0; moved > still && result.rounds < most_rounds; ++result.rounds) {
    double first = 1.0;  // one imagined pair a side, as in the confusions
    for (const double p : result.p_first) first += p;
    result.share_first = first / (static_cast<double>(pairs) + 2.0);
    for (std::size_t j = 0; j < p_by_judge.size(); ++j)
      result.confusions[j] = confusion_by(p_by_judge[j], result.p_first);
    moved = 0.0;
    for (std::size_t i = 0; i < pairs; ++i) {
      double log_odds = std::log(result.share_first / (1.0 - result.share_first));
      bool named = false;
      for (std::size_t j = 0; j < p_by_judge.size(); ++j) {
        const double p = p_by_judge[j][i];
        if (!names_a_side(p)) continue;
        named = true;
        const std::size_t side = p > 0.5 ? 0 : 1;
        log_odds += std::log(result.confusions[j][0][side] / result.confusions[j][1][side]);
      }
      const double posterior = named ? 1.0 / (1.0 + std::exp(-log_odds)) : 0.5;
      moved = std::max(moved, std::abs(posterior - result.p_first[i]));
      result.p_first[i] = posterior;
    }
  }
  return result;
}

}  // namespace rlaif::evaluate
