#include "rlaif/stages/report.hpp"

#include <map>

#include "rlaif/core/progress.hpp"
#include "rlaif/core/text_format.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/study/canaries.hpp"
#include "rlaif/study/data_sets.hpp"

namespace rlaif::stages {
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
      text +=
          text_format(" %-22s", text_format("%.3f (%.3f-%.3f)", number(arm, row.c_str()),
                                            number(arm, (row + "_low").c_str()), number(arm, (row + "_high").c_str()))
                                    .c_str());
    }
  }
  return text + "\n\n";
}

// Who of a combined judge was asked: "medium 600, large 171".
std::string asked_text(const Json& judge) {
  std::string text;
  if (!judge.contains("asked")) return text;
  for (const auto& [name, count] : judge["asked"].items()) {
    text += text.empty() ? "" : ", ";
    text += text_format("%s %.0f", name.c_str(), count.get<double>());
  }
  return text;
}

std::string share_text(const Json& object, const std::string& key) {
  if (!object.contains(key)) return "-";
  return text_format("%.1f (%.1f-%.1f)", 100 * number(object, key.c_str()),
                     100 * number(object, (key + "_low").c_str()), 100 * number(object, (key + "_high").c_str()));
}

// The table of a study without arms.
std::string judges_table(const Json& results) {
  const std::string yardstick = results.value("yardstick", "gold");
  std::string text =
      text_format("%-16s %-20s %-20s %-20s %-20s %12s %9s  %s\n", "judge", ("agrees with " + yardstick + ", %").c_str(),
                  "in the first order", "same position, %", "less the first, %", "USD a 1000", "time", "asked");
  const std::string first = results["judges"].begin().key();
  const Json differences = results.contains("agreement_differences")
                               ? results["agreement_differences"].value(first, Json::object())
                               : Json::object();
  for (const auto& [name, judge] : results["judges"].items()) {
    std::string less = "-";
    if (differences.contains(name)) {  // of the first less this one: turned round
      const Json& row = differences[name];
      less = text_format("%+.1f (%+.1f %+.1f)", -100 * number(row, "value"), -100 * number(row, "high"),
                         -100 * number(row, "low"));
    }
    text += text_format("%-16s %-20s %-20s %-20s %-20s %12.4f %9s  ", name.c_str(),
                        share_text(judge, "gold_agreement").c_str(),
                        share_text(judge, "gold_agreement_first_order").c_str(),
                        share_text(judge, "same_position_rate").c_str(), less.c_str(), number(judge, "usd_per_1000"),
                        judge.contains("rank_seconds") ? format_duration(number(judge, "rank_seconds")).c_str() : "-");
    text += asked_text(judge) + "\n";
  }
  return text + "\nby held-out pairs with 95 % intervals by prompt; the first judge is " + first +
         "; time is summed over ranks\n";
}

std::string sets_text(const Json& results) {
  const Json sets = results.value("instruction_sets", Json::array());
  std::string text;
  if (sets.size() < 2) return text;
  for (const Json& one : sets)
    text += (text.empty() ? "the run was computed with several instruction sets: " : "; ") + one.get<std::string>();
  return text + "\n";
}

std::string starts_text(const Json& results) {
  if (number(results, "starts") <= 1) return "";
  return text_format("the run took %.0f starts, of which Slurm queued %.0f again\n", number(results, "starts"),
                     number(results, "requeues"));
}

std::string rounds_table(const Json& results) {
  if (!results.contains("rounds")) return "";
  std::string text = text_format("\n%-12s %-12s %-12s %-20s %-20s %-22s %s\n", "round", "from", "judge",
                                 "wins vs sft, %", "wins vs its start, %", "judge agrees, %", "reward model");
  for (const Json& round : results["rounds"]) {
    const std::string name = round["round"].get<std::string>();
    text += text_format("%-12s %-12s %-12s %-20s %-20s %-22s %s\n", name.c_str(),
                        round["start"].get<std::string>().c_str(), round["judge"].get<std::string>().c_str(),
                        win_text(results["arms"][name], "win_rate_vs_sft").c_str(),
                        win_text(round, "win_rate_vs_start").c_str(), share_text(round, "gold_agreement").c_str(),
                        rate(round, "reward_gold_accuracy").c_str());
  }
  return text + "\n";
}

// Said before anything else: some judge is not what was asked for.
std::string below_text(const Json& results) {
  if (!results.contains("below_min_agreement")) return "";
  const Json& below = results["below_min_agreement"];
  std::string text = "BELOW judge.min_agreement = ";
  text += text_format("%.2f: ", number(below, "least"));
  bool begun = false;
  for (const auto& [name, agreement] : below["judges"].items()) {
    text += text_format("%sjudge %s agrees in %.3f", begun ? ", " : "", name.c_str(), agreement.get<double>());
    begun = true;
  }
  return text + "; what follows was learned from it all the same\n\n";
}

}  // namespace

