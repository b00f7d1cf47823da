#include "rlaif/cost/assumptions.hpp"

#include <algorithm>

#include "entries.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::cost {
namespace {

const std::vector<std::string> kNames{"comparisons",      "human_label_usd",      "ai_label_usd",   "team_people",
                                      "team_hourly_usd",  "team_hours_per_week",  "team_weeks",     "team_platform_usd",
                                      "team_comparisons", "judge_comparison_usd", "judge_setup_usd"};

Assumption read_assumption(const std::filesystem::path& file, const Json& entry, std::size_t index) {
  std::string where = "assumptions[" + std::to_string(index) + "]";
  check_keys(file, entry, where, {"name", "value", "unit", "as_of", "source"});
  Assumption assumption;
  assumption.name = text_of(file, entry, where, "name");
  if (std::find(kNames.begin(), kNames.end(), assumption.name) == kNames.end()) {
    throw input_error(file, where + ": " + unknown_name_message("assumption", assumption.name, kNames));
  }
  where += " '" + assumption.name + "'";
  if (!entry.contains("value")) throw input_error(file, where + ": expected a number as 'value'");
  assumption.value = amount_of(file, entry, where, "value", "a number", 0.0);
  assumption.unit = text_of(file, entry, where, "unit");
  assumption.as_of = date_of(file, entry, where, "as_of");
  assumption.source = text_of(file, entry, where, "source");
  return assumption;
}

}  // namespace

Assumptions Assumptions::load(const std::filesystem::path& file) {
  Assumptions loaded;
  loaded.file_ = file;
  const auto has = [&](const std::string& name) {
    return std::any_of(loaded.entries_.begin(), loaded.entries_.end(),
                       [&](const Assumption& a) { return a.name == name; });
  };
  for (const Json& entry : read_entries(file, "assumptions")) {
    const std::size_t index = loaded.entries_.size();
    Assumption assumption = read_assumption(file, entry, index);
    if (has(assumption.name)) {
      throw input_error(file,
                        "assumptions[" + std::to_string(index) + "]: a second entry named '" + assumption.name + "'");
    }
    loaded.entries_.push_back(std::move(assumption));
  }
  for (const std::string& name : kNames) {
    if (!has(name)) throw input_error(file, "expected an assumption named '" + name + "'");
  }
  if (loaded.at("team_comparisons") <= 0.0) {
    throw input_error(file, "'team_comparisons': expected a number above 0: the team's wages are shared out over them");
  }
  return loaded;
}

double Assumptions::at(const std::string& name) const {
  for (const Assumption& assumption : entries_) {
    if (assumption.name == name) return assumption.value;
  }
  RLAIF_CHECK(false, "an assumption that load() did not ask for: " + name);
}

}  // namespace rlaif::cost
