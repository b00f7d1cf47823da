// One line of a file of recorded verdicts; replay.hpp says what it holds.
#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::judge {

struct RecordedVerdict {
  std::size_t line = 0;  // 0: none
  std::string pair, judge, style;
  std::size_t order = 0;  // 0: first shown first, 1: second shown first
  VerdictStatus status = VerdictStatus::missing;
  // In the pair's own frame: 1, 0, or 0.5 for a tie; NaN where the status is not ok.
  double p_first = std::numeric_limits<double>::quiet_NaN();
  std::string raw;
};
// Throws Error(input) naming file, line and key.
RecordedVerdict read_recorded(const text::JsonRecord& record);
// What a second verdict of the same judge, style, pair and order is.
[[nodiscard]] Error repeated(const text::JsonRecord& record, const RecordedVerdict& verdict, std::size_t first_line);

}  // namespace rlaif::judge
