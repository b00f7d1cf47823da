#include <fmt/format.h>

#include <functional>

#include "rlaif/core/text_table.hpp"
#include "rlaif/evaluate/judge_report.hpp"

namespace rlaif::evaluate {
namespace {

std::string number(const Json& value, fmt::format_string<double> format = "{:.3f}") {
  return value.is_number() ? fmt::format(format, value.get<double>()) : "-";
}

std::string interval(const Json& value) {
  if (!value.is_object() || !value["value"].is_number()) return "-";
  return fmt::format("{} [{}, {}]", number(value["value"]), number(value["low"]), number(value["high"]));
}

// The first column says what a row is of.
std::string table(const TextRows& rows) { return text_table(rows, {Align::left, Align::right}); }

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
  TextRows rows{{"judge"}, {"answered"}};
  for (const auto& [name, row] : judges.items()) {
    rows[0].push_back(name);
    rows[1].push_back(fmt::format("{} of {}", row["answered"].get<std::size_t>(), row["pairs"].get<std::size_t>()));
  }
  const auto add = [&](const std::string& what, const std::function<std::string(const Json&)>& cell) {
    rows.push_back({what});
    for (const auto& [name, row] : judges.items()) rows.back().push_back(cell(row));
  };
  for (const auto& [what, key] : rates) add(what, [key = key](const Json& row) { return interval(row[key]); });
  add("  after temperature", [](const Json& row) { return number(row["calibration_error_after"]); });
  add("temperature", [](const Json& row) { return number(row["temperature"], "{:.4g}"); });
  add("macro precision", [](const Json& row) { return number(row["macro_precision"]); });
  add("macro recall", [](const Json& row) { return number(row["macro_recall"]); });
  add("macro F1", [](const Json& row) { return number(row["macro_f1"]); });
  add("USD a thousand", [](const Json& row) { return number(row["usd_per_1000"], "{:.4f}"); });
  text += table(rows);
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
    TextRows rows{{title}};
    for (const Json& name : across["judges"]) rows[0].push_back(name.get<std::string>());
    for (std::size_t a = 0; a < across["judges"].size(); ++a) {
      rows.push_back({"  " + across["judges"][a].get<std::string>()});
      for (const Json& value : across[key][a]) rows.back().push_back(number(value));
    }
    text += table(rows);
  }
}

void add_people(const Json& people, std::string& text) {
  text += "\n" + people["people"].dump() + " people on " + people["pairs"].dump() + " pairs: Cohen's kappa";
  for (const auto& [pair, kappa] : people["cohens_kappa"].items()) text += "  " + pair + " " + number(kappa, "{:.6f}");
  text += "  Fleiss' " + number(people["fleiss_kappa"], "{:.6f}") + "\n";
}

void add_cascades(const Json& cascades, std::string& text) {
  for (const auto& [name, steps] : cascades.items()) {
    TextRows rows{
        {"cascade " + name, "threshold", "asked on", "agreement", "USD a thousand", "of the last one's agreement"}};
    for (const Json& step : steps) {
      const Json& chosen = step["chosen"];
      rows.push_back({"  " + step["judge"].get<std::string>(), number(chosen["threshold"], "{:.4f}"),
                      number(chosen["share_asked"]), number(chosen["agreement"]),
                      number(chosen["usd_per_1000"], "{:.4f}"), number(step["of_last_agreement"])});
    }
    text += "\n" + table(rows);
  }
}

// What was fitted, on pairs it has not seen.
void add_held_out(const Json& held_out, std::string& text) {
  TextRows rows{{"not seen (" + held_out["folds"].dump() + " folds)", "agreement", "calibration error",
                 "USD a thousand", "of the last one's agreement"}};
  for (const auto& [name, row] : held_out["judges"].items()) {
    std::string of_last = "-";
    if (held_out["cascades"].contains(name)) of_last = interval(held_out["cascades"][name]["of_last_agreement"]);
    rows.push_back({"  " + name, interval(row["agreement"]), interval(row["calibration_error"]),
                    number(row["usd_per_1000"], "{:.4f}"), of_last});
  }
  text += "\n" + table(rows);
}

void add_probes(const Json& probes, std::string& text) {
  TextRows rows{{"fooled by"}};
  for (const auto& [kind, row] : probes.front().items()) {
    rows.push_back({fmt::format("  {} ({})", kind, row["probes"].dump())});
  }
  for (const auto& [judge, kinds] : probes.items()) {
    std::size_t line = 0;
    rows[line++].push_back(judge);
    for (const auto& [kind, row] : kinds.items()) rows[line++].push_back(interval(row["fooled"]));
  }
  text += "\n" + table(rows);
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
