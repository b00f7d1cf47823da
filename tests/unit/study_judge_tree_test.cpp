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
StudyOptions some_study() {
  StudyOptions options;
  options.judges = {judge_of("ai", JudgeKind::cascade, {"panel", "dear"}), judge_of("people", JudgeKind::annotators)};
  options.members = {judge_of("panel", JudgeKind::ensemble, {"small", "rules"}), judge_of("small", JudgeKind::local),
                     judge_of("rules", JudgeKind::rules), judge_of("dear", JudgeKind::openai)};
  options.arms = {{"rlaif", "ai"}, {"again", "ai"}, {"rlhf", "people"}};
  return options;
}

std::string refusal(const StudyOptions& options) {
  try {
    check_judges(options);
    judges_in_use(options, first_pairs(options));
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
  const StudyOptions options = some_study();
  EXPECT_EQ(refusal(options), "");
  EXPECT_THAT(names(leaves_of(options, options.judge_named("ai"))), ElementsAre("small", "rules", "dear"));
  EXPECT_THAT(names(leaves_of(options, options.judge_named("people"))), ElementsAre("people"));
  EXPECT_THAT(names(judges_in_use(options, first_pairs(options))), ElementsAre("ai", "people"));
  EXPECT_TRUE(needs_language(options, options.judge_named("ai")));
  EXPECT_FALSE(needs_language(options, options.judge_named("dear")));
}

TEST(JudgeTree, AJudgeThatSeveralAskIsOneLeaf) {
  StudyOptions options = some_study();
  options.judges[0].members = {"small", "panel", "dear"};
  options.judges[0].thresholds = {0.8, 0.9};
  EXPECT_EQ(refusal(options), "");
  EXPECT_THAT(names(leaves_of(options, options.judges[0])), ElementsAre("small", "rules", "dear"));
}

TEST(JudgeTree, WrongTreesAreNamed) {
  StudyOptions options = some_study();
  options.members[0].members = {"small", "ai"};
  EXPECT_THAT(refusal(options), HasSubstr("judge.ai.members: a judge cannot be its own member: ai -> panel -> ai"));
  options.members[0].members = {"small", "pannel"};
  EXPECT_THAT(refusal(options),
              HasSubstr("judge.panel.members: unknown judge 'pannel'; the nearest known one is 'panel'"));
  options.members[0].members = {"panel", "small"};
  EXPECT_THAT(refusal(options), HasSubstr("ai -> panel -> panel"));
  options.members[0].members = {"small"};
  EXPECT_THAT(refusal(options), HasSubstr("two judges and more were expected, found 1"));
  options = some_study();
  options.arms[0].judge = "panel";
  EXPECT_THAT(refusal(options), HasSubstr("arm.rlaif.judge: 'panel' stands in study.members"));
  options = some_study();
  options.judges[0].thresholds = {0.8, 0.9};
  EXPECT_THAT(refusal(options),
              HasSubstr("judge.ai.thresholds: one for each member but the last was expected, 1 in all"));
}

TEST(JudgeTree, WhatCalibrationFoundGoesToTheMembers) {
  const fs::path file = fs::temp_directory_path() / ("rlaif-fitted-" + std::to_string(::getpid()) + ".json");
  judge::FittedJudges fitted;
  fitted.judges["panel"].temperature = 1.5;
  fitted.thresholds["ai"] = {0.85};
  fitted.save(file);

  StudyOptions options = some_study();
  options.judges[0].calibration = file;
  EXPECT_EQ(refusal(options), "");  // the last member's confidence is nobody's question
  const judge::FittedJudges read = calibration_of(options.judges[0]);
  const auto members = fitted_members(options.judges[0], read);
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].temperature, 1.5);
  EXPECT_EQ(members[1].temperature, 1.0);
  EXPECT_THAT(cascade_thresholds(options.judges[0], read), ElementsAre(0.8));  // the deck's come first
  options.judges[0].thresholds = {};
  EXPECT_THAT(cascade_thresholds(options.judges[0], read), ElementsAre(0.85));

  options.members[0].ensemble.vote = judge::Vote::weighted;
  EXPECT_THAT(refusal(options), HasSubstr("judge.panel.calibration: the votes weighted and dawid_skene"));
  options.members[0].calibration = file;
  EXPECT_THAT(refusal(options), HasSubstr("judge 'small' was not calibrated; the file holds panel"));
  options = some_study();
  options.judges[0].calibration = file;
  options.judges[0].length_correction = true;
  EXPECT_THAT(refusal(options), HasSubstr("judge 'ai' was not calibrated"));
  fs::remove(file);
}

}  // namespace
}  // namespace rlaif::study
