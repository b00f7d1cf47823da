#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/compare.hpp"
#include "rlaif/study/people_labels.hpp"
#include "rlaif/tools/spotcheck.hpp"

namespace rlaif::tools {
namespace {

const std::string place = "{{pairs}}";
constexpr double no_verdict = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t order_key = 0x6f726472;

double p_first_of(const Preference& record) {
  return record.verdict.status == VerdictStatus::ok ? record.verdict.p_first : no_verdict;
}

// Finished stores of other judges that hold this store's pairs, by name.
std::map<std::string, std::vector<double>> other_verdicts(const RunDirectory& directory, const std::string& store,
                                                          const std::vector<Preference>& records) {
  std::map<std::uint64_t, std::size_t> place_of;
  for (std::size_t i = 0; i < records.size(); ++i) place_of[records[i].comparison.id] = i;
  std::map<std::string, std::vector<double>> others;
  const std::filesystem::path own = judge_store(directory, store);
  for (const auto& item : std::filesystem::directory_iterator(own.parent_path())) {
    const std::string name = item.path().filename().string();
    if (item.path() == own || name.starts_with('.') || name.starts_with(people_prefix) ||
        !preferences::read_manifest(item.path()))
      continue;
    std::vector<double> p(records.size(), no_verdict);
    bool shares_pairs = false;
    for (const Preference& record : preferences::read_store(item.path())) {
      const auto found = place_of.find(record.comparison.id);
      if (found == place_of.end() || !same_texts(record.comparison, records[found->second].comparison)) continue;
      p[found->second] = p_first_of(record);
      shares_pairs = true;
    }
    if (shares_pairs) others[name] = std::move(p);
  }
  return others;
}

// Of a study's policies: whether one of the two is sft, and they differ. Who wrote what stands nowhere in a record; its id
// tells it to who knows the arms.
class ArmsAgainstSft {
 public:
  explicit ArmsAgainstSft(const RunDirectory& directory) {
    const std::filesystem::path file = directory.root() / "run.json";
    const Json run = try_parse_json(read_file(file));
    const Json deck = run.is_object() ? run.value("deck", Json::object()) : Json::object();
    for (const char* key : {"study.arms", "study.rounds"}) {
      std::istringstream names(deck.is_object() ? deck.value(key, std::string()) : std::string());
      for (std::string name; names >> name;) arms_.push_back(name);
    }
    if (arms_.empty()) throw input_error(file, "key 'deck': study.arms of a study that compared policies was expected");
  }
  bool holds(const Comparison& one) const {
    if (one.first.text == one.second.text) return false;
    return std::any_of(arms_.begin(), arms_.end(), [&](const std::string& arm) {
      return stages::comparison_id(one.prompt.id, arm, first_policy, one.first.sample) == one.id;
    });
  }

 private:
  std::vector<std::string> arms_;
};

// JSON in ASCII without < > &: within a script element nothing of it can end the element or begin a comment.
std::string harmless_json(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<')
      text += "\\u003c";
    else if (c == '>')
      text += "\\u003e";
    else if (c == '&')
      text += "\\u0026";
    else
      text += c;
  }
  return text;
}

Json pair_json(const Preference& record, const evaluate::PickedPair& picked, std::uint64_t seed) {
  const Comparison& comparison = record.comparison;
  const bool swapped = Rng(seed, Stream::bootstrap, {order_key, comparison.id}).below(2) == 1;
  const Completion& first = swapped ? comparison.second : comparison.first;
  const Completion& second = swapped ? comparison.first : comparison.second;
  return {{"id", std::to_string(comparison.id)}, {"texts", texts_checksum(comparison)},
          {"pick", to_string(picked.pick)},      {"order", swapped ? "ba" : "ab"},
          {"prompt", comparison.prompt.text},    {"shown", {first.text, second.text}}};
}

std::string page_of(const SpotcheckExport& options, const Json& pairs) {
  std::string page = read_file(options.page_template);
  const std::size_t at = page.find(place);
  if (at == std::string::npos || page.find(place, at + 1) != std::string::npos) {
    throw input_error(options.page_template, "expected the mark " + place + " once, where the pairs go");
  }
  Json data{{"store", options.store}, {"labeler", options.name}, {"pairs", pairs}};
  data["page"] = hex(checksum(data.dump(-1, ' ', true, Json::error_handler_t::replace)));
  return page.replace(at, place.size(), harmless_json(data));
}

}  // namespace

SpotcheckExported export_spotcheck(const SpotcheckExport& options) {
  require_plain_name("--name", options.name);
  if (options.count == 0) throw usage_error("--count: at least 1 pair was expected");
  const RunDirectory directory(options.run);
  std::vector<Preference> records = preferences::read_store(judge_store(directory, options.store));
  const bool of_policies = is_of_policies(options.store);
  if (of_policies) {
    const ArmsAgainstSft shown(directory);
    std::erase_if(records, [&](const Preference& record) { return !shown.holds(record.comparison); });
  }
  SpotcheckExported exported;
  std::map<std::uint64_t, Preference> labelled;
  const std::filesystem::path done =
      of_policies ? directory.people(options.name) : people_store(directory, options.name);
  if (preferences::read_manifest(done)) labelled = labels_by_pair(done);
  std::vector<double> p_first;
  for (const Preference& record : records) {
    const bool is_done = labelled.contains(record.comparison.id);
    exported.labelled += is_done;
    p_first.push_back(is_done ? no_verdict : p_first_of(record));
  }
  std::vector<std::vector<double>> others;
  for (auto& [name, p] : other_verdicts(directory, options.store, records)) {
    exported.other_judges.push_back(name);
    others.push_back(std::move(p));
  }
  evaluate::SpotcheckShares shares;
  if (others.empty()) shares.disagreement = 0.0;
  const std::vector<evaluate::PickedPair> picked =
      evaluate::pick_pairs(p_first, others, options.count, options.seed, shares);
  if (picked.empty())
    throw input_error(judge_store(directory, options.store),
                      of_policies ? "holds no pair of an arm and sft with a usable verdict that is not labelled yet"
                                  : "holds no pair with a usable verdict that is not labelled yet");
  Json pairs = Json::array();
  for (const evaluate::PickedPair& one : picked) {
    pairs.push_back(pair_json(records[one.index], one, options.seed));
    ++exported.picked[one.pick];
  }
  write_file_atomic(options.page, page_of(options, pairs));
  return exported;
}

}  // namespace rlaif::tools
