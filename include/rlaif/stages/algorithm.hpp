// Algorithms: how a policy is made from what it starts from and what it learns from. A new one is a class in a file of
// its own under src/stages/algorithms/ and a line in its registry.cpp; nothing else learns its name.
//   arm.how = algorithm_named("arm.rlaif.algorithm", "ppo").make();
//   arm.how->bind(table, "arm.rlaif");    // its keys, over those of [ppo]
//   arm.how->plan(plan, study, arm);      // adds the stage "ppo-rlaif"
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

class Algorithm {
 public:
  virtual ~Algorithm() = default;
  virtual DataKind learns_from() const = 0;
  // Registers its keys in a section, each bound to a field of this object.
  virtual void bind(OptionTable& table, const std::string& section) = 0;
  // Of the policy that it trains; rank 0: all weights.
  virtual LowRankOptions policy_adapter() const = 0;
  // Whether it learns from a reward model, which then stands in its arm's results.
  virtual bool trains_reward_model() const { return false; }
  // What the deck says of this arm that cannot be. Throws Error(usage) naming the key.
  virtual void check(const Study& study, const ArmOptions& arm) const = 0;
  // Adds the stages that make what it learns from, its data set apart: that one is there already.
  virtual void plan_before(StudyPlan& plan, const Study& study, const ArmOptions& arm) const = 0;
  // Adds the stage that makes models/<arm>.
  virtual void plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const = 0;
};

struct AlgorithmEntry {
  const char* name;   // arm.NAME.algorithm
  const char* about;  // for --help
  std::unique_ptr<Algorithm> (*make)();
  const char* section = name;  // of its keys, and the command that runs its stages alone
};
const std::vector<AlgorithmEntry>& algorithms();
// Throws Error(usage) naming `key` and the nearest name.
const AlgorithmEntry& algorithm_named(const std::string& key, const std::string& name);
// The keys of every algorithm, in the section of its name, bound to what is returned: those of what no arm uses are
// listed only where they are set.
std::vector<std::shared_ptr<Algorithm>> bind_algorithms(OptionTable& table, const std::vector<ArmOptions>& arms);
// The keys of [arm.NAME] or [round.NAME]: the arm's own, and those of its algorithm over its section.
void bind_arm(OptionTable& table, ArmOptions& arm);
// Throws Error(usage) naming the key where the algorithm does not learn from what the arm's data set holds.
void check_data(const Study& study, const ArmOptions& arm);
// The arm's, bound to its keys.
const Algorithm& algorithm_of(const ArmOptions& arm);

}  // namespace rlaif::stages
