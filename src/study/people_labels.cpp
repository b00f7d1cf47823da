#include "rlaif/study/people_labels.hpp"

#include <algorithm>
#include <cctype>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/preferences/store.hpp"

namespace rlaif::study {
namespace {

const std::string policies_prefix = "comparisons/";

}  // namespace

bool is_of_policies(const std::string& store) { return store.starts_with(policies_prefix); }

std::filesystem::path people_store(const RunDirectory& directory, const std::string& name) {
  return directory.preferences(people_prefix + name);
}

std::filesystem::path judge_store(const RunDirectory& directory, const std::string& store) {
  if (!std::filesystem::exists(directory.root() / "run.json")) {
    throw input_error(directory.root(), "has no run.json; a run directory was expected");
  }
  const bool of_policies = is_of_policies(store);
  const std::string name = of_policies ? store.substr(policies_prefix.size()) : store;
  const std::filesystem::path folder = of_policies ? directory.comparisons(name) : directory.preferences(name);
  if (!is_plain_name(name) || !preferences::read_manifest(folder)) {
    throw input_error(folder,
                      "is no finished preference store; the name of a judge of the run was expected, or "
                      "comparisons/NAME of one of evaluate.by");
  }
  return folder;
}

std::string texts_checksum(const Comparison& comparison) {
  std::string all;
  for (const std::string* text : {&comparison.prompt.text, &comparison.first.text, &comparison.second.text}) {
    all += std::to_string(text->size()) + ":" + *text;
  }
  return hex(checksum(all));
}

bool same_texts(const Comparison& a, const Comparison& b) {
  return a.prompt.text == b.prompt.text && a.prompt.turns == b.prompt.turns && a.first.text == b.first.text &&
         a.second.text == b.second.text;
}

bool is_plain_name(const std::string& name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
}

void require_plain_name(const std::string& what, const std::string& name) {
  if (!is_plain_name(name))
    throw usage_error(what + ": '" + name + "' was given, a name of letters, digits, '-' and '_' was expected");
}

std::map<std::uint64_t, Preference> labels_by_pair(const std::filesystem::path& folder) {
  std::map<std::uint64_t, Preference> labels;
  for (Preference& record : preferences::read_store(folder)) {
    const std::uint64_t id = record.comparison.id;
    labels[id] = std::move(record);
  }
  return labels;
}

std::string people_labels_store(const Study& study) {
  const std::string& name = study.labels.people.name;
  for (const JudgeOptions& judge : study.judges.labelling)
    if (judge.name == name) return name;
  return people_prefix + name;
}

std::map<std::uint64_t, Preference> read_people_labels(const Study& study, const RunDirectory& directory) {
  const PeopleOptions& people = study.labels.people;
  require_plain_name("reward.people", people.name);
  const std::filesystem::path folder = directory.preferences(people_labels_store(study));
  if (!preferences::read_manifest(folder)) {
    throw usage_error("reward.people = " + people.name + ": " + folder.string() +
                      " is not there: `rlaif spotcheck export` makes a page of pairs, " +
                      "`rlaif spotcheck import` brings its labels in");
  }
  std::map<std::uint64_t, Preference> labels;
  for (Preference& record : preferences::read_store(folder)) {
    if (record.verdict.status != VerdictStatus::ok) continue;
    if (people.labels > 0 && static_cast<std::int64_t>(labels.size()) == people.labels) break;
    const std::uint64_t id = record.comparison.id;
    labels[id] = std::move(record);
  }
  return labels;
}

}  // namespace rlaif::study
