// Rounds of iterative training: who judged each and how well, and what it came to against the last one.
#include "judged.hpp"
#include "rlaif/core/text_format.hpp"
#include "tables.hpp"

namespace rlaif::stages {

Json rounds_rows(const Evaluated& evaluated) {
  const Json reward_models = evaluated.judged.value("reward_model", Json::object());
  Json rows = Json::object();
  for (const ArmOptions& arm : evaluated.context.study.arms) {
    if (!arm.is_round) continue;
    Json row = evaluated.win_rate(arm.name, arm.start, "win_rate_vs_start");
    row["round"] = arm.name;
    row["start"] = arm.start;
    row["judge"] = arm.judge;
    const Json labels = labels_facts(evaluated.judged, arm);
    for (const char* key : {"gold_agreement", "gold_agreement_low", "gold_agreement_high", "same_position_rate"}) {
      if (labels.contains(key)) row[key] = labels[key];
    }
    if (reward_models.contains(arm.name)) row["reward_gold_accuracy"] = reward_models[arm.name]["gold_accuracy"];
    rows["rounds"].push_back(row);
  }
  return rows;
}

std::string rounds_text(const Printed& printed) {
  const Json& results = printed.results;
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

}  // namespace rlaif::stages
