#include "rlaif/stages/run_costs.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/remote/answer_cache.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/run/run_directory.hpp"

namespace rlaif::stages {
namespace {

namespace fs = std::filesystem;

const std::string heldout_end = "-heldout";

double number_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0.0;
}

// Names inside a folder that is there, sorted.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& item : fs::directory_iterator(folder)) names.push_back(item.path().filename().string());
  std::sort(names.begin(), names.end());
  std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
  return names;
}

// A store that is not finished has no manifest; its shards are whole one by one.
std::vector<Preference> records_of(const fs::path& folder, bool finished) {
  if (finished) return preferences::read_store(folder);
  std::vector<Preference> records;
  for (const std::string& name : names_in(folder)) {
    if (!name.ends_with(".h5")) continue;
    for (Preference& record : preferences::read_shard(folder / name)) records.push_back(std::move(record));
  }
  return records;
}

// Who labels a store that is not named after its judge: the judge of the arm that it is named after, or of one whose data set has
// its name; empty: it is a judge's.
std::string judge_of_store(const std::string& name, const Json& deck) {
  if (deck.contains("judge." + name + ".kind")) return "";
  for (const auto& [key, text] : deck.items()) {
    const std::string section = key.substr(0, key.rfind('.'));
    const bool is_arm = section == "arm." + name || section == "round." + name;
    const bool names_it = key == section + ".data" && text == name;
    if ((is_arm || names_it) && deck.contains(section + ".judge")) return deck[section + ".judge"].get<std::string>();
  }
  return "";
}

std::string price_of(const std::string& judge, const Json& deck) {
  const auto said = [&](const char* key) {
    const auto found = deck.find("judge." + judge + "." + key);
    return found != deck.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return said("members").empty() ? said("price") : "(its members')";
}

// A judge that was asked by a stage whose verdicts no store keeps: as a policy learned, or as responses were chosen.
std::optional<cost::MeasuredUse> use_of(const std::string& stage, const Json& marker, const Json& deck) {
  const Json reward = marker.value("reward", Json::object());
  if (!reward.contains("judge") || !marker.contains("labels")) return std::nullopt;
  cost::MeasuredUse use;
  use.stage = stage;
  use.judge = reward["judge"].get<std::string>();
  use.price = price_of(use.judge, deck);
  use.labels = static_cast<std::int64_t>(number_at(marker, "labels"));
  (reward.value("scored", "pairs") == "responses" ? use.responses : use.pairs) = use.labels;
  use.usage.cost_usd = number_at(marker, "cost_usd");
  return use;
}

void count_records(const std::vector<Preference>& records, cost::MeasuredUse& use) {
  for (const Preference& record : records) {
    ++use.pairs;
    use.labels += record.verdict.status == VerdictStatus::ok;
    use.usage += record.verdict.usage;
  }
}

// Verdicts on the policies, by judge.
cost::MeasuredUse comparisons_by(const std::string& judge, const std::vector<Preference>& records, const Json& deck) {
  cost::MeasuredUse use;
  use.judge = judge;
  use.stage = "compare";
  use.price = price_of(judge, deck);
  count_records(records, use);
  return use;
}

cost::MeasuredUse use_of(const std::string& store, const std::vector<Preference>& records, const Json& deck) {
  cost::MeasuredUse use;
  const bool heldout = store.ends_with(heldout_end);
  const std::string name = heldout ? store.substr(0, store.size() - heldout_end.size()) : store;
  const std::string judge = judge_of_store(name, deck);
  use.stage = judge.empty() ? "annotate" : "annotate-" + name;
  if (heldout) use.stage += ", held-out";
  use.judge = judge.empty() ? name : judge;
  if (store.starts_with("spotcheck-")) use.stage = "spotcheck";
  use.price = price_of(use.judge, deck);
  count_records(records, use);
  return use;
}

// The time that judges took is known by stage and judge; the stores of both share it by their pairs.
void share_out_hours(std::vector<cost::MeasuredUse>& uses, const std::string& stage, const Json& annotate) {
  const auto seconds = annotate.find("judge_rank_seconds");
  if (seconds == annotate.end() || !seconds->is_object()) return;
  std::map<std::string, double> pairs;
  const auto is_of_stage = [&](const cost::MeasuredUse& use) {
    return use.stage == stage || use.stage == stage + ", held-out";
  };
  for (const cost::MeasuredUse& use : uses) {
    if (is_of_stage(use)) pairs[use.judge] += static_cast<double>(use.pairs);
  }
  for (cost::MeasuredUse& use : uses) {
    if (use.pairs == 0 || !is_of_stage(use)) continue;
    use.rank_hours =
        number_at(*seconds, use.judge.c_str()) / 3600.0 * static_cast<double>(use.pairs) / pairs[use.judge];
  }
}

}  // namespace

RunCosts measure_run(const fs::path& run) {
  const RunDirectory directory(run);
  if (!fs::exists(run / "run.json")) throw input_error(run, "has no run.json; a run directory was expected");
  const Json json = read_json_object(run / "run.json");
  const Json deck = json.value("deck", Json::object());
  RunCosts costs;
  costs.run = run;
  costs.name = json.value("name", std::string());
  const Json others = json.value("other_settings", Json::object());
  if (const auto price = others.find("plan.usd_per_rank_hour"); price != others.end() && price->is_string()) {
    costs.usd_per_rank_hour = std::strtod(price->get<std::string>().c_str(), nullptr);
  }
  for (const std::string& store : names_in(run / "preferences")) {
    const fs::path folder = directory.preferences(store);
    const bool finished = preferences::read_manifest(folder).has_value();
    if (!finished) costs.unfinished.push_back(store);
    costs.uses.push_back(use_of(store, records_of(folder, finished), deck));
  }
  for (const std::string& judge : names_in(run / "comparisons")) {
    const fs::path folder = directory.comparisons(judge);
    const bool finished = preferences::read_manifest(folder).has_value();
    if (!finished) costs.unfinished.push_back("comparisons/" + judge);
    costs.uses.push_back(comparisons_by(judge, records_of(folder, finished), deck));
  }
  for (const std::string& name : names_in(run / "people"))
    costs.uses.push_back(comparisons_by("people-" + name, records_of(directory.people(name), true), deck));
  for (const std::string& file : names_in(run / "stages")) {
    const Json marker = read_json_object(run / "stages" / file);
    costs.stages.push_back(
        {fs::path(file).stem().string(), number_at(marker, "ranks"), number_at(marker, "wall_seconds")});
    const std::string& stage = costs.stages.back().stage;
    if (stage.starts_with("annotate") || stage == "compare")
      share_out_hours(costs.uses, stage, marker);
    else if (auto use = use_of(stage, marker, deck))
      costs.uses.push_back(std::move(*use));
  }
  for (const auto& [role, folder] : directory.answers()) {
    for (const std::string& name : names_in(folder)) {
      const remote::AnswerCache answers(folder / name, 0);
      costs.paid.push_back(
          {{role, name}, static_cast<std::int64_t>(answers.size()), answers.paid_usd(), answers.unsettled_usd()});
    }
  }
  return costs;
}

}  // namespace rlaif::stages
