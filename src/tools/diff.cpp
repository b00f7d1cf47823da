#include "rlaif/tools/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/evaluate/difference.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;
using evaluate::Grouped;
using evaluate::Interval;

constexpr std::uint64_t seed = 0;  // of the bootstrap: two looks at the same runs say the same

Json read_run_file(const fs::path& run) {
  if (!fs::exists(run / "run.json")) throw input_error(run, "has no run.json; a run directory was expected");
  return read_sealed_json(run / "run.json");
}

// Members of two objects of texts that are not the same, in the order of the first; "(not set)" where one lacks it.
Json differing(const Json& first, const Json& second) {
  Json rows = Json::array();
  const auto text_in = [](const Json& of, const std::string& key) {
    return of.contains(key) ? of[key].get<std::string>() : std::string("(not set)");
  };
  const auto add = [&](const std::string& key) {
    const std::string a = text_in(first, key), b = text_in(second, key);
    if (a != b) rows.push_back({{"key", key}, {"first", a}, {"second", b}});
  };
  for (const auto& [key, value] : first.items()) add(key);
  for (const auto& [key, value] : second.items()) {
    if (!first.contains(key)) add(key);
  }
  return rows;
}

// Numbers of one policy by prompt, and the utilities of its samples.
struct Samples {
  std::map<std::string, Grouped> numbers;
  std::map<std::string, std::vector<double>> utilities;
};

Samples read_samples(const fs::path& file) {
  Samples samples;
  text::for_each_json_line(file, [&](const text::JsonRecord& record) {
    const Json& line = record.object;
    if (!line.contains("prompt") || !line.contains("samples") || !line["samples"].is_array())
      throw input_error(file, record.line, "\"prompt\" and \"samples\" were expected");
    const Json& said = line["prompt"];
    const std::string prompt = said.is_string() ? said.get<std::string>() : text::to_json_line(said);
    for (const Json& sample : line["samples"]) {
      for (const auto& [name, value] : sample.items()) {
        if (!value.is_number() && !value.is_boolean()) continue;
        auto& [sum, count] = samples.numbers[name == "tokens" ? "length" : name][prompt];
        sum += value.is_boolean() ? (value.get<bool>() ? 1.0 : 0.0) : value.get<double>();
        count += 1.0;
      }
      if (sample.contains("utility")) samples.utilities[prompt].push_back(sample["utility"].get<double>());
    }
  });
  return samples;
}

std::set<std::string> policies_of(const fs::path& run) {
  std::set<std::string> names;
  if (!fs::exists(run / "evaluation")) return names;
  for (const auto& item : fs::directory_iterator(run / "evaluation")) {
    const std::string name = item.path().stem().string();
    if (item.path().extension() == ".jsonl" && name != "best-of-n" && name != "sft-again") names.insert(name);
  }
  return names;
}

Json interval_json(const Interval& interval) {
  return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}};
}

Interval mean_of(const Grouped& groups) {
  std::vector<double> sums, counts;
  for (const auto& [prompt, values] : groups) {
    sums.push_back(values.first);
    counts.push_back(values.second);
  }
  return evaluate::bootstrap_ratio(sums, counts, seed);
}

Json number_row(const std::string& policy, const std::string& name, const Grouped& first, const Grouped& second) {
  const bool paired = evaluate::have_same_groups(first, second);
  const Interval a = mean_of(first), b = mean_of(second);
  const Interval difference =
      paired ? evaluate::paired_difference(first, second, seed) : evaluate::independent_difference(a, b);
  return {{"policy", policy},
          {"number", name},
          {"first", interval_json(a)},
          {"second", interval_json(b)},
          {"difference", interval_json(difference)},
          {"paired", paired},
          {"told_apart", evaluate::tells_apart(difference)}};
}

// How often the second run's samples are better than the first run's, on the same prompts by the same yardstick.
Json win_row(const std::string& policy, const Samples& first, const Samples& second) {
  std::vector<std::vector<double>> a, b;
  for (const auto& [prompt, utilities] : first.utilities) {
    a.push_back(utilities);
    b.push_back(second.utilities.at(prompt));
  }
  const Interval wins = evaluate::win_rate(b, a, seed);
  const Interval difference{wins.value - 0.5, wins.low - 0.5, wins.high - 0.5};
  return {{"policy", policy},
          {"number", "win_rate"},
          {"first", interval_json({0.5, 0.5, 0.5})},
          {"second", interval_json(wins)},
          {"difference", interval_json(difference)},
          {"paired", true},
          {"told_apart", evaluate::tells_apart(difference)}};
}

bool have_same_prompts(const Samples& a, const Samples& b) {
  return !a.utilities.empty() && a.utilities.size() == b.utilities.size() &&
         std::equal(a.utilities.begin(), a.utilities.end(), b.utilities.begin(),
                    [](const auto& one, const auto& other) { return one.first == other.first; });
}

