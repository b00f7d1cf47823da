// Judges and their members: how well they agree, what they cost, who was asked.
#include <fmt/format.h>

#include "judge_scores.hpp"
#include "rlaif/core/progress.hpp"
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
    text += fmt::format("{} {:.0f}", name, count.get<double>());
  }
  return text;
}

// The table of a study without arms.
std::string judges_table(const Json& results) {
  const std::string yardstick = results.value("yardstick", "gold");
  std::string text =
      fmt::format("{:<16} {:<20} {:<20} {:<20} {:<20} {:>12} {:>9}  {}\n", "judge", "agrees with " + yardstick + ", %",
                  "in the first order", "same position, %", "less the first, %", "USD a 1000", "time", "asked");
  const std::string first = results["judges"].begin().key();
  const Json differences = results.contains("agreement_differences")
                               ? results["agreement_differences"].value(first, Json::object())
                               : Json::object();
  for (const auto& [name, judge] : results["judges"].items()) {
    std::string less = "-";
    if (differences.contains(name)) {  // of the first less this one: turned round
      const Json& row = differences[name];
      less = fmt::format("{:+.1f} ({:+.1f} {:+.1f})", -100 * number(row, "value"), -100 * number(row, "high"),
                         -100 * number(row, "low"));
    }
    text += fmt::format("{:<16} {:<20} {:<20} {:<20} {:<20} {:>12.4f} {:>9}  ", name,
                        share_text(judge, "gold_agreement"), share_text(judge, "gold_agreement_first_order"),
                        share_text(judge, "same_position_rate"), less, number(judge, "usd_per_1000"),
                        judge.contains("rank_seconds") ? format_duration(number(judge, "rank_seconds")) : "-");
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
    text += fmt::format("judge {}: agrees with gold {}, with people {}, same position wins in both orders {}\n", name,
                        rate(judge, "gold_agreement"), rate(judge, "annotator_agreement"),
                        rate(judge, "same_position_rate"));
    if (judge.contains("asked")) text += "  asked: " + asked_text(judge) + "\n";
    if (judge.contains("canaries")) text += "judge " + name + ": " + canary_text(judge["canaries"]) + "\n";
  }
  return text + judge_scores_text(results["judges"]);
}

}  // namespace rlaif::stages
