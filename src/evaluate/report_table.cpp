#include <algorithm>
#include <cstdio>
#include <functional>

#include "rlaif/evaluate/judge_report.hpp"

namespace rlaif::evaluate {
namespace {

std::string number(const Json& value, const char* format = "%.3f") {
  if (!value.is_number()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, value.get<double>());
  return text;
}

std::string interval(const Json& value) {
  if (!value.is_object() || !value["value"].is_number()) return "-";
  std::string text = number(value["value"]);
  text += " [";
  text += number(value["low"]);
  text += ", ";
  text += number(value["high"]);
  return text + "]";
}

using Rows = std::vector<std::vector<std::string>>;

// Columns as wide as their widest cell, the first to the left, the others to the right.
std::string aligned(const Rows& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - row[c].size(), ' ');
      if (c > 0) text += "  " + space;
      text += row[c];
      if (c == 0) text += space;
    }
    text += '\n';
  }
  return text;
}

void add_judges(const Json& judges, std::string& text) {
  static const std::vector<std::pair<std::string, const char*>> rates{
      {"agreement with the labels", "agreement"},
      {"  shown a first", "agreement_first_order"},
      {"  shown b first", "agreement_second_order"},
      {"  at equal length", "agreement_at_equal_length"},
      {"Cohen's kappa", "kappa"},
      {"same verdict in both orders", "consistency"},
      {"same position in both orders", "same_position"},
      {"response shown first named", "first_shown"},
      {"longer response named", "longer_preferred"},
      {"calibration error", "calibration_error"}};
  Rows rows{{"judge"}, {"answered"}};
  for (const auto& [name, row] : judges.items()) {
    rows[0].push_back(name);
    rows[1].push_back(std::to_string(row["answered"].get<std::size_t>()) + " of " +
                      std::to_string(row["pairs"].get<std::size_t>()));
  }
  const auto add = [&](const std::string& what, const std::function<std::string(const Json&)>& cell) {
    rows.push_back({what});
    for (const auto& [name, row] : judges.items()) rows.back().push_back(cell(row));
  };
  for (const auto& [what, key] : rates) add(what, [key = key](const Json& row) { return interval(row[key]); });
  add("  after temperature", [](const Json& row) { return number(row["calibration_error_after"]); });
  add("temperature", [](const Json& row) { return number(row["temperature"], "%.4g"); });
  add("macro precision", [](const Json& row) { return number(row["macro_precision"]); });
  add("macro recall", [](const Json& row) { return number(row["macro_recall"]); });
  add("macro F1", [](const Json& row) { return number(row["macro_f1"]); });
  add("USD a thousand", [](const Json& row) { return number(row["usd_per_1000"], "%.4f"); });
  text += aligned(rows);
  for (const auto& [name, row] : judges.items()) {
    if (row["statuses"].size() == 1 && row["statuses"].contains("ok")) continue;
    text += name + ":";
    for (const auto& [status, count] : row["statuses"].items()) text += " " + status + " " + count.dump();
    text += "\n";
  }
}

void add_across(const Json& across, std::string& text) {
  text += "\nFleiss' kappa of the judges  ";
  text += interval(across["fleiss_kappa"]);
  text += " over " + across["answered_by_all"].dump() + " pairs\n";
  for (const auto& [title, key] :
       {std::pair("correlation of errors", "error_correlation"), std::pair("same side named", "same_side")}) {
    Rows rows{{title}};
    for (const Json& name : across["judges"]) rows[0].push_back(name.get<std::string>());
    for (std::size_t a = 0; a < across["judges"].size(); ++a) {
      rows.push_back({"  " + across["judges"][a].get<std::string>()});
      for (const Json& value : across[key][a]) rows.back().push_back(number(value));
    }
    text += aligned(rows);
  }
}

void add_people(const Json& people, std::string& text) {
  text += "\n" + people["people"].dump() + " people on " + people["pairs"].dump() + " pairs: Cohen's kappa";
  for (const auto& [pair, kappa] : people["cohens_kappa"].items()) text += "  " + pair + " " + number(kappa, "%.6f");
  text += "  Fleiss' " + number(people["fleiss_kappa"], "%.6f") + "\n";
}

void add_cascades(const Json& cascades, std::string& text) {
  for (const auto& [name, steps] : cascades.items()) {
    Rows rows{
        {"cascade " + name, "threshold", "asked on", "agreement", "USD a thousand", "of the last one's agreement"}};
    for (const Json& step : steps) {
      const Json& chosen = step["chosen"];
      std::string who = "  ";
      who += step["judge"].get<std::string>();
      rows.push_back({who, number(chosen["threshold"], "%.4f"), number(chosen["share_asked"]),
                      number(chosen["agreement"]), number(chosen["usd_per_1000"], "%.4f"),
                      number(step["of_last_agreement"])});
    }
    text += "\n" + aligned(rows);
  }
}

// What was fitted, on pairs it has not seen.
void add_held_out(const Json& held_out, std::string& text) {
  Rows rows{{"not seen (" + held_out["folds"].dump() + " folds)", "agreement", "calibration error", "USD a thousand",
             "of the last one's agreement"}};
  for (const auto& [name, row] : held_out["judges"].items()) {
    std::string of_last = "-";
    if (held_out["cascades"].contains(name)) of_last = interval(held_out["cascades"][name]["of_last_agreement"]);
    std::string title = "  ";
    title += name;
    rows.push_back({title, interval(row["agreement"]), interval(row["calibration_error"]),
                    number(row["usd_per_1000"], "%.4f"), of_last});
  }
  text += "\n" + aligned(rows);
}

void add_probes(const Json& probes, std::string& text) {
  Rows rows{{"fooled by"}};
  for (const auto& [kind, row] : probes.front().items()) {
    std::string title = "  ";
    title += kind;
    title += " (";
    title += row["probes"].dump();
    title += ")";
    rows.push_back({title});
  }
  for (const auto& [judge, kinds] : probes.items()) {
    std::size_t line = 0;
    rows[line++].push_back(judge);
    for (const auto& [kind, row] : kinds.items()) rows[line++].push_back(interval(row["fooled"]));
  }
  text += "\n" + aligned(rows);
}

}  // namespace

std::string report_table(const Json& report) {
  std::string text;
  const auto part = [&](const char* key, void (*add)(const Json&, std::string&)) {
    const auto found = report.find(key);
    if (found != report.end() && !found->is_null() && !found->empty()) add(*found, text);
  };
  part("judges", add_judges);
  part("across", add_across);
  part("people", add_people);
  part("cascades", add_cascades);
  part("held_out", add_held_out);
  part("probes", add_probes);
  return text;
}

}  // namespace rlaif::evaluate
