// What judges are worth on labelled pairs, as facts for a report. Intervals are 95 %, by bootstrap over prompts.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/fitting.hpp"
#include "rlaif/evaluate/labelled_pairs.hpp"
#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::evaluate {

struct ReportOptions {
  std::uint64_t seed = 0;
  int resamples = 2000;
};

Json to_json(const Interval& interval);  // {"value", "low", "high"}; what is not finite is null

// A step of a cascade: {"judge": whose threshold it is, "chosen": a point, "last": the last judge asked about all pairs,
// "of_last_agreement", "pairs", "curve": [points]}; a point is {"threshold", "share_asked", "agreement", "usd_per_1000"}. At most about
// `most_points` of the curve, evenly, the first, the last and the chosen among them; 0: all.
Json cascade_report(const std::string& judge, const CascadeCurve& curve, const CascadePoint& last, std::size_t pairs,
                    std::size_t most_points = 0);

// One verdict a pair. Rates are over answered pairs; agreement over those of them whose label is no tie, where a verdict
// without a side is half right; kappa and the macro scores over all three labels (pairs whose label is NaN have none), the latter with what gave no verdict as
// wrong. `temperature`: for the calibration error after it.
Json judge_report(std::span<const LabelledPair> pairs, std::span<const Verdict> verdicts, double temperature,
                  const ReportOptions& options);

// Of two judges and more: Fleiss' kappa over the pairs that all answered, the correlation of their errors (labelers.hpp)
// and how often each two name the same side, over the pairs that both answered.
Json across_judges(std::span<const LabelledPair> pairs, const std::vector<std::string>& names,
                   const std::map<std::string, std::vector<Verdict>>& verdicts, const ReportOptions& options);

// By kind of probe, and of all: how often a judge that answered names the bad response, a tie as half, over both orders and in
// each (good shown first, bad shown first).
Json probe_report(std::span<const LabelledPair> probes, std::span<const Verdict> verdicts,
                  const ReportOptions& options);

// A report's numbers for people: {"judges": {name: judge_report}, "across", "people", "cascades", "held_out" (tools), "probes": {name:
// probe_report}}, absent parts left out.
std::string report_table(const Json& report);

}  // namespace rlaif::evaluate
