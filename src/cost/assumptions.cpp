#include "rlaif/cost/assumptions.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::cost {
namespace {

const std::vector<std::string> kNames{"comparisons",      "human_label_usd",      "ai_label_usd",   "team_people",
                                      "team_hourly_usd",  "team_hours_per_week",  "team_weeks",     "team_platform_usd",
                                      "team_comparisons", "judge_comparison_usd", "judge_setup_usd"};

Assumption read_assumption(const JsonReader& entry) {
  entry.allow_only({"name", "value", "unit", "as_of", "source"});
  const std::string name = entry.at("name").text();
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end())
    throw entry.at("name").error(unknown_name_message("assumption", name, kNames));
  return {name, entry.at("value").number_from(0.0), entry.at("unit").text(), entry.at("as_of").date(),
          entry.at("source").text()};
}

}  // namespace

Assumptions Assumptions::load(const std::filesystem::path& file) {
  Assumptions loaded;
  loaded.file_ = file;
  const auto has = [&](const std::string& name) {
    return std::any_of(loaded.entries_.begin(), loaded.entries_.end(),
                       [&](const Assumption& a) { return a.name == name; });
  };
  const Json json = read_json_object(file);
  const JsonReader root(file, json);
  root.allow_only({"assumptions"});
  for (const JsonReader& entry : root.at("assumptions").items()) {
    Assumption assumption = read_assumption(entry);
    if (has(assumption.name)) throw entry.error("a second entry named '" + assumption.name + "'");
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