Json make_results(const StudyOptions& options, const std::vector<Json>& markers) {
  std::map<std::string, const Json*> by_stage;
  for (const Json& marker : markers) by_stage[marker["stage"].get<std::string>()] = &marker;
  const Json& evaluation = by_stage.at(options.arms.empty() ? "judges" : "evaluate")->at("results");
  Json results;
  for (const auto& [stage, marker] : by_stage) {
    if (!stage.starts_with("agreement") || !marker->contains("below")) continue;
    results["below_min_agreement"]["least"] = marker->at("least");
    results["below_min_agreement"]["judges"].update(marker->at("below"));
  }
  results.update(evaluation);
  const Json& annotating = *by_stage.at("annotate");
  for (const JudgeOptions& judge : options.judges) {
    if (!annotating.contains("judge_rank_seconds") || !results["judges"].contains(judge.name)) continue;
    results["judges"][judge.name]["rank_seconds"] = number(annotating["judge_rank_seconds"], judge.name.c_str());
  }
  double ranks = 1;
  for (const Json& marker : markers) ranks = std::max(ranks, number(marker, "ranks"));
  if (const Json& annotate = *by_stage.at("annotate"); annotate.contains("canaries")) {
    for (const auto& [name, counts] : annotate["canaries"].items()) {
      results["judges"][name]["canaries"] = counts;
      if (counts.contains("right_share")) results["judges"][name]["canary_right_share"] = counts["right_share"];
    }
  }
  for (const ArmOptions& arm : options.arms) {
    // What an arm cost in time: its judge's share of annotation, its reward model, its policy.
    double seconds = 0.0;
    const DataSet data = data_of(options, arm);
    const Json& labelling = *by_stage.at(data.stage(data.kind == DataKind::preferences ? "annotate" : "data"));
    if (labelling.contains("judge_rank_seconds")) {
      seconds += number(labelling["judge_rank_seconds"], arm.judge.c_str()) / number(labelling, "ranks");
    }
    for (const Json& marker : markers) {
      const std::string kind = marker.value("kind", std::string()), of = marker.value("of", std::string());
      const bool reward_model = kind == "reward" && of == labels_of(arm) && algorithm_of(arm).trains_reward_model();
      if (reward_model || (kind == arm.algorithm && of == arm.name)) seconds += number(marker, "wall_seconds");
    }
    results["arms"][arm.name]["wall_seconds"] = seconds;
  }
  results["stages"] = Json::array();
  double total = 0.0;
  for (const Json& marker : markers) {
    Json row;
    row["stage"] = marker["stage"];
    row["kind"] = marker.value("kind", std::string());
    row["of"] = marker.value("of", std::string());
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
  const std::string time = text_format("%s on %.0f rank(s)\n", format_duration(number(results, "wall_seconds")).c_str(),
                                       number(results, "ranks")) +
                           starts_text(results) + sets_text(results);
  if (!results.contains("arms")) return judges_table(results) + time;
  std::string text = below_text(results);
  text += text_format("%-12s %-20s %8s %8s %8s %8s %7s %7s %8s %10s %9s\n", "arm", "wins vs sft, %", "helpful",
                      "harmless", "honest", "clear", "KL", "length", "labels", "cost, USD", "time");
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
  text += rounds_table(results);
  text += "sft against itself: " + win_text(results["sft_against_itself"], "win_rate") + " %\n";
  if (results.contains("head_to_head")) {
    for (const auto& [pair, row] : results["head_to_head"].items())
      text += pair + ": " + win_text(row, "win_rate") + " %\n";
  }
  for (const auto& [name, judge] : results["judges"].items()) {
    text += text_format("judge %s: agrees with gold %s, with people %s, same position wins in both orders %s\n",
                        name.c_str(), rate(judge, "gold_agreement").c_str(), rate(judge, "annotator_agreement").c_str(),
                        rate(judge, "same_position_rate").c_str());
    if (judge.contains("asked")) text += "  asked: " + asked_text(judge) + "\n";
    if (judge.contains("canaries")) text += "judge " + name + ": " + canary_text(judge["canaries"]) + "\n";
  }
  for (const auto& [name, model] : results["reward_model"].items()) {
    text += text_format("reward model of %s: agrees with gold %s, with its labels %s\n", name.c_str(),
                        rate(model, "gold_accuracy").c_str(), rate(model, "label_accuracy").c_str());
  }
  return text + time;
}

}  // namespace rlaif::stages
