// Every policy on held-out prompts: marks, KL, length, wins over sft, and what it took.
#include <fmt/format.h>

#include "judged.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/study/data_sets.hpp"
#include "tables.hpp"

namespace rlaif::stages {
namespace {

Json policy_facts(const PolicySamples& samples, const std::vector<Mark>& marks, std::uint64_t seed, int resamples) {
  Json facts;
  std::vector<std::string> names;
  for (const Mark& mark : marks) names.push_back(mark.name);
  for (const char* name : {"ended", "utility", "kl", "length", "specific", "specificity"}) names.emplace_back(name);
  for (const std::string& name : names) {
    const auto found = samples.numbers.find(name);
    if (found == samples.numbers.end()) continue;
    const evaluate::Interval interval = found->second.mean(seed, resamples);
    facts[name] = interval.value;
    facts[name + "_low"] = interval.low;
    facts[name + "_high"] = interval.high;
  }
  return facts;
}

// A row for every mark and number of the policies, a column for every policy.
std::string marks_table(const Json& results) {
  std::vector<std::string> rows{"utility"};
  for (const Json& mark : results["marks"]) rows.push_back(mark.get<std::string>());
  rows.insert(rows.end(), {"specific", "specificity"});
  std::string text = fmt::format("\n{:<24}", "");
  for (const auto& [name, arm] : results["arms"].items()) text += fmt::format(" {:<22}", name);
  for (const std::string& row : rows) {
    if (!results["arms"]["sft"].contains(row)) continue;
    text += fmt::format("\n{:<24}", row);
    for (const auto& [name, arm] : results["arms"].items()) {
      text += fmt::format(" {:<22}", fmt::format("{:.3f} ({:.3f}-{:.3f})", number(arm, row), number(arm, row + "_low"),
                                                 number(arm, row + "_high")));
    }
  }
  return text + "\n\n";
}

}  // namespace

Json policies_rows(const Evaluated& evaluated) {
  const std::uint64_t seed = evaluated.context.study.run.seed;
  const int resamples = evaluated.resamples;
  const std::vector<Mark> marks = evaluated.context.task.marks();
  Json rows;
  rows["yardstick"] = evaluated.samples.at("sft").utilities.empty() ? "none" : evaluated.context.task.yardstick();
  rows["marks"] = Json::array();
  for (const Mark& mark : marks) rows["marks"].push_back(mark.name);
  rows["arms"]["sft"] = policy_facts(evaluated.samples.at("sft"), marks, seed, resamples);
  for (const ArmOptions& arm : evaluated.context.study.arms) {
    Json row = evaluated.win_rate(arm.name, "sft", "win_rate_vs_sft");
    row.update(policy_facts(evaluated.samples.at(arm.name), marks, seed, resamples));
    row["algorithm"] = arm.algorithm;
    const Json labels = labels_facts(evaluated.judged, arm);
    if (!labels.empty()) row["judge"] = arm.judge;
    row["start"] = arm.start;
    if (!arm.data.empty()) row["data"] = arm.data;
    if (!labels.empty()) {
      row["labels"] = labels["labels"];
      row["cost_usd"] = labels["cost_usd"];
    }
    rows["arms"][arm.name] = row;
  }
  return rows;
}

// What an arm cost in time: its judge's share of annotation, its reward model, its policy.
void policies_finish(const Finished& finished, Json& results) {
  const Study& study = finished.context.study;
  for (const ArmOptions& arm : study.arms) {
    double seconds = 0.0;
    const DataSet data = data_of(study, arm);
    const Json& labelling = *finished.by_stage.at(data.stage(data.kind == DataKind::preferences ? "annotate" : "data"));
    if (labelling.contains("judge_rank_seconds")) {
      seconds += number(labelling["judge_rank_seconds"], arm.judge) / number(labelling, "ranks");
    }
    for (const Json& marker : finished.markers) {
      const std::string kind = marker.value("kind", std::string()), of = marker.value("of", std::string());
      const bool reward_model = kind == "reward" && of == labels_of(arm) && algorithm_of(arm).trains_reward_model();
      if (reward_model || (kind == arm.algorithm && of == arm.name)) seconds += number(marker, "wall_seconds");
    }
    results["arms"][arm.name]["wall_seconds"] = seconds;
    // Of judges that were asked for this arm alone, where its data were made or while it was trained.
    for (const Json& marker : finished.markers) {
      const std::string of = marker.value("of", std::string());
      if (!marker.contains("labels") || !(of == arm.name || (of == arm.data && !arm.data.empty()))) continue;
      results["arms"][arm.name]["labels"] = marker["labels"];
      results["arms"][arm.name]["cost_usd"] = marker["cost_usd"];
    }
  }
}

std::string policies_text(const Printed& printed) {
  const Json& results = printed.results;
  if (!results.contains("arms")) return "";
  std::string text = fmt::format("{:<12} {:<20}", "arm", "wins vs sft, %");
  for (const std::string& column : printed.columns) text += fmt::format(" {:>8}", column);
  text += fmt::format(" {:>7} {:>7} {:>8} {:>10} {:>9}\n", "KL", "length", "labels", "cost, USD", "time");
  for (const auto& [name, arm] : results["arms"].items()) {
    text += fmt::format("{:<12} {:<20}", name, win_text(arm, "win_rate_vs_sft"));
    for (const std::string& column : printed.columns) text += fmt::format(" {:>8}", rate(arm, column));
    text += fmt::format(" {:>7.2f} {:>7.1f} {:>8.0f} {:>10.2f} {:>9}\n", number(arm, "kl"), number(arm, "length"),
                        number(arm, "labels"), number(arm, "cost_usd"),
                        arm.contains("wall_seconds") ? format_duration(number(arm, "wall_seconds")) : "-");
  }
  const std::string yardstick = results.value("yardstick", "gold");
  if (yardstick == "none") return text + "\nno yardstick of the study's own knows these prompts\n";
  text += "\nwins are by " + yardstick + " (ties half) with 95 % intervals by prompt\n";
  return yardstick == "gold" ? text : text + marks_table(results);
}

}  // namespace rlaif::stages
