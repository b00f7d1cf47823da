// The stages that every study has, each with its keys. Each plan function adds one to a plan, with all that is to be
// said about it; the stage itself is collective, reads and writes the run directory, and returns the facts for its done
// marker.
//   StudyPlan plan(options);  plan_tokenizer(plan, study);  plan_sft(plan, study);  plan_evaluate(plan, study);
#pragma once

#include <cstdint>
#include <vector>

#include "rlaif/stages/compare.hpp"
#include "rlaif/stages/judge_model.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/stages/rounds.hpp"
#include "rlaif/stages/sft.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/study.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::stages {

void bind_tokenizer(OptionTable& table, TokenizerOptions& options);
// Trains a tokenizer on the world's text, or takes the deck's -> models/tokenizer.json
void plan_tokenizer(StudyPlan& plan, const Study& study);

// How pairs are drawn, by the maker `pairs` (stages/maker.hpp).
void bind_annotate(OptionTable& table, AnnotateOptions& options);

// What a judge must come to before a reward model learns from it.
struct AgreementOptions {
  double least = 0.7;
  bool proceed = false;
};
void bind_agreement(OptionTable& table, AgreementOptions& options);
// Judges that arms learn from, people apart, against judge.min_agreement: by the yardstick on the held-out pairs, else
// by their calibration. The stage throws Error(input) for one below, unless the deck goes on all the same.
void plan_agreement(StudyPlan& plan, const Study& study, const DataSet& pairs);

// The keys of [reward] and [reward_network].
void bind_reward_model(OptionTable& table, RewardModelOptions& model, LabelUse& labels, train::RewardOptions& training);
// preferences/<labels> -> models/reward-<labels>, from the policy that the arm starts from (labels_of)
void plan_reward_model(StudyPlan& plan, const Study& study, const ArmOptions& arm);

struct EvaluateOptions {
  std::int64_t prompts = 500;
  int samples = 4;
  double temperature = 1.0;
  std::int64_t block = 25;
  int max_new_tokens = 40;
  int slots = 64;
  int resamples = 2000;
  bool specificity = false;
  int best_of_n = 0;  // responses of sft from which the curve of the best of n is told; 0: not told
};
void bind_evaluate(OptionTable& table, EvaluateOptions& options);
// Samples of SFT (twice) and every arm on held-out prompts, with gold scores -> evaluation/*.jsonl; judges and reward
// models against gold on the held-out pairs. Facts: everything results.json says, timings aside.
void plan_evaluate(StudyPlan& plan, const Study& study);
// Of a study without arms, its results: every judge against the yardstick on the held-out pairs.
void plan_judges(StudyPlan& plan, const Study& study);

// What these stages can be told beside what the study is. A stage is handed its own alone.
struct StageOptions {
  SftOptions sft;
  std::vector<JudgeModel> judge_models;
  AgreementOptions agreement;
  train::RewardOptions reward;
  EvaluateOptions evaluate;
  CompareOptions compare;
  RoundsOptions rounds;
};
// Before anything starts. Throws Error(usage) naming the keys.
void check_stages(const Study& study, const StageOptions& options);

}  // namespace rlaif::stages
