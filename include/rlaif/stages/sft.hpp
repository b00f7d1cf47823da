// Supervised fine-tuning of the first policy, and of what reward models of their own size start from.
//   plan_sft(plan, study);   // models/sft
#pragma once

#include "rlaif/stages/plan.hpp"
#include "rlaif/study/study.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::stages {

struct SftOptions {
  int epochs = 2;
  train::LanguageModelOptions training;  // steps are derived
};
// The keys of [sft]: what the first policy learns from, and how.
void bind_sft(OptionTable& table, FirstTexts& texts, SftOptions& options);

// The behaviour mixture and register texts, or demonstrations of a file -> models/sft
void plan_sft(StudyPlan& plan, const Study& study);
// The same texts -> models/sft-reward, of the sizes in [reward_network]: what reward models of their own size start
// from
void plan_reward_network(StudyPlan& plan, const Study& study);

}  // namespace rlaif::stages
