// The numbers that a comparison of labelling costs rests on, each with its unit, its date and its source.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rlaif::cost {

struct Assumption {
  std::string name;    // "team_people"
  double value = 0.0;  // at least 0
  std::string unit;    // "people"
  std::string as_of;   // ISO date the number was noted
  std::string source;
};

// A JSON file {"assumptions": [{"name", "value", "unit", "as_of", "source"}, ...]} with these names, each once:
//   comparisons                             labels to plan for where none are asked for
//   human_label_usd, ai_label_usd           published prices of a label
//   team_people, team_hourly_usd, team_hours_per_week, team_weeks, team_platform_usd
//                                           a team that labels team_comparisons, and the platform it works on
//   judge_comparison_usd, judge_setup_usd   a hosted judge: a comparison, and what setting it up costs
class Assumptions {
 public:
  // Throws Error(input) naming file and entry: an unknown, missing or repeated name, a number below 0 or not finite, a
  // missing unit, date or source; team_comparisons of 0.
  static Assumptions load(const std::filesystem::path& file);
  double at(const std::string& name) const;  // one of the names above
  const std::vector<Assumption>& entries() const { return entries_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  std::vector<Assumption> entries_;
};

}  // namespace rlaif::cost
