#include "rlaif/evaluate/judge_quality.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/labelers.hpp"
#include "rlaif/judge/judge.hpp"

namespace rlaif::evaluate {
namespace {

// What is counted over the pairs before any interval is computed.
struct Counts {
  GroupedMean accuracy, same_position, shown_first_wins;
  std::array<GroupedMean, 2> accuracy_by_order;
  std::vector<double> decided_p, decided_reference;  // for kappa
  std::vector<double> p, reference;                  // for calibration

  void add_positions(std::uint64_t prompt_id, const Verdict& verdict) {
    const auto [p_shown_first, p_shown_second] = verdict.p_first_by_order;
    if (std::isfinite(p_shown_first)) shown_first_wins.add(prompt_id, same_side(p_shown_first, 1.0));
    if (std::isfinite(p_shown_second)) shown_first_wins.add(prompt_id, same_side(p_shown_second, 0.0));
    if (std::isfinite(p_shown_first) && std::isfinite(p_shown_second)) {
      same_position.add(prompt_id, judge::same_position_in_both_orders(verdict) ? 1.0 : 0.0);
    }
  }
  void add_against(std::uint64_t prompt_id, const Verdict& verdict, double reference_p) {
    p.push_back(verdict.p_first);
    reference.push_back(reference_p);
    if (reference_p == 0.5) return;
    decided_p.push_back(verdict.p_first);
    decided_reference.push_back(reference_p);
    accuracy.add(prompt_id, same_side(verdict.p_first, reference_p));
    for (std::size_t order = 0; order < 2; ++order) {
      const double p_order = verdict.p_first_by_order[order];
      if (std::isfinite(p_order)) accuracy_by_order[order].add(prompt_id, same_side(p_order, reference_p));
    }
  }
};

}  // namespace

JudgeQuality judge_quality(std::span<const std::uint64_t> prompt_ids, std::span<const Verdict> verdicts,
                           std::span<const double> reference_p_first, std::uint64_t seed, int resamples) {
  RLAIF_CHECK(prompt_ids.size() == verdicts.size() && reference_p_first.size() == verdicts.size(),
              "prompts, verdicts and references are of different pairs");
  JudgeQuality quality;
  Counts counts;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    ++quality.by_status[static_cast<std::size_t>(verdicts[i].status)];
    if (verdicts[i].status != VerdictStatus::ok) continue;
    counts.add_positions(prompt_ids[i], verdicts[i]);
    if (std::isfinite(reference_p_first[i])) counts.add_against(prompt_ids[i], verdicts[i], reference_p_first[i]);
  }
  quality.decided = counts.decided_p.size();
  quality.accuracy = counts.accuracy.interval(seed, resamples);
  for (std::size_t order = 0; order < 2; ++order) {
    quality.accuracy_by_order[order] = counts.accuracy_by_order[order].interval(seed, resamples);
  }
  quality.kappa = cohens_kappa(named_sides(counts.decided_p), named_sides(counts.decided_reference));
  quality.same_position = counts.same_position.interval(seed, resamples);
  quality.shown_first_wins = counts.shown_first_wins.interval(seed, resamples);
  quality.calibration = calibration(counts.p, counts.reference);
  return quality;
}

}  // namespace rlaif::evaluate
