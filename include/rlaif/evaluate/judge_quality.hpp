// What verdicts are worth, held against a reference.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "rlaif/core/types.hpp"
#include "rlaif/evaluate/calibration.hpp"
#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

inline constexpr std::size_t verdict_status_count = static_cast<std::size_t>(VerdictStatus::not_a_number) + 1;

// Intervals by bootstrap over prompts, since verdicts on one prompt are not independent. Only verdicts with status ok
// count; a share of nothing is NaN.
struct JudgeQuality {
  std::array<std::size_t, verdict_status_count> by_status{};  // how many verdicts of each status
  std::size_t decided = 0;                                    // answered pairs whose reference names a side
  Interval accuracy;  // over decided: the verdict names the reference's side, a tie counting half
  std::array<Interval, 2> accuracy_by_order;  // the same for each order alone, where it was asked
  double kappa = 0.0;                         // Cohen's, over decided
  Interval same_position;                     // both orders asked: the same position won in both
  Interval shown_first_wins;                  // over all orders asked, ties half; 0.5: no preference for a position
  Calibration calibration;                    // over answered pairs with a reference
};

// One entry a pair in all spans. `reference_p_first`: P(first is better) by gold or people; 0.5: no better one, NaN: no
// reference.
JudgeQuality judge_quality(std::span<const std::uint64_t> prompt_ids, std::span<const Verdict> verdicts,
                           std::span<const double> reference_p_first, std::uint64_t seed, int resamples = 2000);

}  // namespace rlaif::evaluate
