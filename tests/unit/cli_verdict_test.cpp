// Who may judge the policies of a study: judges that no arm has learned from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlaif/cli/deck.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/stages/study.hpp"

namespace rlaif::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Keys = std::map<std::string, std::string>;

// Arm one learns from people, two goes on from it and learns from ai; nobody learns from the referee.
std::unique_ptr<Resolved> resolved_with(const Keys& keys) {
  CommandLine line;
  line.command = "study";
  line.dry_run = true;
  line.keys = {{"study.arms", "one two"},          {"arm.one.judge", "people"},  {"arm.two.judge", "ai"},
               {"arm.two.start", "one"},           {"study.members", "referee"}, {"judge.referee.kind", "rules"},
               {"judge.referee.price", "ai-label"}};
  for (const auto& [key, text] : keys) line.keys[key] = text;
  return resolve({}, line);
}

std::string refused(const Keys& keys) {
  try {
    resolved_with(keys);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    return error.what();
  }
  return "";
}

std::vector<std::string> arms_that_know(const Keys& keys, const std::string& judge) {
  const auto deck = resolved_with(keys);
  std::vector<std::string> arms;
  for (const stages::LearnedFrom& one : stages::learned_from(deck->study, judge))
    arms.push_back(one.arm + " by " + one.key);
  return arms;
}

std::vector<std::string> stages_with(const Keys& keys) {
  const auto deck = resolved_with(keys);
  std::vector<std::string> names;
  for (const run::Stage& stage : stages::plan_stages(deck->study, deck->stages)) names.push_back(stage.name);
  return names;
}

TEST(Verdict, IsAStageOfStudiesThatNameWhoGivesIt) {
  EXPECT_THAT(stages_with({{"evaluate.by", "referee"}}), Contains("compare"));
  EXPECT_THAT(stages_with({}), Not(Contains("compare")));
}

TEST(Verdict, KeysAreListedWhereTheyAreSetSoThatOtherDecksStayWhatTheyWere) {
  EXPECT_THAT(resolved_with({})->deck.canonical(), Not(HasSubstr("evaluate.by")));
  EXPECT_THAT(resolved_with({{"evaluate.by", "referee"}})->deck.canonical(), HasSubstr("evaluate.by"));
}

TEST(Verdict, KnowsWhoAnArmHasLearnedFromThroughItsStart) {
  EXPECT_THAT(arms_that_know({}, "people"), ElementsAre("one by arm.one.judge", "two by arm.one.judge"));
  EXPECT_THAT(arms_that_know({}, "ai"), ElementsAre("two by arm.two.judge"));
  EXPECT_THAT(arms_that_know({}, "referee"), IsEmpty());
}

TEST(Verdict, KnowsWhoAnArmHasLearnedFromThroughItsData) {
  const Keys picked{{"data.picked.maker", "best_of_n"}, {"data.picked.judge", "people"}, {"arm.two.algorithm", "sft"},
                    {"arm.two.data", "picked"},         {"arm.two.start", "sft"},        {"arm.one.judge", "ai"}};
  EXPECT_THAT(arms_that_know(picked, "people"), ElementsAre("two by data.picked.judge"));
  // Demonstrations are the maker's alone: the arm's own judge is not asked.
  EXPECT_THAT(arms_that_know(picked, "ai"), ElementsAre("one by arm.one.judge"));
  Keys by_people = picked;
  by_people["evaluate.by"] = "people";
  EXPECT_THAT(refused(by_people), AllOf(HasSubstr("evaluate.by: judge 'people' is no stranger to arm 'two'"),
                                        HasSubstr("(data.picked.judge)")));
}

TEST(Verdict, KnowsMembersOfJudges) {
  const Keys panel{
      {"study.members", "referee panel"}, {"judge.panel.kind", "ensemble"}, {"judge.panel.members", "referee ai"}};
  EXPECT_THAT(arms_that_know(panel, "panel"), ElementsAre("two by arm.two.judge"));
}

TEST(Verdict, KnowsAModelByAnyName) {
  Keys renamed{{"judge.referee.kind", "local"}, {"judge.referee.model", "judge"}, {"judge.ai.model", "judge"}};
  EXPECT_THAT(arms_that_know(renamed, "referee"), ElementsAre("two by arm.two.judge"));
  renamed["study.judge_models"] = "judge second";
  renamed["judge.referee.model"] = "second";
  EXPECT_THAT(arms_that_know(renamed, "referee"), IsEmpty());
}

TEST(Verdict, ByWhoHasTaughtAnArmIsRefusedUnlessTheDeckSaysSo) {
  EXPECT_THAT(refused({{"evaluate.by", "referee people"}}),
              AllOf(HasSubstr("evaluate.by: judge 'people' is no stranger to arm 'one'"), HasSubstr("(arm.one.judge)"),
                    HasSubstr("evaluate.by_own_judges = true")));
  EXPECT_EQ(refused({{"evaluate.by", "referee people"}, {"evaluate.by_own_judges", "true"}}), "");
  EXPECT_EQ(refused({{"evaluate.by", "referee"}}), "");
}

TEST(Verdict, ByWhoCannotGiveOneIsRefused) {
  EXPECT_THAT(refused({{"evaluate.by", "refree"}}), HasSubstr("evaluate.by: unknown judge 'refree'"));
  EXPECT_THAT(refused({{"evaluate.by", "referee"}, {"evaluate.judged_samples", "5"}}),
              HasSubstr("evaluate.judged_samples: at most evaluate.samples (4) was expected, found 5"));
  EXPECT_THAT(refused({{"evaluate.by", "gold"}, {"study.members", "gold referee"}, {"judge.gold.kind", "rules"}}),
              HasSubstr("has the name of another yardstick"));
  EXPECT_THAT(refused({{"evaluate.pairs", "some"}}), HasSubstr("evaluate.pairs: 'some' was given, one of sft, all"));
}

}  // namespace
}  // namespace rlaif::cli
