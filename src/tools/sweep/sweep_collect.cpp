// What the cells of a sweep came to.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/text_table.hpp"
#include "rlaif/evaluate/student.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/run/run_directory.hpp"
#include "rlaif/tools/sweep.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;

// Limits of intervals within a run say nothing about several.
bool is_limit(const std::string& key) {
  return key == "ci_low" || key == "ci_high" || key.ends_with("_low") || key.ends_with("_high");
}

void add_numbers(const std::string& path, const Json& value, std::map<std::string, double>& metrics) {
  if (value.is_number()) metrics[path] = value.get<double>();
  if (!value.is_object()) return;
  for (const auto& [key, inside] : value.items()) {
    if (!is_limit(key)) add_numbers(path.empty() ? key : fmt::format("{}.{}", path, key), inside, metrics);
  }
}

std::optional<Json> read_object(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  Json json = Json::parse(read_file(file), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::string finished_stages(const fs::path& run, const std::string& deck_hash) {
  std::vector<std::pair<fs::file_time_type, std::string>> stages;
  std::error_code none;
  for (const auto& item : fs::directory_iterator(run / "stages", none)) {
    const auto marker = read_object(item.path());
    if (marker && marker->value("deck_hash", "") == deck_hash)
      stages.emplace_back(item.last_write_time(), item.path().stem().string());
  }
  if (stages.empty()) return "no stage done";
  return std::to_string(stages.size()) + " stages done, the last " +
         std::max_element(stages.begin(), stages.end())->second;
}

std::vector<std::string> default_columns(const std::set<std::string>& metrics) {
  std::vector<std::string> columns;
  const auto add = [&](const char* begin, const char* end) {
    for (const std::string& metric : metrics) {
      if (metric.starts_with(begin) && metric.ends_with(end)) columns.push_back(metric);
    }
  };
  add("arms.", ".win_rate_vs_sft");
  add("arms.", ".labels");
  add("arms.", ".cost_usd");
  add("judges.", ".gold_agreement");
  add("reward_model.", ".gold_accuracy");
  if (columns.size() == 0) add("judges.", ".usd_per_1000");
  columns.emplace_back("wall_seconds");
  return columns;
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == std::floor(value) && std::fabs(value) < 1e6) return fmt::format("{:.0f}", value);
  if (std::fabs(value) < 0.1) return fmt::format("{:.3g}", value);
  return fmt::format("{:.{}f}", value, std::fabs(value) < 10.0 ? 3 : 1);
}

std::string mean_text(const Json& metric) {
  std::string text = number_text(metric["mean"].get<double>());
  if (metric.contains("low") && metric["high"] != metric["low"]) {
    text +=
        fmt::format(" ({} to {})", number_text(metric["low"].get<double>()), number_text(metric["high"].get<double>()));
  }
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  quoted += '"';
  return quoted;
}

Json group_json(const Json& values, const std::vector<std::map<std::string, double>>& cells, std::size_t of) {
  std::map<std::string, std::vector<double>> by_metric;
  for (const auto& cell : cells) {
    for (const auto& [metric, value] : cell) by_metric[metric].push_back(value);
  }
  Json group;
  group["values"] = values;
  group["n"] = cells.size();
  group["of"] = of;
  group["metrics"] = Json::object();
  for (const auto& [metric, numbers] : by_metric) {
    const evaluate::Interval mean = evaluate::student_mean(numbers);
    Json& row = group["metrics"][metric];
    row["n"] = numbers.size();
    row["mean"] = mean.value;
    if (numbers.size() < 2) continue;  // one value has no interval
    row["low"] = mean.low;
    row["high"] = mean.high;
    row["standard_deviation"] = evaluate::standard_deviation(numbers);
  }
  return group;
}

}  // namespace

CellState look_at_cell(const fs::path& run, const std::string& deck_hash) {
  CellState state;
  const auto description = read_object(run / "run.json");
  if (!description) {
    state.text = fs::exists(run / "run.json") ? "run.json is damaged" : "not started";
    return state;
  }
  if (description->value("deck_hash", "") != deck_hash) {
    state.text = "is the run of another deck";
    return state;
  }
  if (const auto results = read_object(run / "report" / "results.json")) {
    state.done = true;
    state.text = "done";
    add_numbers("", *results, state.metrics);
    state.metrics.erase("seed");
    state.instruction_sets = results->value("instruction_sets", std::vector<std::string>());
    return state;
  }
  const auto holder = run_holder(run);
  state.text = (holder ? "runs (" + *holder + "): " : std::string("stopped: ")) + finished_stages(run, deck_hash);
  return state;
}

