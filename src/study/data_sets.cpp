#include "rlaif/study/data_sets.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::study {
namespace {

// Of the data set that an arm learns from.
std::string data_name(const ArmOptions& arm) {
  if (!arm.data.empty()) return arm.data;
  return arm.start == first_policy ? "" : arm.name;
}

const DataOptions* find_data(const Study& study, const std::string& name) {
  const auto found =
      std::find_if(study.data.begin(), study.data.end(), [&](const DataOptions& data) { return data.name == name; });
  return found == study.data.end() ? nullptr : &*found;
}

void expect_earlier(const std::string& key, const std::string& policy, const std::vector<std::string>& earlier,
                    const std::string& before) {
  if (std::find(earlier.begin(), earlier.end(), policy) != earlier.end()) return;
  throw usage_error(key + ": " + unknown_name_message("policy", policy, earlier) + "; sft or an arm before " + before +
                    " was expected");
}

const DataOptions& expect_data(const Study& study, const std::string& key, const std::string& name) {
  if (const DataOptions* data = find_data(study, name)) return *data;
  std::vector<std::string> known;
  for (const DataOptions& one : study.data) known.push_back(one.name);
  throw usage_error(key + ": " + unknown_name_message("data set", name, known) + "; a section [data." + name +
                    "] was expected");
}

void check_data(const Study& study, const ArmOptions& arm, const std::vector<std::string>& earlier) {
  if (arm.data.empty()) return;
  const DataOptions* data = &expect_data(study, arm.section() + ".data", arm.data);
  const DataOptions& sampled = data->of.empty() ? *data : expect_data(study, data->section() + ".of", data->of);
  expect_earlier(sampled.section() + ".policy", sampled.policy, earlier, arm.section());
  if (data->makes != DataKind::preferences) return;
  for (const ArmOptions& other : study.arms) {
    if (other.data != arm.data || other.judge == arm.judge) continue;
    throw usage_error(arm.section() + ".judge: '" + arm.judge + "' was given, '" + other.judge +
                      "' was expected: " + other.section() + " learns from the same pairs, which one judge labels");
  }
}

void expect_own_name(const Study& study, const std::string& section, const std::string& name) {
  for (const JudgeOptions* judge : judges_and_members(study.judges)) {
    if (judge->name == name)
      throw usage_error(section + ": a judge has this name too; one that nothing else has was expected");
  }
}

// Prompts and draws of its own: a round that saw the last one's again would learn less from them.
std::uint64_t seed_of(const Study& study, const std::string& name) {
  return hash_words({study.run.seed, checksum(name)});
}

DataSet as_set(const Study& study, const DataOptions& data) {
  const DataOptions* of = find_data(study, data.of);
  return {.name = data.name,
          .policy = of ? of->policy : data.policy,
          .judges = {},
          .seed = seed_of(study, data.name),
          .kind = data.makes,
          .maker = data.how,
          .section = data.section()};
}

}  // namespace

const char* to_string(DataKind kind) {
  switch (kind) {
    case DataKind::preferences: return "preferences";
    case DataKind::demonstrations: return "demonstrations";
    case DataKind::prompts: return "prompts";
  }
  return "";
}

bool DataSet::feeds(const ArmOptions& arm) const { return data_name(arm) == name; }

DataSet first_pairs(const Study& study) {
  DataSet set{.name = "", .judges = study.judges.labelling, .seed = study.run.seed};
  if (const DataOptions* data = find_data(study, study.pairs)) {
    set.maker = data->how;
    set.section = data->section();
  }
  return set;
}

DataSet data_named(const Study& study, const std::string& key, const std::string& name) {
  return as_set(study, expect_data(study, key, name));
}

DataSet data_of(const Study& study, const ArmOptions& arm) {
  const std::string name = data_name(arm);
  if (name.empty()) return first_pairs(study);
  DataSet set{.name = name, .policy = arm.start, .judges = {}, .seed = seed_of(study, name)};
  if (const DataOptions* data = find_data(study, arm.data)) set = as_set(study, *data);
  if (set.kind == DataKind::preferences) set.judges = {study.judges.named(arm.judge)};
  return set;
}

std::vector<DataSet> data_sets(const Study& study) {
  std::vector<DataSet> sets{first_pairs(study)};
  for (const ArmOptions& arm : study.arms) {
    const bool is_known = std::any_of(sets.begin(), sets.end(), [&](const DataSet& set) { return set.feeds(arm); });
    if (!is_known) sets.push_back(data_of(study, arm));
  }
  return sets;
}

std::string labels_of(const ArmOptions& arm) {
  const std::string name = data_name(arm);
  return name.empty() ? arm.judge : name;
}

std::string heldout_store(const std::string& store) { return store + "-heldout"; }

void check_arms(const Study& study) {
  if (!study.pairs.empty()) expect_data(study, "study.pairs", study.pairs);
  std::vector<std::string> earlier{first_policy};
  for (const ArmOptions& arm : study.arms) {
    expect_earlier(arm.section() + ".start", arm.start, earlier, "this one");
    check_data(study, arm, earlier);
    earlier.push_back(arm.name);
    if (data_name(arm) == arm.name) expect_own_name(study, arm.section(), arm.name);
  }
  for (const DataOptions& data : study.data) {
    const std::string section = "data." + data.name;
    expect_own_name(study, section, data.name);
    if (std::find(earlier.begin(), earlier.end(), data.name) != earlier.end())
      throw usage_error(section + ": an arm has this name too; one that nothing else has was expected");
  }
}

}  // namespace rlaif::study
