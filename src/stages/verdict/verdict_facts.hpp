// What judges, and the study's own yardstick, make of its policies: numbers of the verdict.
//   VerdictColumns columns(samples.block(0, prompts));  columns.yardsticks.push_back({"referee", p_of_a});
//   const Json facts = verdict_facts(policies, columns, {seed, 2000, 0.05});
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comparisons.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::stages {

// Who says what about the comparisons, in their order: P(a is better), NaN where nothing was said.
struct YardstickColumn {
  std::string name;
  std::vector<double> p_a;
};

// From a judge's records, whose ids say which comparisons they are of; records of other texts, and of pairs that are not
// compared, are left out.
YardstickColumn column_of(const std::string& name, const std::vector<Compared>& compared,
                          const std::vector<Preference>& records);
// The study's own yardstick.
YardstickColumn own_column(const std::string& name, const std::vector<Compared>& compared);

struct VerdictColumns {
  explicit VerdictColumns(const std::vector<Compared>& compared);
  std::vector<std::uint64_t> group;  // prompts that read the same are one group of the bootstrap
  std::vector<std::int64_t> item;
  std::vector<std::size_t> matchup;
  std::vector<double> length_difference;
  std::vector<YardstickColumn> yardsticks;
};

struct VerdictSettings {
  std::uint64_t seed = 0;
  int resamples = 2000;
  double stop_error_rate = 0.0;  // 0: nobody stops
  std::int64_t prompts = 0;      // at most so many are asked about
};

// {"wins": {"rlaif_vs_sft": {"win_rate", "named", "length_controlled", "prompts", "sequence"}}, "ratings": {"sft": ..}},
// intervals as {"value", "low", "high"}. A win is P(a is better), so that a tie is half a win; `named` counts sides, however
// sure a judge is of them.
Json yardstick_facts(const ComparedPolicies& policies, const VerdictColumns& columns, const YardstickColumn& of,
                     const VerdictSettings& settings);
// Of every two yardsticks: [{"a", "b", "share", "pairs"}].
Json agreement_of_yardsticks(const VerdictColumns& columns, const VerdictSettings& settings);

}  // namespace rlaif::stages
