// The table of algorithms: a line each.
#include <algorithm>

#include "algorithms.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/study/data_sets.hpp"

namespace rlaif::stages {

const std::vector<AlgorithmEntry>& algorithms() {
  static const std::vector<AlgorithmEntry> entries{
      {"dpo", "direct preference optimisation on labelled pairs", make_dpo},
      {"grpo", "group relative policy optimisation against a reward", make_grpo},
      {"kto", "Kahneman-Tversky optimisation on answers that are each good or bad", make_kto},
      {"online_dpo", "DPO on pairs that the policy draws and a reward or judge labels as it learns", make_online_dpo},
      {"ppo", "proximal policy optimisation against a reward", make_ppo},
      {"reinforce", "REINFORCE with a batch's or the greedy response's baseline against a reward", make_reinforce},
      {"rloo", "REINFORCE leave-one-out against a reward", make_rloo},
      {"sft", "supervised fine-tuning on demonstrations", make_sft, "finetune"},
  };
  return entries;
}

const AlgorithmEntry& algorithm_named(const std::string& key, const std::string& name) {
  return entry_named(algorithms(), "algorithm", key, name);
}

std::vector<std::shared_ptr<Algorithm>> bind_algorithms(OptionTable& table, const std::vector<ArmOptions>& arms) {
  std::vector<std::shared_ptr<Algorithm>> bound;
  for (const AlgorithmEntry& entry : algorithms()) {
    bound.push_back(entry.make());
    bound.back()->bind(table, entry.section);
    const bool is_used =
        std::any_of(arms.begin(), arms.end(), [&](const ArmOptions& arm) { return arm.algorithm == entry.name; });
    if (!is_used) table.list_only_where_set(entry.section);
  }
  return bound;
}

void bind_arm(OptionTable& table, ArmOptions& arm) {
  const std::string section = arm.section();
  const AlgorithmEntry& entry = algorithm_named(section + ".algorithm", arm.algorithm);
  arm.how = entry.make();
  arm.how->bind(table, section);
  table.put_over(section, entry.section, "algorithm = " + arm.algorithm);
  table.add_choice<std::string>(section + ".algorithm", &arm.algorithm, names_of(algorithms()),
                                "how it is made from what it starts from");
  table.add(section + ".judge", &arm.judge, "", "judge whose labels it learns from");
  table.add(
      section + ".start", &arm.start, "",
      "policy that it starts from and whose responses are labelled: sft or one before it; of a round, the last one");
  table
      .add(section + ".data", &arm.data, "",
           "what it learns from: NAME of a section [data.NAME]; empty: pairs by its start")
      .listed_where_set();
}

void check_data(const Study& study, const ArmOptions& arm) {
  const DataKind wanted = algorithm_of(arm).learns_from();
  const std::string key = arm.section() + ".data: algorithm = " + arm.algorithm + " learns from " + to_string(wanted);
  if (arm.data.empty()) {
    if (wanted == DataKind::demonstrations)
      throw usage_error(key + "; the name of a section [data.NAME] that holds some was expected");
    return;
  }
  const DataSet data = data_of(study, arm);
  if (data.kind != wanted) throw usage_error(key + ", and [data." + arm.data + "] holds " + to_string(data.kind));
}

const Algorithm& algorithm_of(const ArmOptions& arm) {
  RLAIF_CHECK(arm.how != nullptr, "an arm must be bound to its algorithm: " + arm.name);
  return *arm.how;
}

}  // namespace rlaif::stages
