#include "verdict_people.hpp"

#include <algorithm>
#include <cmath>

#include "../verdict/verdict_facts.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/study/people_labels.hpp"

namespace rlaif::stages {
namespace {

std::vector<std::string> people_of(const RunDirectory& directory) {
  std::vector<std::string> names;
  const auto folder = directory.root() / "people";
  if (!std::filesystem::exists(folder)) return names;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    const std::string name = item.path().filename().string();
    if (is_plain_name(name) && preferences::read_manifest(item.path())) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Arms whose reward models learned from these people's labels of the pairs.
std::vector<std::string> taught_by(const Study& study, const std::string& name) {
  std::vector<std::string> taught;
  for (const ArmOptions& arm : study.arms)
    if (study.labels.people.name == name && algorithm_of(arm).trains_reward_model()) taught.push_back(arm.name);
  return taught;
}

Json label_facts_of(const std::vector<Preference>& labels, const YardstickColumn& column) {
  std::int64_t used = 0, ties = 0;
  double usd = 0.0;
  for (const double p : column.p_a) {
    used += !std::isnan(p);
    ties += p == 0.5;
  }
  for (const Preference& label : labels) usd += label.verdict.usage.cost_usd;
  return {{"asked", used},
          {"equal", 0},
          {"not_asked", static_cast<std::int64_t>(column.p_a.size()) - used},
          {"failed", Json::object()},
          {"ties", ties},
          {"cost_usd", std::round(usd * 1e6) / 1e6}};
}

}  // namespace

void add_people(const Context& context, Json& verdict) {
  const std::vector<std::string> people = people_of(context.directory);
  if (people.empty()) return;
  const bool meet_all = verdict["pairs"] == "all";
  const ComparedPolicies policies(context.study, meet_all ? ComparedPairs::all : ComparedPairs::sft);
  const EvaluationSamples samples(context, policies, verdict["judged_samples"].get<int>(), evaluation_draws(context));
  const std::vector<Compared> compared = samples.block(0, verdict["prompts"].get<std::int64_t>());
  const VerdictSettings settings{context.study.run.seed, verdict["resamples"].get<int>()};
  VerdictColumns columns(compared);
  for (const auto& [name, row] : verdict["yardsticks"].items()) {
    columns.yardsticks.push_back(
        row.contains("asked") ? column_of(name, compared, preferences::read_store(context.directory.comparisons(name)))
                              : own_column(name, compared));
  }
  for (const std::string& name : people) {
    const std::vector<Preference> labels = preferences::read_store(context.directory.people(name));
    columns.yardsticks.push_back(column_of(people_yardstick_prefix + name, compared, labels));
    Json row = label_facts_of(labels, columns.yardsticks.back());
    const auto of_others = static_cast<std::int64_t>(labels.size()) - row["asked"].get<std::int64_t>();
    if (of_others > 0)
      log::warning(context.directory.people(name).string() + ": " + std::to_string(of_others) +
                   " labels are of other responses than those of this run, and are left out");
    row["learned_by"] = taught_by(context.study, name);
    row.update(yardstick_facts(policies, columns, columns.yardsticks.back(), settings));
    verdict["yardsticks"][people_yardstick_prefix + name] = row;
  }
  verdict["agreement"] = agreement_of_yardsticks(columns, settings);
}

}  // namespace rlaif::stages
