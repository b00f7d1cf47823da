// What help says of commands, sections and keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "rlaif/cli/deck.hpp"
#include "rlaif/cli/help.hpp"
#include "rlaif/cli/key_help.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/study/judge_kinds.hpp"

namespace rlaif::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const KnownKey* known(const std::string& name) {
  for (const KnownKey& key : every_key()) {
    if (key.key() == name) return &key;
  }
  return nullptr;
}

std::string help_refusal(const std::string& word) {
  try {
    key_help(word);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(Help, EveryKeyOfAStudyIsAmongThoseOfAllKinds) {
  CommandLine line;
  line.command = "study";
  line.dry_run = true;
  line.keys = {{"study.judges", "ai asked"},      {"judge.asked.kind", "openai"}, {"judge.asked.model", "m"},
               {"judge.asked.price", "ai-label"}, {"study.arms", "one"},          {"arm.one.algorithm", "grpo"},
               {"data.taught.maker", "mixture"}};
  std::size_t of_names = 0;
  const auto resolved = resolve({}, line);
  for (const OptionTable::Entry& entry : resolved->table.entries()) {
    EXPECT_NE(key_help(entry.key), "") << entry.key;
    of_names += !known(entry.key);
  }
  EXPECT_GT(of_names, 60u);  // they are found by what stands in the place of NAME
}

TEST(Help, EverySectionHasASentenceAndEveryKeyAWholePhrase) {
  const std::set<std::string> begins_badly{"of", "that", "with", "over", "between", "without", "at", "by", "on"};
  for (const KnownKey& key : every_key()) {
    EXPECT_NE(section_about(key.section), "") << key.section;
    const std::string first = key.entry.meaning.substr(0, key.entry.meaning.find(' '));
    EXPECT_FALSE(begins_badly.contains(first)) << key.key() << ": " << key.entry.meaning;
    EXPECT_NE(key.entry.meaning.find(' '), std::string::npos) << key.key() << ": " << key.entry.meaning;
  }
}

TEST(Help, AKeySaysWhichKindsGiveASectionIt) {
  ASSERT_TRUE(known("judge.NAME.url"));
  EXPECT_THAT(known("judge.NAME.url")->where, ElementsAre("kind = openai", "kind = anthropic"));
  EXPECT_TRUE(known("judge.NAME.kind")->where.empty());
  EXPECT_EQ(known("judge.NAME.kind")->entry.default_text, "local");
  EXPECT_TRUE(known("run.seed")->where.empty());
  EXPECT_THAT(known("arm.NAME.kl_coefficient")->entry.base, EndsWith(".kl_coefficient"));
}

TEST(Help, AKeyIsFoundAsItStandsInDecksAndOnCommandLines) {
  const std::string text = key_help("judge.referee.url");
  EXPECT_THAT(text, AllOf(HasSubstr("judge.NAME.url\n"), HasSubstr("kind = openai or anthropic"),
                          HasSubstr("--judge.NAME.url=VALUE"), HasSubstr("decides   results")));
  EXPECT_EQ(key_help("--judge.x.url=http://localhost"), text);
  EXPECT_EQ(key_help("judge.*.url"), text);
  EXPECT_THAT(key_help("run.threads"), AllOf(HasSubstr("default   1"), HasSubstr("threads, at least 1")));
  EXPECT_THAT(key_help("run.watchdog_minutes"), HasSubstr("decides   no result"));
}

TEST(Help, ASectionListsItsKeysAndALastPartAllThatHaveIt) {
  EXPECT_THAT(key_help("[lora]"), AllOf(HasSubstr("[lora]  low-rank"), HasSubstr("\n  targets (")));
  EXPECT_THAT(key_help("judge"), AllOf(HasSubstr("[judge]"), HasSubstr("[judge.NAME]"), HasSubstr("{kind = rules}")));
  EXPECT_EQ(key_help("judge.ai").find("[judge]"), std::string::npos);
  EXPECT_THAT(key_help("kl_coefficient"), AllOf(HasSubstr("[ppo]"), HasSubstr("[grpo]"), Not(HasSubstr("[dpo]"))));
  EXPECT_EQ(key_help("cap_usd"), key_help("cost.cap_usd"));
}

TEST(Help, WhatIsUnknownNamesTheNearest) {
  EXPECT_THAT(help_refusal("ppo.stepz"), HasSubstr("the nearest known one is 'ppo.steps'"));
  EXPECT_THAT(help_refusal("kl_coeficient"), HasSubstr("the nearest known one is 'kl_coefficient'"));
  EXPECT_THAT(help_refusal("studdy"), HasSubstr("the nearest known one is 'study'"));
  EXPECT_THAT(help_refusal("judge.ai.urrl"), HasSubstr("judge.NAME.url"));
}

TEST(Help, FlagsThatUsageNamesAreDeclaredAndTheOtherWayRound) {
  for (const CommandHelp& command : command_helps()) {
    std::set<std::string> named;
    for (std::size_t at = 0; (at = command.usage.find("--", at)) != std::string::npos; at += 2) {
      const std::string name = command.usage.substr(at + 2, command.usage.find_first_of(" =]", at) - at - 2);
      if (name.find('.') == std::string::npos) named.insert(name);
    }
    for (const Flag& flag : command.flags) {
      const bool is_named = named.erase(flag.name) > 0 || flag.name == "dry-run";
      EXPECT_TRUE(is_named) << command.name << " --" << flag.name;
      EXPECT_NE(flag.meaning, "");
    }
    EXPECT_TRUE(named.empty()) << command.name << " --" << *named.begin();
  }
}

}  // namespace
}  // namespace rlaif::cli
