// The plan of a study's stages while it is made. The stages that every study has take what they can be told from it,
// whoever asks for them: an algorithm that learns from a reward model adds one by plan_reward_model.
//   StudyPlan plan(options);  plan_sft(plan, study);  plan_evaluate(plan, study);  plan.stages();
#pragma once

#include "rlaif/run/layers.hpp"
#include "rlaif/run/stage.hpp"

namespace rlaif::stages {

struct StageOptions;  // stages/stages.hpp

class StudyPlan : public run::StagePlan {
 public:
  // `options` must outlive the stages.
  explicit StudyPlan(const StageOptions& options) : options_(&options) {}
  const StageOptions& options() const { return *options_; }

 private:
  const StageOptions* options_;
};

}  // namespace rlaif::stages
