// The verdict on the policies by every judge that was asked, beside the study's own yardstick: wins over sft, ratings, what was
// asked, and how far the yardsticks agree with each other.
#include "rlaif/core/text_format.hpp"
#include "rlaif/study/canaries.hpp"
#include "tables.hpp"
#include "verdict_people.hpp"

namespace rlaif::stages {
namespace {

// A share with its interval, in %.
std::string percent_of(const Json& row, const char* key) {
  if (!row.contains(key)) return "-";
  const Json& of = row[key];
  return text_format("%.1f (%.1f-%.1f)", 100 * number(of, "value"), 100 * number(of, "low"), 100 * number(of, "high"));
}

std::string sequence_of(const Json& row) {
  if (!row.contains("sequence")) return "-";
  const Json& of = row["sequence"];
  return text_format("%.1f-%.1f%s", 100 * number(of, "low"), 100 * number(of, "high"),
                     of["decided"].get<bool>() ? " decided" : "");
}

std::string rating_of(const Json& yardstick, const std::string& policy) {
  const Json ratings = yardstick.value("ratings", Json::object());
  if (!ratings.contains(policy)) return "-";
  const Json& of = ratings[policy];
  return text_format("%+.0f (%+.0f %+.0f)", number(of, "value"), number(of, "low"), number(of, "high"));
}

bool is_own_judge(const Json& yardstick) {
  return yardstick.contains("learned_by") && !yardstick["learned_by"].empty();
}

std::string marked(const std::string& name, const Json& yardstick) {
  return is_own_judge(yardstick) ? name + " *" : name;
}

std::string wins_table(const Json& verdict) {
  const bool has_looks = number(verdict, "stop_error_rate") > 0.0;
  std::string text = text_format("%-16s %-28s %-20s %-20s %-20s ", "by", "who against whom", "wins, %", "named, %",
                                 "at equal length, %");
  if (has_looks) text += text_format("%-20s ", "at all looks, %");
  text += text_format("%8s\n", "prompts");
  for (const auto& [name, yardstick] : verdict["yardsticks"].items()) {
    for (const auto& [pair, row] : yardstick["wins"].items()) {
      text += text_format("%-16s %-28s %-20s %-20s %-20s ", marked(name, yardstick).c_str(), pair.c_str(),
                          percent_of(row, "win_rate").c_str(), percent_of(row, "named").c_str(),
                          percent_of(row, "length_controlled").c_str());
      if (has_looks) text += text_format("%-20s ", sequence_of(row).c_str());
      text += text_format("%8.0f\n", number(row, "prompts"));
    }
  }
  return text;
}

std::string ratings_table(const Json& verdict) {
  std::string text = text_format("\n%-16s", "Elo over sft");
  for (const Json& policy : verdict["policies"]) {
    if (policy != "sft") text += text_format(" %-20s", policy.get<std::string>().c_str());
  }
  for (const auto& [name, yardstick] : verdict["yardsticks"].items()) {
    text += text_format("\n%-16s", marked(name, yardstick).c_str());
    for (const Json& policy : verdict["policies"]) {
      if (policy != "sft") text += text_format(" %-20s", rating_of(yardstick, policy.get<std::string>()).c_str());
    }
  }
  return text + "\n";
}

std::string asked_table(const Json& verdict) {
  std::string text =
      text_format("\n%-16s %9s %9s %9s %9s %9s %12s\n", "asked", "pairs", "equal", "left out", "failed", "ties", "USD");
  for (const auto& [name, row] : verdict["yardsticks"].items()) {
    if (!row.contains("asked")) continue;
    double failed = 0.0;
    for (const auto& [status, count] : row["failed"].items()) failed += count.get<double>();
    text += text_format("%-16s %9.0f %9.0f %9.0f %9.0f %9.0f %12.4f\n", name.c_str(), number(row, "asked"),
                        number(row, "equal"), number(row, "not_asked"), failed, number(row, "ties"),
                        number(row, "cost_usd"));
  }
  return text;
}

std::string notes_of(const Json& verdict) {
  std::string text;
  for (const Json& row : verdict["agreement"]) {
    text += text_format("%s and %s name the same side in %s %% of the %.0f pairs that both decided\n",
                        row["a"].get<std::string>().c_str(), row["b"].get<std::string>().c_str(),
                        percent_of(row, "share").c_str(), number(row, "pairs"));
  }
  for (const auto& [name, row] : verdict["yardsticks"].items()) {
    if (row.contains("canaries")) text += name + ": " + canary_text(row["canaries"]) + "\n";
    if (!is_own_judge(row)) continue;
    text += "* " + name + " has taught";
    for (const Json& arm : row["learned_by"]) text += " " + arm.get<std::string>();
    text += ": an arm may have learned to please it\n";
  }
  return text;
}

}  // namespace

void verdict_finish(const Finished& finished, Json& results) {
  const auto found = finished.by_stage.find("compare");
  if (found == finished.by_stage.end()) return;
  results["verdict"] = found->second->at("verdict");
  const Json seconds = found->second->value("judge_rank_seconds", Json::object());
  for (const auto& [name, value] : seconds.items()) results["verdict"]["yardsticks"][name]["rank_seconds"] = value;
  const Json canaries = found->second->value("canaries", Json::object());
  for (const auto& [name, counts] : canaries.items()) results["verdict"]["yardsticks"][name]["canaries"] = counts;
  add_people(finished.context, results["verdict"]);
}

std::string verdict_text(const Printed& printed) {
  if (!printed.results.contains("verdict")) return "";
  const Json& verdict = printed.results["verdict"];
  std::string text = "\nverdict on the policies, by judges that are not told whose responses they see\n";
  text += wins_table(verdict) + ratings_table(verdict) + asked_table(verdict) + "\n";
  text += "a win is P(better) in a judge's eyes, named counts sides, a tie is half of either; 95 % intervals by prompt";
  if (number(verdict, "stop_error_rate") > 0.0) {
    text += text_format(
        "; those at all looks hold however often one looks, with an error rate of %g, the others take no account of "
        "when asking ended",
        number(verdict, "stop_error_rate"));
  }
  return text + "\n" + notes_of(verdict) + "\n";
}

}  // namespace rlaif::stages
