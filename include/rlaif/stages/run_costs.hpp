// What a run used, read from its directory, beside what labels cost elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/cost/asker.hpp"
#include "rlaif/cost/assumptions.hpp"
#include "rlaif/cost/labels.hpp"

namespace rlaif::stages {

// Time of a stage that is done.
struct StageTime {
  std::string stage;
  double ranks = 0.0, wall_seconds = 0.0;
  double rank_hours() const { return ranks * wall_seconds / 3600.0; }
};
// What the answers that a judge or writer asked for cost in all starts together, those that no preference came of included.
struct PaidAnswers {
  cost::Asker asker;
  std::int64_t answers = 0;
  double paid_usd = 0.0, unsettled_usd = 0.0;
};
struct RunCosts {
  std::filesystem::path run;
  std::string name;
  std::vector<cost::MeasuredUse> uses;  // by store: "annotate" and "annotate, held-out" of a judge, labels by people
  std::vector<std::string>
      unfinished;  // stores of them that are not finished ("ai", "comparisons/ai"): what is there counts
  std::vector<PaidAnswers> paid;
  std::vector<StageTime> stages;
  double usd_per_rank_hour = 0.0;  // plan.usd_per_rank_hour
};

// From run.json, the stages' markers, the preference stores and the answers that were paid for. Throws Error(input) naming
// the file for what is no run directory or is damaged.
RunCosts measure_run(const std::filesystem::path& run);

// What a run used, by judge and stage, for a report: {"judges", "answers", "stages", "usd_per_rank_hour", ...}.
Json costs_json(const RunCosts& run);

// The comparison for so many labels; `run` may be null. As text with dollars to the cent, and as JSON with every assumption.
std::string cost_text(const cost::Assumptions& assumptions, double comparisons, const RunCosts* run);
Json cost_json(const cost::Assumptions& assumptions, double comparisons, const RunCosts* run);

}  // namespace rlaif::stages