Json collect_sweep(const SweepOptions& sweep, const std::vector<SweepCell>& cells) {
  struct Group {
    Json values;
    std::vector<std::map<std::string, double>> done;
    std::size_t of = 0;
  };
  std::vector<Group> groups;
  Json collected;
  collected["sweep"] = sweep.name;
  collected["cells"] = Json::array();
  collected["missing"] = Json::array();
  std::set<std::string> sets;
  for (const SweepCell& cell : cells) {
    const CellState state = look_at_cell(cell_run(sweep, cell), cell.deck_hash);
    Json values = Json::object(), row;
    row["number"] = cell.number;
    row["name"] = cell.name;
    row["values"] = Json::object();
    for (const auto& [axis, label] : cell.values) {
      row["values"][axis] = label;
      if (axis != seed_axis) values[axis] = label;
    }
    row["state"] = state.text;
    if (!state.done) collected["missing"].push_back(row);
    if (state.done) row["metrics"] = state.metrics;
    sets.insert(state.instruction_sets.begin(), state.instruction_sets.end());
    collected["cells"].push_back(row);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& one) { return one.values == values; });
    if (group == groups.end()) group = groups.insert(groups.end(), Group{values, {}, 0});
    ++group->of;
    if (state.done) group->done.push_back(state.metrics);
  }
  collected["instruction_sets"] = sets;
  collected["groups"] = Json::array();
  for (const Group& group : groups) collected["groups"].push_back(group_json(group.values, group.done, group.of));
  return collected;
}

std::string sweep_table(const SweepOptions& sweep, const Json& collected) {
  std::set<std::string> metrics;
  for (const Json& group : collected["groups"]) {
    for (const auto& [metric, row] : group["metrics"].items()) metrics.insert(metric);
  }
  const std::vector<std::string> columns = sweep.columns.empty() ? default_columns(metrics) : sweep.columns;
  TextRows rows(1);
  for (const auto& [axis, label] : collected["groups"][0]["values"].items()) rows[0].push_back(axis);
  rows[0].emplace_back("seeds");
  for (const std::string& column : columns) rows[0].push_back(column);
  for (const Json& group : collected["groups"]) {
    std::vector<std::string> row;
    for (const auto& [axis, label] : group["values"].items()) row.push_back(label.get<std::string>());
    std::string seeds = std::to_string(group["n"].get<std::size_t>());
    if (group["n"] != group["of"]) seeds += " of " + std::to_string(group["of"].get<std::size_t>());
    row.push_back(seeds);
    for (const std::string& column : columns)
      row.push_back(group["metrics"].contains(column) ? mean_text(group["metrics"][column]) : "-");
    rows.push_back(std::move(row));
  }
  const std::size_t all = collected["cells"].size(), missing = collected["missing"].size();
  std::string text = sweep.name + ": " + std::to_string(all - missing) + " of " + std::to_string(all) +
                     " cells are done\n\n" + text_table(rows, {Align::left});
  text += "\nmeans over seeds; in brackets 95 % by Student's t, where there are two or more seeds\n";
  if (collected["instruction_sets"].size() > 1) {
    text += "\ncells were computed with several instruction sets, so that they differ by more than what was swept:\n";
    for (const Json& sets : collected["instruction_sets"]) text += "  " + sets.get<std::string>() + "\n";
  }
  if (missing > 0) text += "\nmissing:\n";
  for (const Json& cell : collected["missing"]) {
    text += fmt::format("  {:4}  ", cell["number"].get<int>()) + cell["name"].get<std::string>() + "  " +
            cell["state"].get<std::string>() + "\n";
  }
  return text;
}

std::string sweep_csv(const Json& collected) {
  std::string text;
  const auto field = [&text](const std::string& value, char after) {
    text += csv_field(value);
    text += after;
  };
  for (const auto& [axis, label] : collected["groups"][0]["values"].items()) field(axis, ',');
  text += "metric,n,mean,low,high,standard_deviation\n";
  for (const Json& group : collected["groups"]) {
    for (const auto& [metric, row] : group["metrics"].items()) {
      for (const auto& [axis, label] : group["values"].items()) field(label.get<std::string>(), ',');
      field(metric, ',');
      const auto digits = [&row](const char* key) {
        return row.contains(key) ? fmt::format("{:.10g}", row[key].get<double>()) : "";
      };
      for (const char* key : {"n", "mean", "low", "high"}) field(digits(key), ',');
      field(digits("standard_deviation"), '\n');
    }
  }
  return text;
}

}  // namespace rlaif::tools
