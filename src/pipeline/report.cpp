#include "rlaif/pipeline/report.hpp"

#include <map>

#include "rlaif/core/progress.hpp"
#include "text_format.hpp"

namespace rlaif::pipeline {
namespace {

double number(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_number() ? object[key].get<double>() : 0.0;
}

std::string rate(const Json& object, const char* key) {
  return object.contains(key) ? text_format("%.3f", number(object, key)) : "-";
}

std::string win_text(const Json& object, const char* key) {
  if (!object.contains(key)) return "-";
  return text_format("%.1f (%.1f-%.1f)", 100 * number(object, key), 100 * number(object, "ci_low"),
                     100 * number(object, "ci_high"));
}

// A row for every mark and number of the policies, a column for every policy.
std::string marks_table(const Json& results) {
  std::vector<std::string> rows{"utility"};
  for (const Json& mark : results["marks"]) rows.push_back(mark.get<std::string>());
  rows.insert(rows.end(), {"specific", "specificity"});
  std::string text = text_format("\n%-24s", "");
  for (const auto& [name, arm] : results["arms"].items()) text += text_format(" %-22s", name.c_str());
  for (const std::string& row : rows) {
    if (!results["arms"]["sft"].contains(row)) continue;
    text += text_format("\n%-24s", row.c_str());
    for (const auto& [name, arm] : results["arms"].items()) {
      text += text_format(" %-22s", text_format("%.3f (%.3f-%.3f)", number(arm, row.c_str()), number(arm, (row + "_low").c_str()),
                                                number(arm, (row + "_high").c_str())).c_str());
    }
  }
  return text + "\n\n";
}

}  // namespace

Json make_results(const StudyOptions& options, const std::vector<Json>& markers) {
  std::map<std::string, const Json*> by_stage;
  for (const Json& marker : markers) by_stage[marker["stage"].get<std::string>()] = &marker;
  const Json& evaluation = by_stage.at("evaluate")->at("results");
  Json results = evaluation;
  double ranks = 1;
  for (const Json& marker : markers) ranks = std::max(ranks, number(marker, "ranks"));
  for (const ArmOptions& arm : options.arms) {
    // What an arm cost in time: its judge's share of annotation, its reward model, its policy.
    double seconds = 0.0;
    const Json& annotate = *by_stage.at("annotate");
    if (annotate.contains("judge_rank_seconds")) {
      seconds += number(annotate["judge_rank_seconds"], arm.judge.c_str()) / number(annotate, "ranks");
    }
    seconds += number(*by_stage.at("reward-" + arm.judge), "wall_seconds");
    seconds += number(*by_stage.at("ppo-" + arm.name), "wall_seconds");
    results["arms"][arm.name]["wall_seconds"] = seconds;
  }
  results["stages"] = Json::array();
  double total = 0.0;
  for (const Json& marker : markers) {
    Json row;
    row["stage"] = marker["stage"];
    row["wall_seconds"] = marker["wall_seconds"];
    row["peak_memory_bytes"] = marker["peak_memory_bytes"];
    total += number(marker, "wall_seconds");
    results["stages"].push_back(row);
  }
  results["wall_seconds"] = total;
  results["ranks"] = ranks;
  results["seed"] = options.run.seed;
  results["deck"] = options.name;
  return results;
}

std::string results_table(const Json& results) {
  std::string text;
  text += text_format("%-12s %-20s %8s %8s %8s %8s %7s %7s %8s %10s %9s\n", "arm", "wins vs sft, %", "helpful", "harmless",
                      "honest", "clear", "KL", "length", "labels", "cost, USD", "time");
  for (const auto& [name, arm] : results["arms"].items()) {
    text += text_format("%-12s %-20s %8s %8s %8s %8s %7.2f %7.1f %8.0f %10.2f %9s\n", name.c_str(),
                        win_text(arm, "win_rate_vs_sft").c_str(), rate(arm, "helpful").c_str(),
                        rate(arm, "harmless").c_str(), rate(arm, "honest").c_str(), rate(arm, "clear").c_str(),
                        number(arm, "kl"), number(arm, "length"), number(arm, "labels"), number(arm, "cost_usd"),
                        arm.contains("wall_seconds") ? format_duration(number(arm, "wall_seconds")).c_str() : "-");
  }
  const std::string yardstick = results.value("yardstick", "gold");
  text += "\nwins are by " + yardstick + " (ties half) with 95 % intervals by prompt\n";
  if (yardstick != "gold") text += marks_table(results);
  text += "sft against itself: " + win_text(results["sft_against_itself"], "win_rate") + " %\n";
  if (results.contains("head_to_head")) {
    for (const auto& [pair, row] : results["head_to_head"].items()) text += pair + ": " + win_text(row, "win_rate") + " %\n";
  }
  for (const auto& [name, judge] : results["judges"].items()) {
    text += text_format("judge %s: agrees with gold %s, with people %s, same position wins in both orders %s\n", name.c_str(),
                        rate(judge, "gold_agreement").c_str(), rate(judge, "annotator_agreement").c_str(),
                        rate(judge, "same_position_rate").c_str());
  }
  for (const auto& [name, model] : results["reward_model"].items()) {
    text += text_format("reward model of %s: agrees with gold %s, with its labels %s\n", name.c_str(),
                        rate(model, "gold_accuracy").c_str(), rate(model, "label_accuracy").c_str());
  }
  text += text_format("%s on %.0f rank(s)\n", format_duration(number(results, "wall_seconds")).c_str(), number(results, "ranks"));
  return text;
}

}  // namespace rlaif::pipeline
