// Judges and their members: how well they agree, what they cost, who was asked.
#include "judge_scores.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/core/text_format.hpp"
#include "rlaif/study/canaries.hpp"
#include "tables.hpp"

namespace rlaif::stages {
namespace {

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

}  // namespace

Json judges_rows(const Evaluated& evaluated) {
  const Json& judged = evaluated.judged;
  Json rows;
  for (const JudgeOptions& judge : evaluated.context.study.judges.labelling) {
    if (judge.kind != JudgeKind::local && judge.kind != JudgeKind::reward_model && !is_combined(judge.kind)) continue;
    rows["judge"] = judged["judges"][judge.name];
    rows["judge"]["name"] = judge.name;
    break;
  }
  rows["judges"] = judged["judges"];
  return rows;
}

void judges_finish(const Finished& finished, Json& results) {
  const Json& annotating = *finished.by_stage.at("annotate");
  const Json seconds = annotating.value("judge_rank_seconds", Json::object());
  for (const auto& [name, value] : seconds.items()) {
    if (results["judges"].contains(name)) results["judges"][name]["rank_seconds"] = number(seconds, name);
  }
  const Json canaries = annotating.value("canaries", Json::object());
  for (const auto& [name, counts] : canaries.items()) {
    results["judges"][name]["canaries"] = counts;
    if (counts.contains("right_share")) results["judges"][name]["canary_right_share"] = counts["right_share"];
  }
}

std::string judges_text(const Printed& printed) {
  const Json& results = printed.results;
  if (!results.contains("arms")) return judges_table(results) + judge_scores_text(results["judges"]);
  std::string text;
  for (const auto& [name, judge] : results["judges"].items()) {
    text += text_format("judge %s: agrees with gold %s, with people %s, same position wins in both orders %s\n",
                        name.c_str(), rate(judge, "gold_agreement").c_str(), rate(judge, "annotator_agreement").c_str(),
                        rate(judge, "same_position_rate").c_str());
    if (judge.contains("asked")) text += "  asked: " + asked_text(judge) + "\n";
    if (judge.contains("canaries")) text += "judge " + name + ": " + canary_text(judge["canaries"]) + "\n";
  }
  return text + judge_scores_text(results["judges"]);
}

}  // namespace rlaif::stages
