#include "rlaif/judge/fitted.hpp"

#include <cmath>
#include <functional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::judge {
namespace {

Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

class FittedReader {
 public:
  explicit FittedReader(const std::filesystem::path& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& place, const std::string& message) const {
    throw input_error(file_, place + ": " + message);
  }
  const Json& object(const Json& value, const std::string& place) const {
    if (!value.is_object()) fail(place, "an object was expected, found " + value.dump().substr(0, 60));
    return value;
  }
  double number(const Json& value, const std::string& place, double low, double high) const {
    const double found = value.is_number() ? value.get<double>() : std::nan("");
    if (!(found >= low && found <= high)) {
      fail(place, "a number from " + Json(low).dump() + " to " + Json(high).dump() + " was expected, found " +
                      value.dump().substr(0, 60));
    }
    return found;
  }
  std::array<std::array<double, 2>, 2> confusion(const Json& value, const std::string& place) const {
    if (!value.is_array() || value.size() != 2 || !value[0].is_array() || !value[1].is_array() ||
        value[0].size() != 2 || value[1].size() != 2) {
      fail(place, "two rows of two shares were expected");
    }
    std::array<std::array<double, 2>, 2> shares{};
    for (std::size_t t = 0; t < 2; ++t) {
      for (std::size_t s = 0; s < 2; ++s) shares[t][s] = number(value[t][s], place, 0.0, 1.0);
      if (std::abs(shares[t][0] + shares[t][1] - 1.0) > 1e-6) fail(place, "rows that sum to 1 were expected");
    }
    return shares;
  }
  FittedJudge judge(const Json& json, const std::string& place) const {
    FittedJudge fitted;
    const double largest = 1e9;
    const std::map<std::string, std::function<void(const Json&, const std::string&)>> keys{
        {"pairs",
         [&](const Json& v, const std::string& p) { fitted.pairs = static_cast<std::int64_t>(number(v, p, 0, 1e15)); }},
        {"agreement",
         [&](const Json& v, const std::string& p) {
           if (!v.is_null()) fitted.agreement = number(v, p, 0, 1);
         }},
        {"temperature", [&](const Json& v, const std::string& p) { fitted.temperature = number(v, p, 1e-6, largest); }},
        {"weight", [&](const Json& v, const std::string& p) { fitted.weight = number(v, p, -largest, largest); }},
        {"confusion", [&](const Json& v, const std::string& p) { fitted.confusion = confusion(v, p); }},
        {"length_slope",
         [&](const Json& v, const std::string& p) { fitted.length_slope = number(v, p, -largest, largest); }}};
    std::vector<std::string> known;
    for (const auto& [key, read] : keys) known.push_back(key);
    for (const auto& [key, value] : object(json, place).items()) {
      const auto found = keys.find(key);
      if (found == keys.end()) fail(place, unknown_name_message("key", key, known));
      found->second(value, place + "." + key);
    }
    for (const std::string& key : known) {
      if (!json.contains(key)) fail(place, "the key '" + key + "' is missing");
    }
    return fitted;
  }

 private:
  const std::filesystem::path& file_;
};

}  // namespace

FittedJudges FittedJudges::load(const std::filesystem::path& file) {
  Json json;
  try {
    json = parse_json_text(read_file(file));
  } catch (const Json::exception& error) {
    throw input_error(file, std::string("JSON was expected: ") + error.what());
  }
  const FittedReader reader(file);
  FittedJudges all;
  all.file = file;
  for (const auto& [key, value] : reader.object(json, "the file").items()) {
    reader.object(value, key);
    if (key == "judges") {
      for (const auto& [name, fitted] : value.items()) all.judges[name] = reader.judge(fitted, "judges." + name);
    } else if (key == "thresholds") {
      for (const auto& [name, list] : value.items()) {
        const std::string place = "thresholds." + name;
        if (!list.is_array()) reader.fail(place, "a list of confidences was expected");
        for (const Json& one : list) all.thresholds[name].push_back(reader.number(one, place, 0.5, 1.0));
      }
    } else {
      reader.fail("the file", unknown_name_message("key", key, {"judges", "thresholds"}));
    }
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
