// Arms against each other by the yardstick; sft against a second draw of itself shows what chance does.
#include "tables.hpp"

namespace rlaif::stages {

Json head_to_head_rows(const Evaluated& evaluated) {
  const std::vector<ArmOptions>& arms = evaluated.context.study.arms;
  Json rows = Json::object();
  if (evaluated.samples.at("sft").utilities.empty()) return rows;
  rows["sft_against_itself"] = evaluated.win_rate("sft-again", "sft", "win_rate");
  for (std::size_t i = 0; i < arms.size(); ++i) {
    for (std::size_t j = i + 1; j < arms.size(); ++j) {
      const std::string &a = arms[i].name, &b = arms[j].name;
      rows["head_to_head"][a + "_vs_" + b] = evaluated.win_rate(a, b, "win_rate");
    }
  }
  return rows;
}

std::string head_to_head_text(const Printed& printed) {
  const Json& results = printed.results;
  if (!results.contains("sft_against_itself")) return "";
  std::string text = "sft against itself: " + win_text(results["sft_against_itself"], "win_rate") + " %\n";
  if (!results.contains("head_to_head")) return text;
  for (const auto& [pair, row] : results["head_to_head"].items())
    text += pair + ": " + win_text(row, "win_rate") + " %\n";
  return text;
}

}  // namespace rlaif::stages
