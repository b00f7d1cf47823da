// Rounds of iterative training: who judged each and how well, and what it came to against the last one.
#include <fmt/format.h>

#include "judged.hpp"
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

// What ended the rounds, beside those that were run.
void rounds_finish(const Finished& finished, Json& results) {
  for (const Json& marker : finished.markers) {
    if (marker.value("kind", std::string()) != "round-end") continue;
    Json row;
    row["round"] = marker["of"];
    for (const char* key : {"by", "prompts", "wins", "known_wins", "outcome", "ends", "kept", "not_run",
                            "commonest_text", "judge", "own_judge"})
      if (marker.contains(key)) row[key] = marker[key];
    results["round_ends"].push_back(row);
    results["kept_round"] = marker["kept"];
  }
}

namespace {

std::string ends_text(const Json& results) {
  if (!results.contains("round_ends")) return "";
  constexpr auto line = "{:<12} {:<24} {:<24} {:<22} {:<22} {:<20} {}\n";
  std::string text = fmt::format(line, "round", "wins by stranger, %", "by the yardstick, %", "own judge agrees, %",
                                 "same position, %", "favours itself", "outcome");
  Json not_run = Json::array();
  for (const Json& row : results["round_ends"]) {
    const Json own = row.value("own_judge", Json::object());
    const Json fixed = own.value("on_fixed_pairs", Json::object()), on_round = own.value("on_round", Json::object());
    text += fmt::format(line, row["round"].get<std::string>(), share_text(row["wins"], "value"),
                        share_text(row["known_wins"], "value"), share_text(fixed, "agreement"),
                        share_text(fixed, "same_position_rate"), rate(on_round, "favour"),
                        row["outcome"].get<std::string>());
    if (row["ends"].get<bool>()) not_run = row["not_run"];
  }
  text += "kept: " + results["kept_round"].get<std::string>();
  for (std::size_t i = 0; i < not_run.size(); ++i)
    text += (i == 0 ? "; not run: " : ", ") + not_run[i].get<std::string>();
  return text + "\n\n";
}

}  // namespace

std::string rounds_text(const Printed& printed) {
  const Json& results = printed.results;
  if (!results.contains("rounds")) return "";
  constexpr auto line = "{:<12} {:<12} {:<12} {:<20} {:<20} {:<22} {}\n";
  std::string text = "\n" + fmt::format(line, "round", "from", "judge", "wins vs sft, %", "wins vs its start, %",
                                        "judge agrees, %", "reward model");
  for (const Json& round : results["rounds"]) {
    const std::string name = round["round"].get<std::string>();
    text += fmt::format(line, name, round["start"].get<std::string>(), round["judge"].get<std::string>(),
                        win_text(results["arms"][name], "win_rate_vs_sft"), win_text(round, "win_rate_vs_start"),
                        share_text(round, "gold_agreement"), rate(round, "reward_gold_accuracy"));
  }
  return text + "\n" + ends_text(results);
}

}  // namespace rlaif::stages