// What utilities are measured by: files of the world or of rules, by checksum.
bool have_same_yardstick(const Json& first, const Json& second) {
  const Json a = first.value("deck", Json::object()), b = second.value("deck", Json::object());
  for (const char* key : {"checksum of task.world", "checksum of task.rules"}) {
    if (a.value(key, std::string()) != b.value(key, std::string())) return false;
  }
  return true;
}

void add_policy(const fs::path& first, const fs::path& second, const std::string& policy, bool same_yardstick,
                Json& rows) {
  const std::string file = "evaluation/" + policy + ".jsonl";
  const Samples a = read_samples(first / file), b = read_samples(second / file);
  if (same_yardstick && have_same_prompts(a, b)) rows.push_back(win_row(policy, a, b));
  for (const auto& [name, groups] : a.numbers) {
    const auto other = b.numbers.find(name);
    if (other == b.numbers.end() || (name == "utility" && !same_yardstick)) continue;
    rows.push_back(number_row(policy, name, groups, other->second));
  }
}

std::string interval_text(const Json& interval) {
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", interval["value"].get<double>(), interval["low"].get<double>(),
                     interval["high"].get<double>());
}

std::string keys_text(const Json& rows, const std::string& title, std::size_t most) {
  std::string text = title + ": " + (rows.empty() ? "the same" : std::to_string(rows.size()) + " differ") + "\n";
  std::size_t shown = 0;
  for (const Json& row : rows) {
    if (shown++ == most) return text + "  and " + std::to_string(rows.size() - most) + " more (--json has them)\n";
    text += "  " + row["key"].get<std::string>() + ": " + one_line(row["first"].get<std::string>()) + " -> " +
            one_line(row["second"].get<std::string>()) + "\n";
  }
  return text;
}

std::string names_text(const Json& names, const std::string& where) {
  std::string text;
  for (const Json& name : names) text += (text.empty() ? "" : ", ") + name.get<std::string>();
  return text.empty() ? "" : "policies of " + where + " alone: " + text + "\n";
}

std::string results_text(const Json& rows) {
  if (rows.empty()) return "";
  std::string text =
      fmt::format("\n{:<14} {:<14} {:<26} {:<26} {:<27}\n", "policy", "number", "first", "second", "second less first");
  std::size_t apart = 0;
  for (const Json& row : rows) {
    const bool told = row["told_apart"].get<bool>();
    apart += told;
    text += fmt::format("{:<14} {:<14} {:<26} {:<26} {:<27} {}{}\n", row["policy"].get<std::string>(),
                        row["number"].get<std::string>(), interval_text(row["first"]), interval_text(row["second"]),
                        interval_text(row["difference"]), told ? "told apart" : "not told apart",
                        row["paired"].get<bool>() ? "" : ", not the same prompts");
  }
  return text + fmt::format(
                    "\n{} of {} told apart at 95 %; of numbers that are the same, one in twenty would be\n"
                    "win_rate: how often the second run's policy is better on the same prompt; ties count half\n",
                    apart, rows.size());
}

}  // namespace

Json diff_runs(const fs::path& first, const fs::path& second) {
  const Json a = read_run_file(first), b = read_run_file(second);
  Json diff{{"first", first.string()}, {"second", second.string()}};
  for (const char* part : {"deck", "other_settings"})
    diff[part == std::string("deck") ? "keys" : part] =
        differing(a.value(part, Json::object()), b.value(part, Json::object()));
  const std::set<std::string> of_first = policies_of(first), of_second = policies_of(second);
  const bool same_yardstick = have_same_yardstick(a, b);
  diff["results"] = diff["only_first"] = diff["only_second"] = diff["notes"] = Json::array();
  for (const std::string& policy : of_first) {
    if (of_second.contains(policy))
      add_policy(first, second, policy, same_yardstick, diff["results"]);
    else
      diff["only_first"].push_back(policy);
  }
  for (const std::string& policy : of_second) {
    if (!of_first.contains(policy)) diff["only_second"].push_back(policy);
  }
  if (!same_yardstick) diff["notes"].push_back("the yardsticks are of different files: utilities are not compared");
  for (const auto& [run, policies] : {std::pair(first, of_first), std::pair(second, of_second)}) {
    if (policies.empty())
      diff["notes"].push_back(run.string() + " has no samples in evaluation/ yet: results are not compared");
  }
  return diff;
}

std::string diff_text(const Json& diff) {
  std::string text =
      "first  " + diff["first"].get<std::string>() + "\nsecond " + diff["second"].get<std::string>() + "\n\n";
  text += keys_text(diff["keys"], "keys that decide results", 40);
  text += keys_text(diff["other_settings"], "other settings", 10);
  text += names_text(diff["only_first"], "the first") + names_text(diff["only_second"], "the second");
  text += results_text(diff["results"]);
  for (const Json& note : diff["notes"]) text += note.get<std::string>() + "\n";
  return text;
}

}  // namespace rlaif::tools
