// Algorithms: how a policy is made from what it starts from and what it learns from. A new one is a class in a file of its own
// under src/stages/algorithms/ and a line in its registry.cpp; nothing else learns its name.
//   const Algorithm& how = algorithm_named("arm.rlaif.algorithm", "ppo");
//   how.plan(plan, study, arm);   // adds the stage "ppo-rlaif"
#pragma once

#include <string>
#include <vector>

#include "rlaif/run/stage.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::stages {

// What an algorithm learns from, and what a maker of data makes.
enum class DataKind { preferences, demonstrations, prompts };
const char* to_string(DataKind kind);

class Algorithm {
 public:
  virtual ~Algorithm() = default;
  virtual DataKind learns_from() const = 0;
  // What the deck says of this arm that cannot be. Throws Error(usage) naming the key.
  virtual void check(const StudyOptions&, const ArmOptions&) const {}
  // Adds the stages that make what it learns from, pairs apart: these are there for every arm that has a judge.
  virtual void plan_before(StagePlan& plan, const Study& study, const ArmOptions& arm) const = 0;
  // Adds the stage that makes models/<arm>.
  virtual void plan(StagePlan& plan, const Study& study, const ArmOptions& arm) const = 0;
};

struct AlgorithmEntry {
  const char* name;   // arm.NAME.algorithm
  const char* about;  // for --help
  const Algorithm& (*get)();
};
const std::vector<AlgorithmEntry>& algorithms();
// Throws Error(usage) naming `key` and the nearest name.
const Algorithm& algorithm_named(const std::string& key, const std::string& name);

}  // namespace rlaif::stages
