#include "rlaif/study/judge_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "rlaif/core/error.hpp"

namespace rlaif::study {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

JudgeOptions judge_of(const std::string& name, JudgeKind kind, const std::vector<std::string>& members = {}) {
  JudgeOptions judge;
  judge.name = name;
  judge.kind = kind;
  judge.members = members;
  if (kind == JudgeKind::cascade) judge.thresholds = {0.8};
  return judge;
}

// ai: a cascade from a panel of two to a server; people label too.
Study some_study() {
  Study study;
  study.judges.labelling = {judge_of("ai", JudgeKind::cascade, {"panel", "dear"}),
                            judge_of("people", JudgeKind::annotators)};
  study.judges.members = {judge_of("panel", JudgeKind::ensemble, {"small", "rules"}),
                          judge_of("small", JudgeKind::local), judge_of("rules", JudgeKind::rules),
                          judge_of("dear", JudgeKind::openai)};
  study.arms = {{"rlaif", "ai"}, {"again", "ai"}, {"rlhf", "people"}};
  return study;
}

std::string refusal(const Study& study) {
  try {
    check_judges(study.judges);
    judges_in_use(study, first_pairs(study));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::vector<std::string> names(const std::vector<const JudgeOptions*>& judges) {
  std::vector<std::string> all;
  for (const JudgeOptions* judge : judges) all.push_back(judge->name);
  return all;
}

TEST(JudgeTree, AsksItsLeavesInTheOrderOfTheMembers) {
  const Study study = some_study();
  EXPECT_EQ(refusal(study), "");
  EXPECT_THAT(names(leaves_of(study.judges, study.judges.named("ai"))), ElementsAre("small", "rules", "dear"));
  EXPECT_THAT(names(leaves_of(study.judges, study.judges.named("people"))), ElementsAre("people"));
  EXPECT_THAT(names(judges_in_use(study, first_pairs(study))), ElementsAre("ai", "people"));
  EXPECT_TRUE(needs_language(study.judges, study.judges.named("ai")));
  EXPECT_FALSE(needs_language(study.judges, study.judges.named("dear")));
}

TEST(JudgeTree, AJudgeThatSeveralAskIsOneLeaf) {
  Study study = some_study();
  study.judges.labelling[0].members = {"small", "panel", "dear"};
  study.judges.labelling[0].thresholds = {0.8, 0.9};
  EXPECT_EQ(refusal(study), "");
  EXPECT_THAT(names(leaves_of(study.judges, study.judges.labelling[0])), ElementsAre("small", "rules", "dear"));
}

TEST(JudgeTree, ARewardModelTempersItselfOnce) {
  const fs::path file = fs::temp_directory_path() / ("rlaif_tempered_" + std::to_string(::getpid()) + ".json");
  judge::FittedJudges fitted;
  fitted.judges["rm"].temperature = 4.0;
  fitted.judges["rules"].temperature = 3.0;
  fitted.save(file);
  Study study = some_study();
  study.judges.members.push_back(judge_of("rm", JudgeKind::reward_model));
  JudgeOptions& rm = study.judges.members.back();
  rm.reward_model.folder = "none";
  EXPECT_EQ(score_temperature(rm), 1.0);
  EXPECT_FALSE(needs_language(study.judges, rm));
  rm.calibration = file;
  EXPECT_EQ(own_temperature(rm), 4.0);
  EXPECT_EQ(score_temperature(rm), 4.0);
  // Where an ensemble goes by members' temperatures of its own, what the member did already is taken off.
  judge::FittedJudges members = fitted;
  members.judges["rm"].temperature = 6.0;
  members = beside_own_temperatures(study.judges, members);
  EXPECT_EQ(members.at("rm").temperature, 1.5);
  EXPECT_EQ(members.at("rules").temperature, 3.0);
  rm.reward_model.temperature = 2.0;  // the deck's word is the scores' unit, which calibration has seen
  EXPECT_EQ(own_temperature(rm), 1.0);
  EXPECT_EQ(score_temperature(rm), 2.0);
  study.judges.members.back().name = "other";
  study.judges.members.back().reward_model.temperature = 0.0;
  EXPECT_THAT(refusal(study), HasSubstr("other"));
  fs::remove(file);
}

TEST(JudgeTree, ARewardModelNeedsAFolderOrAModel) {
  Study study = some_study();
  study.judges.members.push_back(judge_of("rm", JudgeKind::reward_model));
  EXPECT_THAT(refusal(study), HasSubstr("judge.rm.folder: the folder of a reward model was expected"));
  study.judges.members.back().reward_model.model = "reward-ai";
  EXPECT_EQ(refusal(study), "");
  EXPECT_THAT(local_models(study.judges, study.judges.named("rm")), ElementsAre("reward-ai"));
  study.judges.members.back().reward_model.folder = "none";
  EXPECT_THAT(refusal(study), HasSubstr("judge.rm.model: nothing was expected beside judge.rm.folder"));
}

TEST(JudgeTree, WrongTreesAreNamed) {
  Study study = some_study();
  study.judges.members[0].members = {"small", "ai"};
  EXPECT_THAT(refusal(study), HasSubstr("judge.ai.members: a judge cannot be its own member: ai -> panel -> ai"));
  study.judges.members[0].members = {"small", "pannel"};
  EXPECT_THAT(refusal(study),
              HasSubstr("judge.panel.members: unknown judge 'pannel'; the nearest known one is 'panel'"));
  study.judges.members[0].members = {"panel", "small"};
  EXPECT_THAT(refusal(study), HasSubstr("ai -> panel -> panel"));
  study.judges.members[0].members = {"small"};
  EXPECT_THAT(refusal(study), HasSubstr("two judges and more were expected, found 1"));
  study = some_study();
  study.arms[0].judge = "panel";
  EXPECT_THAT(refusal(study), HasSubstr("arm.rlaif.judge: 'panel' stands in study.members"));
  study = some_study();
  study.judges.labelling[0].thresholds = {0.8, 0.9};
  EXPECT_THAT(refusal(study),
              HasSubstr("judge.ai.thresholds: one for each member but the last was expected, 1 in all"));
}

TEST(JudgeTree, WhatCalibrationFoundGoesToTheMembers) {
  const fs::path file = fs::temp_directory_path() / ("rlaif-fitted-" + std::to_string(::getpid()) + ".json");
  judge::FittedJudges fitted;
  fitted.judges["panel"].temperature = 1.5;
  fitted.thresholds["ai"] = {0.85};
  fitted.save(file);

  Study study = some_study();
  study.judges.labelling[0].calibration = file;
  EXPECT_EQ(refusal(study), "");  // the last member's confidence is nobody's question
  const judge::FittedJudges read = calibration_of(study.judges.labelling[0]);
  const auto members = fitted_members(study.judges.labelling[0], read);
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].temperature, 1.5);
  EXPECT_EQ(members[1].temperature, 1.0);
  EXPECT_THAT(cascade_thresholds(study.judges.labelling[0], read), ElementsAre(0.8));  // the deck's come first
  study.judges.labelling[0].thresholds = {};
  EXPECT_THAT(cascade_thresholds(study.judges.labelling[0], read), ElementsAre(0.85));

  study.judges.members[0].ensemble.vote = judge::Vote::weighted;
  EXPECT_THAT(refusal(study), HasSubstr("judge.panel.calibration: the votes weighted and dawid_skene"));
  study.judges.members[0].calibration = file;
  EXPECT_THAT(refusal(study), HasSubstr("judge 'small' was not calibrated; the file holds panel"));
  study = some_study();
  study.judges.labelling[0].calibration = file;
  study.judges.labelling[0].length_correction = true;
  EXPECT_THAT(refusal(study), HasSubstr("judge 'ai' was not calibrated"));
  fs::remove(file);
}

}  // namespace
}  // namespace rlaif::study
