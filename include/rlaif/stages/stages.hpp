// The stages of a study, each with its keys. Each plan function adds one to a plan, with all that is to be said about it; the stage itself is collective,
// reads and writes the run directory, and returns the facts for its done marker.
//   StagePlan plan;  plan_tokenizer(plan, study);  plan_sft(plan, study);  plan_evaluate(plan, study);
#pragma once

#include "rlaif/run/stage.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::stages {

void bind_tokenizer(OptionTable& table, TokenizerOptions& options);
// Trains a tokenizer on the world's text, or takes the deck's -> models/tokenizer.json
void plan_tokenizer(StagePlan& plan, const Study& study);

void bind_sft(OptionTable& table, SftOptions& options);
// The behaviour mixture and register texts, or demonstrations of a file -> models/sft
void plan_sft(StagePlan& plan, const Study& study);
// The same texts -> models/sft-reward, of the sizes in [reward_network]: what reward models of their own size start from
void plan_reward_network(StagePlan& plan, const Study& study);

void bind_judge_model(OptionTable& table, JudgeModel& model);
// Gold-labelled pairs of behaviours -> models/<name of the judge model>
void plan_judge_model(StagePlan& plan, const Study& study, const JudgeModel& model);

// How pairs are drawn, by the maker `pairs` (stages/maker.hpp).
void bind_annotate(OptionTable& table, AnnotateOptions& options);

void bind_agreement(OptionTable& table, AgreementOptions& options);
// Judges that arms learn from, people apart, against judge.min_agreement: by the yardstick on the held-out pairs, else by
// their calibration. The stage throws Error(input) for one below, unless the deck goes on all the same.
void plan_agreement(StagePlan& plan, const Study& study, const DataSet& pairs);
// Of a study without arms, its results: every judge against the yardstick on the held-out pairs.
void plan_judges(StagePlan& plan, const Study& study);

void bind_reward_model(OptionTable& table, RewardModelOptions& options);
// preferences/<labels> -> models/reward-<labels>, from the policy that the arm starts from (labels_of)
void plan_reward_model(StagePlan& plan, const Study& study, const ArmOptions& arm);

void bind_evaluate(OptionTable& table, EvaluateOptions& options);
// Samples of SFT (twice) and every arm on held-out prompts, with gold scores -> evaluation/*.jsonl; judges and reward
// models against gold on the held-out pairs. Facts: everything results.json says, timings aside.
void plan_evaluate(StagePlan& plan, const Study& study);

}  // namespace rlaif::stages
