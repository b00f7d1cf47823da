// Whether judges favour what their own model wrote.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

// One verdict on two responses of known writers.
struct WriterVerdict {
  std::uint64_t prompt_id = 0;
  std::size_t judge = 0;  // place in the names of judges
  std::string writer_first, writer_second;
  double p_first = 0.5;
};

struct SelfPreference {
  std::vector<std::string> writers;  // all there are, sorted
  std::vector<std::vector<Interval>>
      win_rates;  // [judge][writer]: share of the writer's pairs that the judge gives to it, ties half
  // Of each judge that is a writer too: its rate for its own writing less the mean of what the other judges give that
  // writer (that judges favour their own: Panickssery et al. 2404.13076); NaN for the others.
  std::vector<Interval> excess;
};
// Intervals by bootstrap over prompts. Pairs whose writers are the same, or not both known, say nothing. `writer_of_judge`:
// of each judge, the writer it is, or empty.
SelfPreference self_preference(std::span<const WriterVerdict> verdicts, const std::vector<std::string>& writer_of_judge,
                               std::uint64_t seed, int resamples = 2000);

}  // namespace rlaif::evaluate
