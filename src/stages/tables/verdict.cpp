// The verdict on the policies by every judge that was asked, beside the study's own yardstick: wins over sft, ratings, what was
// asked, and how far the yardsticks agree with each other.
#include <fmt/format.h>

#include "rlaif/study/canaries.hpp"
#include "tables.hpp"
#include "verdict_people.hpp"

namespace rlaif::stages {
namespace {

// A share with its interval, in %.
std::string percent_of(const Json& row, const char* key) {
  if (!row.contains(key)) return "-";
  const Json& of = row[key];
  return fmt::format("{:.1f} ({:.1f}-{:.1f})", 100 * number(of, "value"), 100 * number(of, "low"),
                     100 * number(of, "high"));
}

std::string sequence_of(const Json& row) {
  if (!row.contains("sequence")) return "-";
  const Json& of = row["sequence"];
  return fmt::format("{:.1f}-{:.1f}{}", 100 * number(of, "low"), 100 * number(of, "high"),
                     of["decided"].get<bool>() ? " decided" : "");
}

std::string rating_of(const Json& yardstick, const std::string& policy) {
  const Json ratings = yardstick.value("ratings", Json::object());
  if (!ratings.contains(policy)) return "-";
  const Json& of = ratings[policy];
  return fmt::format("{:+.0f} ({:+.0f} {:+.0f})", number(of, "value"), number(of, "low"), number(of, "high"));
}

bool is_own_judge(const Json& yardstick) {
  return yardstick.contains("learned_by") && !yardstick["learned_by"].empty();
}

std::string marked(const std::string& name, const Json& yardstick) {
  return is_own_judge(yardstick) ? name + " *" : name;
}

std::string wins_table(const Json& verdict) {
  const bool has_looks = number(verdict, "stop_error_rate") > 0.0;
  std::string text = fmt::format("{:<16} {:<28} {:<20} {:<20} {:<20} ", "by", "who against whom", "wins, %", "named, %",
                                 "at equal length, %");
  if (has_looks) text += fmt::format("{:<20} ", "at all looks, %");
  text += fmt::format("{:>8}\n", "prompts");
  for (const auto& [name, yardstick] : verdict["yardsticks"].items()) {
    for (const auto& [pair, row] : yardstick["wins"].items()) {
      text += fmt::format("{:<16} {:<28} {:<20} {:<20} {:<20} ", marked(name, yardstick), pair,
                          percent_of(row, "win_rate"), percent_of(row, "named"), percent_of(row, "length_controlled"));
      if (has_looks) text += fmt::format("{:<20} ", sequence_of(row));
      text += fmt::format("{:>8.0f}\n", number(row, "prompts"));
    }
  }
  return text;
}

std::string ratings_table(const Json& verdict) {
  std::string text = fmt::format("\n{:<16}", "Elo over sft");
  for (const Json& policy : verdict["policies"]) {
    if (policy != "sft") text += fmt::format(" {:<20}", policy.get<std::string>());
  }
  for (const auto& [name, yardstick] : verdict["yardsticks"].items()) {
    text += fmt::format("\n{:<16}", marked(name, yardstick));
    for (const Json& policy : verdict["policies"]) {
      if (policy != "sft") text += fmt::format(" {:<20}", rating_of(yardstick, policy.get<std::string>()));
    }
  }
  return text + "\n";
}

std::string asked_table(const Json& verdict) {
  std::string text = fmt::format("\n{:<16} {:>9} {:>9} {:>9} {:>9} {:>9} {:>12}\n", "asked", "pairs", "equal",
                                 "left out", "failed", "ties", "USD");
  for (const auto& [name, row] : verdict["yardsticks"].items()) {
    if (!row.contains("asked")) continue;
    double failed = 0.0;
    for (const auto& [status, count] : row["failed"].items()) failed += count.get<double>();
    text += fmt::format("{:<16} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>12.4f}\n", name, number(row, "asked"),
                        number(row, "equal"), number(row, "not_asked"), failed, number(row, "ties"),
                        number(row, "cost_usd"));
  }
  return text;
}

std::string notes_of(const Json& verdict) {
  std::string text;
  for (const Json& row : verdict["agreement"]) {
    text += fmt::format("{} and {} name the same side in {} % of the {:.0f} pairs that both decided\n",
                        row["a"].get<std::string>(), row["b"].get<std::string>(), percent_of(row, "share"),
                        number(row, "pairs"));
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
    text += fmt::format(
        "; those at all looks hold however often one looks, with an error rate of {:g}, the others take no account of "
        "when asking ended",
        number(verdict, "stop_error_rate"));
  }
  return text + "\n" + notes_of(verdict) + "\n";
}

}  // namespace rlaif::stages
