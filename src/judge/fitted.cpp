#include "rlaif/judge/fitted.hpp"

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"

namespace rlaif::judge {
namespace {

constexpr double largest = 1e9;

std::array<std::array<double, 2>, 2> read_confusion(const JsonReader& reader) {
  std::array<std::array<double, 2>, 2> shares{};
  const std::vector<JsonReader> rows = reader.items();
  if (rows.size() != 2) throw reader.unexpected("two rows of two shares");
  for (std::size_t t = 0; t < 2; ++t) {
    const std::vector<JsonReader> row = rows[t].items();
    if (row.size() != 2) throw rows[t].unexpected("a row of two shares");
    for (std::size_t s = 0; s < 2; ++s) shares[t][s] = row[s].number(0.0, 1.0);
    if (std::abs(shares[t][0] + shares[t][1] - 1.0) > 1e-6) throw rows[t].unexpected("a row that sums to 1");
  }
  return shares;
}

FittedJudge read_judge(const JsonReader& reader) {
  reader.allow_only({"pairs", "agreement", "temperature", "weight", "confusion", "length_slope"});
  FittedJudge fitted;
  fitted.pairs = static_cast<std::int64_t>(reader.at("pairs").number(0, 1e15));
  const auto agreement = reader.find("agreement");
  if (!agreement || !agreement->json().is_null()) fitted.agreement = reader.at("agreement").number(0, 1);
  fitted.temperature = reader.at("temperature").number(1e-6, largest);
  fitted.weight = reader.at("weight").number(-largest, largest);
  fitted.confusion = read_confusion(reader.at("confusion"));
  fitted.length_slope = reader.at("length_slope").number(-largest, largest);
  return fitted;
}

}  // namespace

FittedJudges FittedJudges::load(const std::filesystem::path& file) {
  const Json json = read_json_object(file);
  const JsonReader root(file, json);
  root.allow_only({"judges", "thresholds"});
  FittedJudges all;
  all.file = file;
  if (const auto judges = root.find("judges"))
    for (const auto& [name, judge] : judges->members()) all.judges[name] = read_judge(judge);
  if (const auto thresholds = root.find("thresholds")) {
    for (const auto& [name, list] : thresholds->members())
      for (const JsonReader& one : list.items()) all.thresholds[name].push_back(one.number(0.5, 1.0));
  }
  return all;
}

void FittedJudges::save(const std::filesystem::path& to) const {
  Json json;
  json["judges"] = Json::object();
  for (const auto& [name, fitted] : judges) {
    Json row;
    row["pairs"] = fitted.pairs;
    row["agreement"] = number_or_null(fitted.agreement);
    row["temperature"] = fitted.temperature;
    row["weight"] = fitted.weight;
    row["confusion"] = fitted.confusion;
    row["length_slope"] = fitted.length_slope;
    json["judges"][name] = row;
  }
  json["thresholds"] = Json::object();
  for (const auto& [name, list] : thresholds) json["thresholds"][name] = list;
  write_file_atomic(to, json.dump(1) + "\n");
}

const FittedJudge& FittedJudges::at(const std::string& name) const {
  const auto found = judges.find(name);
  if (found != judges.end()) return found->second;
  std::string known;
  for (const auto& [other, fitted] : judges) known += (known.empty() ? "" : ", ") + other;
  throw input_error(file,
                    "judge '" + name + "' was not calibrated; the file holds " + (known.empty() ? "none" : known));
}

}  // namespace rlaif::judge
