// What arms learn from: sections [data.NAME], the makers that they name, and what cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlaif/cli/deck.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/stages/study.hpp"

namespace rlaif::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Keys = std::map<std::string, std::string>;

std::unique_ptr<Resolved> resolved(const Keys& keys) {
  CommandLine line;
  line.command = "study";
  line.dry_run = true;
  line.keys = {{"study.arms", "one two"}, {"arm.*.judge", "ai"}};
  for (const auto& [key, text] : keys) line.keys[key] = text;
  return resolve({}, line);
}

std::string data_refusal(const Keys& keys) {
  try {
    resolved(keys);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    return error.what();
  }
  return "";
}

std::vector<std::string> stages_of(const Keys& keys) {
  const auto deck = resolved(keys);
  std::vector<std::string> names;
  for (const run::Stage& stage : stages::plan_stages(deck->study, deck->stages)) names.push_back(stage.name);
  return names;
}

const Keys mixture{{"data.drill.maker", "mixture"}, {"arm.two.algorithm", "sft"}, {"arm.two.data", "drill"}};

Keys with(Keys keys, const Keys& more) {
  for (const auto& [key, text] : more) keys[key] = text;
  return keys;
}

TEST(DataSets, AreMadeBeforeTheArmsThatLearnFromThem) {
  EXPECT_THAT(stages_of(mixture), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "agreement", "reward-ai",
                                              "ppo-one", "data-drill", "finetune-two", "evaluate"));
  const Keys first{{"arm.one.algorithm", "sft"}, {"arm.one.data", "drill"}, {"arm.two.start", "one"}};
  EXPECT_THAT(stages_of(with(mixture, first)), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "data-drill",
                                                           "finetune-one", "finetune-two", "evaluate"));
}

TEST(DataSets, OfPairsAreLabelledByTheJudgeOfTheArmsThatShareThem) {
  const Keys pairs{{"data.own.maker", "pairs"}, {"arm.*.algorithm", "dpo"}, {"arm.*.data", "own"}};
  EXPECT_THAT(stages_of(pairs), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "annotate-own",
                                            "agreement-own", "dpo-one", "dpo-two", "evaluate"));
  EXPECT_THAT(data_refusal(with(pairs, {{"arm.two.judge", "people"}})),
              AllOf(HasSubstr("arm.one.judge"), HasSubstr("one judge labels")));
}

TEST(DataSets, OfAnArmThatComesLaterWaitForIt) {
  const Keys later{{"data.own.maker", "pairs"},  {"data.own.policy", "one"}, {"arm.one.algorithm", "dpo"},
                   {"arm.two.algorithm", "dpo"}, {"arm.two.data", "own"},    {"arm.two.start", "one"}};
  EXPECT_THAT(stages_of(later), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "agreement", "dpo-one",
                                            "annotate-own", "agreement-own", "dpo-two", "evaluate"));
  EXPECT_THAT(data_refusal(with(later, {{"data.own.policy", "two"}})),
              HasSubstr("data.own.policy: unknown policy 'two'"));
}

TEST(DataSets, ThatCannotBeAreRefusedByName) {
  EXPECT_THAT(data_refusal({{"data.x.file", "a.jsonl"}}), HasSubstr("data.x.maker: unknown maker ''"));
  EXPECT_THAT(data_refusal({{"data.x.maker", "pears"}}),
              AllOf(HasSubstr("data.x.maker: unknown maker 'pears'"), HasSubstr("'pairs'")));
  EXPECT_THAT(data_refusal({{"data.x.maker", "file"}}),
              HasSubstr("data.x.file: a file of demonstrations was expected"));
  EXPECT_THAT(data_refusal(with(mixture, {{"data.drill.policy", "sft"}})),
              HasSubstr("data.drill.policy: [data.drill] has maker = mixture"));
  EXPECT_THAT(data_refusal(with(mixture, {{"arm.two.data", "dril"}})),
              AllOf(HasSubstr("arm.two.data: unknown data set 'dril'"), HasSubstr("'drill'")));
  EXPECT_THAT(data_refusal({{"arm.two.algorithm", "sft"}}),
              HasSubstr("arm.two.data: algorithm = sft learns from demonstrations"));
  EXPECT_THAT(data_refusal(with(mixture, {{"arm.two.algorithm", "dpo"}})),
              HasSubstr("algorithm = dpo learns from preferences, and [data.drill] holds demonstrations"));
  EXPECT_THAT(data_refusal({{"data.ai.maker", "mixture"}}), HasSubstr("data.ai: a judge has this name too"));
  EXPECT_THAT(data_refusal({{"data.one.maker", "mixture"}}), HasSubstr("data.one: an arm has this name too"));
}

TEST(Arms, WithACommentGluedToTheNameOfTheirAlgorithmAreToldHowOneBegins) {
  EXPECT_THAT(data_refusal({{"arm.one.algorithm", "dpo #why"}}),
              AllOf(HasSubstr("arm.one.algorithm: 'dpo #why' was given"), HasSubstr("'#' between white space")));
}

TEST(Options, ListsAreReadOnceAndNameNothingTwice) {
  const auto deck = resolved({{"lora.targets", " q_proj  v_proj"}, {"calibrate.judges", "people ai"}});
  EXPECT_THAT(deck->study.lora.targets, ElementsAre("q_proj", "v_proj"));
  EXPECT_THAT(deck->calibrate.judges, ElementsAre("people", "ai"));
  EXPECT_THAT(data_refusal({{"calibrate.judges", "ai ai"}}), HasSubstr("calibrate.judges: 'ai' stands twice"));
}

TEST(Arms, ThatStartFromThemselvesOrLaterOnesOrShareANameAreRefused) {
  EXPECT_THAT(data_refusal({{"arm.one.start", "one"}}), HasSubstr("arm.one.start: unknown policy 'one'"));
  EXPECT_THAT(data_refusal({{"arm.one.start", "two"}}), HasSubstr("sft or an arm before this one was expected"));
  EXPECT_THAT(data_refusal({{"study.arms", "one one"}}), HasSubstr("each name once was expected"));
}

}  // namespace
}  // namespace rlaif::cli
