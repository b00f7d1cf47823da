// Judges that the study trains, of the closed world by gold or from labels of people: models/<name>.
//   JudgeModel model{"small"};  bind_judge_model(table, model);  plan_judge_model(plan, study, model);   // "judge-model-small"
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/stages/plan.hpp"
#include "rlaif/study/study.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::stages {

struct JudgeModelOptions {
  std::filesystem::path pairs;       // that people have labelled; empty: the world's, labelled by gold
  std::filesystem::path principles;  // of templates with a place for them, where people have labelled
  std::filesystem::path verdict_first_template, rationale_first_template;
  std::filesystem::path score_template, score_reasoned_template;
  double score_share = 0.0;  // of the texts that are judged: one response with its score
  double register_share = 0.15;
  double context_weight = 1.0, verdict_weight = 1.0;
  train::LanguageModelOptions training;
};

struct JudgeModel {
  std::string name;
  ModelOptions network = {};
  JudgeModelOptions training = {};
  // "judge-model" for the one named "judge", else "judge-model-<name>".
  std::string stage() const;
  std::string suffix() const;  // of its sections: "" or ".NAME"
};
void bind_judge_model(OptionTable& table, JudgeModel& model);
// What two of its keys must be to each other. Throws Error(usage) naming the keys.
void check_judge_model(const JudgeModel& model);

// Gold-labelled pairs of behaviours, or people's -> models/<name of the judge model>
void plan_judge_model(StudyPlan& plan, const Study& study, const JudgeModel& model);

}  // namespace rlaif::stages
