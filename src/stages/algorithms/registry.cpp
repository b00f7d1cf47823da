// The table of algorithms: a line each.
#include <algorithm>

#include "algorithms.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/stages/binding.hpp"

namespace rlaif::stages {

const char* to_string(DataKind kind) {
  switch (kind) {
    case DataKind::preferences: return "preferences";
    case DataKind::demonstrations: return "demonstrations";
    case DataKind::prompts: return "prompts";
  }
  return "";
}

const std::vector<AlgorithmEntry>& algorithms() {
  static const std::vector<AlgorithmEntry> entries{
      {"dpo", "direct preference optimisation on labelled pairs", make_dpo},
      {"ppo", "proximal policy optimisation against a reward", make_ppo},
  };
  return entries;
}

const AlgorithmEntry& algorithm_named(const std::string& key, const std::string& name) {
  std::vector<std::string> known;
  for (const AlgorithmEntry& entry : algorithms()) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  throw usage_error(key + ": " + unknown_name_message("algorithm", name, known));
}

void bind_algorithms(OptionTable& table, StudyOptions& options) {
  for (const AlgorithmEntry& entry : algorithms()) {
    options.algorithms.push_back(entry.make());
    options.algorithms.back()->bind(table, entry.name);
    const bool is_used = std::any_of(options.arms.begin(), options.arms.end(),
                                     [&](const ArmOptions& arm) { return arm.algorithm == entry.name; });
    if (!is_used) table.list_only_where_set(entry.name);
  }
}

void bind_arm(OptionTable& table, ArmOptions& arm) {
  const std::string section = arm.section();
  arm.how = algorithm_named(section + ".algorithm", arm.algorithm).make();
  arm.how->bind(table, section);
  table.put_over(section, arm.algorithm, "algorithm = " + arm.algorithm);
  table.add_choice<std::string>(section + ".algorithm", &arm.algorithm, names_of(algorithms()),
                                "how it is made from what it starts from");
  table.add(section + ".judge", &arm.judge, "", "whose labels it learns from");
  table.add(
      section + ".start", &arm.start, "",
      "policy that it starts from and whose responses are labelled: sft or one before it; of a round, the last one");
}

const Algorithm& algorithm_of(const ArmOptions& arm) {
  RLAIF_CHECK(arm.how != nullptr, "an arm must be bound to its algorithm: " + arm.name);
  return *arm.how;
}

}  // namespace rlaif::stages
