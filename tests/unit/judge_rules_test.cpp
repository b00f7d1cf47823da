#include "rlaif/judge/kinds/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/text/words.hpp"

namespace rlaif::judge {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "rlaif-rules-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  RuleBook load(const std::string& text) {
    write_file_atomic(folder_ / "rules.json", text);
    return RuleBook::load(folder_ / "rules.json");
  }
  // One rule with weight 1: its kind and other keys, as in R"("max_words", "limit": 3)".
  RuleBook one(const std::string& kind_and_keys) {
    return load(R"({"name": "one", "rules": [{"weight": 1, "rule": )" + kind_and_keys + "}]}");
  }
  bool keeps(const std::string& kind_and_keys, const std::string& response, const std::string& question = "?",
             bool ended = true) {
    return one(kind_and_keys).score(question, response, ended).all_kept;
  }
  std::string complaint(const std::string& text) {
    try {
      load(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), HasSubstr("rules.json"));
      return error.what();
    }
    return "no complaint";
  }
  std::string complaint_of_rule(const std::string& rule) {
    return complaint(R"({"name": "x", "rules": [{"rule": "complete", "weight": 1}, )" + rule + "]}");
  }

  std::filesystem::path folder_;
};

TEST_F(RulesTest, CountsHaveInclusiveLimits) {
  EXPECT_TRUE(keeps(R"("max_words", "limit": 3)", "Keep it well-aired."));
  EXPECT_FALSE(keeps(R"("max_words", "limit": 3)", "Keep it well aired."));
  EXPECT_FALSE(keeps(R"("min_words", "limit": 3)", "Keep it."));
  EXPECT_TRUE(keeps(R"("min_words", "limit": 3)", "Keep it cool."));
  EXPECT_TRUE(keeps(R"("max_sentences", "limit": 1)", "Use 3.5 cups, e.g. of rice."));
  EXPECT_FALSE(keeps(R"("max_sentences", "limit": 1)", "Use rice. Boil it"));
  EXPECT_FALSE(keeps(R"("min_sentences", "limit": 2)", "Use rice."));
  EXPECT_TRUE(keeps(R"("max_characters", "limit": 4)", "été!"));
  EXPECT_FALSE(keeps(R"("max_characters", "limit": 3)", "été!"));
  EXPECT_TRUE(keeps(R"("min_characters", "limit": 4)", "été!"));
  const std::string one_or_two = R"("sentences_between", "low": 1, "high": 2)";
  EXPECT_FALSE(keeps(one_or_two, ""));
  EXPECT_TRUE(keeps(one_or_two, "Wash it."));
  EXPECT_TRUE(keeps(one_or_two, "Wash it. Dry it."));
  EXPECT_FALSE(keeps(one_or_two, "Wash it. Dry it. Fold"));
  EXPECT_TRUE(keeps(R"("words_between", "low": 2, "high": 2)", "two words"));
  EXPECT_FALSE(keeps(R"("characters_between", "low": 2, "high": 3)", "four"));
}

TEST_F(RulesTest, CompleteNeedsTheEndTokenAndAClosingMark) {
  const std::string rule = R"("complete")";
  EXPECT_TRUE(keeps(rule, "Keep it dry."));
  EXPECT_TRUE(keeps(rule, "He said \"keep it dry.\"\n"));
  EXPECT_TRUE(keeps(rule, "(Keep it dry!)"));
  EXPECT_TRUE(keeps(rule, "\u201CIs it dry?\u201D "));
  EXPECT_TRUE(keeps(rule, "乾かす。"));
  EXPECT_FALSE(keeps(rule, "Keep it dry.", "?", false));
  EXPECT_FALSE(keeps(rule, "Keep it dry"));
  EXPECT_FALSE(keeps(rule, "Keep it dry:"));
  EXPECT_FALSE(keeps(rule, "Keep it dry..."));
  EXPECT_FALSE(keeps(rule, "Keep it dry\u2026"));
  EXPECT_FALSE(keeps(rule, "Keep it dry. \U0001F600"));
  EXPECT_FALSE(keeps(rule, "."));
  EXPECT_FALSE(keeps(rule, ""));
}

TEST_F(RulesTest, RepetitionIsASentenceOrSoManyWordsTwice) {
  const std::string rule = R"("no_repetition")";
  EXPECT_TRUE(keeps(rule, "Keep the bread in a box and the cheese in a bag."));
  EXPECT_FALSE(keeps(rule, "Keep it in a box, or, keep IT in-a box; keep it in a box."));
  EXPECT_FALSE(keeps(rule, "Put it in the box, then put it in the bag."));
  EXPECT_TRUE(keeps(R"("no_repetition", "n": 5)", "Put it in the box, then put it in the bag."));
  EXPECT_FALSE(keeps(rule, "Wash it. Dry it. Wash it!"));
  EXPECT_FALSE(keeps(rule, "yes yes yes yes yes"));
  EXPECT_TRUE(keeps(rule, "yes yes yes yes"));
  EXPECT_FALSE(keeps(R"("no_repetition", "n": 1)", "the cat and the dog"));
  EXPECT_TRUE(keeps(rule, ""));
}

TEST_F(RulesTest, OpenersAreMatchedAsWholeWords) {
  const std::string rule = R"("no_banned_opener", "openers": ["Sure", "Of course", "That's a great question"])";
  EXPECT_FALSE(keeps(rule, "Sure! Keep it dry."));
  EXPECT_FALSE(keeps(rule, "  \"sure, keep it dry\""));
  EXPECT_FALSE(keeps(rule, "OF COURSE."));
  EXPECT_FALSE(keeps(rule, "That\u2019s a great question, friend."));
  EXPECT_TRUE(keeps(rule, "Surely it is dry."));
  EXPECT_TRUE(keeps(rule, "Sure-fire ways exist."));
  EXPECT_TRUE(keeps(rule, "Of coursework there is none."));
  EXPECT_TRUE(keeps(rule, "Of"));
  EXPECT_TRUE(keeps(rule, "To be sure, keep it dry."));
  EXPECT_TRUE(keeps(rule, ""));
}

TEST_F(RulesTest, RequiredAndBannedWordsArePhrasesOfWholeWords) {
  EXPECT_TRUE(keeps(R"("required_words", "words": ["salt", "black pepper"])", "Add black Pepper."));
  EXPECT_FALSE(keeps(R"("required_words", "words": ["salt", "black pepper"])", "Add salty pepper, black."));
  EXPECT_FALSE(keeps(R"("required_words", "match": "all", "words": ["salt", "pepper"])", "Add salt."));
  EXPECT_TRUE(keeps(R"("required_words", "match": "all", "words": ["salt", "pepper"])", "Add pepper, salt."));
  EXPECT_FALSE(keeps(R"("required_words", "words": ["salt"])", ""));
  EXPECT_FALSE(keeps(R"("no_banned_words", "words": ["as an AI"])", "I cannot taste as an ai."));
  EXPECT_TRUE(keeps(R"("no_banned_words", "words": ["as an AI"])", "As an aid, taste it."));
  EXPECT_TRUE(keeps(R"("no_banned_words", "words": ["x"])", ""));
}

TEST_F(RulesTest, ContentStemsOfTheQuestionAreLookedForInTheAnswer) {
  const std::string rule = R"("shares_content_stem")", question = "How do I keep loaves of bread from freezing?";
  EXPECT_TRUE(keeps(rule, "Frozen food thaws slowly.", question));
  EXPECT_TRUE(keeps(rule, "A loaf lasts.", question));
  EXPECT_FALSE(keeps(rule, "Keep it in a box, I think.", question));
  EXPECT_FALSE(keeps(rule, "", question));
  EXPECT_TRUE(keeps(R"("shares_content_stem", "at_least": 2)", "Bread freezes.", question));
  EXPECT_FALSE(keeps(R"("shares_content_stem", "at_least": 2)", "Bread, bread.", question));
  EXPECT_TRUE(keeps(R"("shares_content_stem", "at_least": 9)", "Freeze a loaf of bread.", question));
  EXPECT_TRUE(keeps(rule, "Fine, thanks.", "How are you?"));
  EXPECT_FALSE(keeps(rule, "", "How are you?"));
}

TEST_F(RulesTest, PlainTextHasNoMarksOfFormats) {
  const std::string rule = R"("plain_text")";
  for (const char* plain :
       {"", "Mix 5 * 3 * 2 cups - or so - at 20 \u00B0C.", "It is #1, 2 < 3 > 1, in 1999. Well\nthen",
        "Use A/B, (C) and \"D\"; e.g. 'E' & F \U0001F600", "In 3.5 h.\tIt took\r\n42.", "snake_case a*b*c <3"})
    EXPECT_TRUE(keeps(rule, plain)) << plain;
  for (const char* marked : {"# Heading",
                             "text\n## Heading",
                             "- item",
                             "  * item",
                             "+ item",
                             "\u2022 item",
                             "1. item",
                             "so:\n2) item",
                             "> said",
                             "| a | b |",
                             "**bold**",
                             "*slanted* text",
                             "a __b__ c",
                             "~~no~~",
                             "`code`",
                             "[a](b)",
                             "see https://a.b",
                             "see www.a.b",
                             "<b>x</b>",
                             "x<br>",
                             "end<|im_end|>",
                             "a\x01",
                             "a\x1B[0m",
                             "a\x7F",
                             "\u202Eabc",
                             "a\xFF",
                             "---\n"})
    EXPECT_FALSE(keeps(rule, marked)) << marked;
}

TEST_F(RulesTest, ScoreIsTheSumOfTheWeightsKept) {
  const RuleBook book = load(R"({"name": "two", "scale": 2, "rules": [
    {"rule": "max_words", "limit": 3, "weight": 0.5}, {"rule": "max_words", "limit": 5, "weight": 2, "name": "five"},
    {"rule": "complete", "weight": 4}]})");
  EXPECT_EQ(book.name(), "two");
  EXPECT_EQ(book.size(), 3u);
  EXPECT_THAT(book.names(), ElementsAre("max_words", "five", "complete"));
  EXPECT_THAT(book.weights(), ElementsAre(0.5, 2.0, 4.0));
  EXPECT_EQ(book.total_weight(), 6.5);
  EXPECT_EQ(book.scale(), 2.0);
  const RuleScores scores = book.score("?", "These are four words", true);
  EXPECT_THAT(scores.kept, ElementsAre(false, true, false));
  EXPECT_EQ(scores.score, 2.0);
  EXPECT_FALSE(scores.all_kept);
  EXPECT_EQ(book.score("?", "Two words.", true).score, 6.5);
  EXPECT_TRUE(book.score("?", "Two words.", true).all_kept);
}

TEST_F(RulesTest, VeryLongAnswersAreReadInOneGo) {
  const RuleBook book = RuleBook::load(inputs / "rules_brief.json");
  std::string numbers, dots, stars, initials;
  for (int i = 0; i < 60000; ++i) {
    numbers += std::to_string(i) + " ";
    dots += "a. . ";
    stars += " *x <y ";
    initials += "A. ";
  }
  EXPECT_TRUE(book.score("?", numbers, true).kept[4]);
  EXPECT_FALSE(book.score("?", numbers + "1 2 3 4", true).kept[4]);
  for (const std::string& text :
       {dots, stars, initials, std::string(300000, '.'), std::string(300000, '\n'), std::string(300000, '*')})
    EXPECT_FALSE(book.score("Why?", text, true).all_kept);
}

TEST_F(RulesTest, JudgePrefersByTheSigmoidOfTheScoreDifference) {
  const std::string text = R"({"name": "x", "scale": 2, "rules": [{"rule": "max_words", "limit": 3, "weight": 1},
    {"rule": "complete", "weight": 2, "name": "whole"}, {"rule": "min_words", "limit": 2, "weight": 3}]})";
  cost::Price price;
  price.per_label_usd = 0.25;
  const auto judge = make_rules_judge("rules", load(text), price);
  EXPECT_EQ(judge->name(), "rules");
  std::vector<Comparison> pairs = {comparison(0, "?", "Two words.", "Two words"),
                                   comparison(1, "?", "One.", "These are four words"),
                                   comparison(2, "?", "Two words.", "Other words."), comparison(3, "?", "", "")};
  pairs.push_back(pairs[0]);
  pairs[4].first.ended = false;
  const std::vector<Verdict> verdicts = judge->judge(pairs);
  // Scores: 6 and 4; 3 and 3 (two ways); 6 and 6; 1 and 1; 4 and 4.
  const double expected[] = {1.0 / (1.0 + std::exp(-1.0)), 0.5, 0.5, 0.5, 0.5};
  const char* rationales[] = {"only first keeps: whole",
                              "only first keeps: max_words, whole; only second keeps: min_words", "", "", ""};
  ASSERT_EQ(verdicts.size(), pairs.size());
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_EQ(verdicts[i].status, VerdictStatus::ok);
    EXPECT_NEAR(verdicts[i].p_first, expected[i], 1e-15) << i;
    EXPECT_EQ(verdicts[i].p_first_by_order[0], verdicts[i].p_first);
    EXPECT_EQ(verdicts[i].p_first_by_order[1], verdicts[i].p_first);
    EXPECT_EQ(verdicts[i].rationale, rationales[i]);
    EXPECT_EQ(verdicts[i].usage.input_tokens + verdicts[i].usage.output_tokens, 0);
    EXPECT_EQ(verdicts[i].usage.cost_usd, 0.25);
    EXPECT_FALSE(same_position_in_both_orders(verdicts[i]));
  }
}

TEST_F(RulesTest, JudgeTurnsAboutWhenThePairDoes) {
  const auto judge = make_rules_judge("rules", RuleBook::load(inputs / "rules_brief.json"), {});
  const auto one =
      comparison(0, "How do I dry socks?", "Hang wet socks in the sun or near a fan.", "Sure, **hang** them");
  const auto other = comparison(0, one.prompt.text, one.second.text, one.first.text);
  const double p = judge->judge(std::vector{one})[0].p_first, q = judge->judge(std::vector{other})[0].p_first;
  EXPECT_NEAR(p + q, 1.0, 1e-15);
  // The second keeps length, one sentence, no repetition: 3 of 10.
  EXPECT_NEAR(p, 1.0 / (1.0 + std::exp(-7.0)), 1e-12);
}

TEST_F(RulesTest, TheBriefBookScoresAnswersAsItsTableSays) {
  const RuleBook book = RuleBook::load(inputs / "rules_brief.json");
  EXPECT_EQ(book.total_weight(), 10.0);
  EXPECT_EQ(book.scale(), 1.0);
  const std::string question = "How do I keep bread fresh?";
  const auto score = [&](const std::string& answer, bool ended = true) {
    return book.score(question, answer, ended).score;
  };
  EXPECT_EQ(score("Store bread in a paper bag at room temperature and eat it within a few days."), 10.0);
  EXPECT_EQ(score("Store it in a paper bag at room temperature and eat it soon."), 8.0);  // no stem
  EXPECT_EQ(score("Store bread in a paper bag at room temperature, and", false), 8.0);    // cut off
  EXPECT_EQ(score("Sure! Store bread in a paper bag. Keep it cool. Eat it soon."), 8.0);  // opener, four sentences
  EXPECT_EQ(score("Bread box."), 9.0);                                                    // two words
  EXPECT_EQ(score("Here are tips:\n1. **Store** bread in a bag\n2. Freeze it in small bags", false), 5.0);
  EXPECT_EQ(score(""), 4.0);  // what forbids is kept by silence: length, repetition, opener, plain text
}

TEST_F(RulesTest, FilesOfQuestionsAreApart) {
  const auto train = records::read_prompts(inputs / "everyday_train.jsonl"),
             heldout = records::read_prompts(inputs / "everyday_heldout.jsonl");
  EXPECT_GE(train.size(), 260u);
  EXPECT_GE(heldout.size(), 80u);
  std::set<std::uint64_t> ids;
  std::set<std::vector<std::string>> texts;
  for (const auto* prompts : {&train, &heldout}) {
    for (const Prompt& prompt : *prompts) {
      EXPECT_TRUE(ids.insert(prompt.id).second) << prompt.id;
      EXPECT_TRUE(texts.insert(text::words(prompt.text)).second) << prompt.text;
      EXPECT_FALSE(prompt.family.empty()) << prompt.text;
      EXPECT_FALSE(text::content_stems(prompt.text).empty()) << prompt.text;
      EXPECT_EQ(text::sentences(prompt.text).size(), 1u) << prompt.text;
    }
  }
}

TEST_F(RulesTest, UnknownNamesAreRefusedWithTheNearestKnownOne) {
  EXPECT_THAT(complaint(R"({"name": "x", "rulez": []})"),
              HasSubstr("unknown key 'rulez'; the nearest known one is 'rules'"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "max_word", "weight": 1})"),
              HasSubstr("'rules[1].rule': unknown rule 'max_word'; the nearest known one is 'max_words'"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "max_words", "weight": 1, "limt": 3})"),
              HasSubstr("unknown key 'rules[1].limt'; the nearest known one is 'rules[1].limit'"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "plain_text", "weight": 1, "limit": 3})"),
              HasSubstr("unknown key 'rules[1].limit'"));
}

TEST_F(RulesTest, WhatIsMissingOrOfTheWrongKindIsRefused) {
  EXPECT_THAT(complaint("[]"), HasSubstr("holds an empty list; expected an object"));
  EXPECT_THAT(complaint(R"({"rules": []})"), HasSubstr("key 'name' is missing"));
  EXPECT_THAT(complaint(R"({"name": "x"})"), HasSubstr("key 'rules' is missing"));
  EXPECT_THAT(complaint(R"({"name": "x", "rules": []})"),
              HasSubstr("'rules' is an empty list; expected a list that is not empty"));
  EXPECT_THAT(complaint(R"({"name": "x", "scale": 0, "rules": [{"rule": "complete", "weight": 1}]})"),
              HasSubstr("'scale' is 0; expected a number above 0"));
  EXPECT_THAT(complaint(R"({"name": "x", "scale": 1e-300, "rules": [{"rule": "complete", "weight": 1e300}]})"),
              HasSubstr("no finite number"));
  EXPECT_THAT(complaint("{\n\"name\": \"x\",\n\"rules\": [}\n"),
              AllOf(HasSubstr("rules.json:3"), HasSubstr("not valid JSON")));
  EXPECT_THAT(complaint(R"({"name": "x", "name": "y"})"), HasSubstr("\"name\" stands twice"));
  EXPECT_THAT(complaint_of_rule("7"), HasSubstr("'rules[1]' is 7; expected an object"));
  EXPECT_THAT(complaint_of_rule(R"({"weight": 1})"), HasSubstr("'rules[1].rule' is missing"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "plain_text"})"), HasSubstr("'rules[1].weight' is missing"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "plain_text", "weight": "1"})"),
              HasSubstr("'rules[1].weight' is \"1\"; expected a number above 0"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "plain_text", "weight": -1})"), HasSubstr("'rules[1].weight' is -1"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "complete", "weight": 1})"),
              HasSubstr("'rules[1]': the name 'complete' is that of rules[0]"));
}

TEST_F(RulesTest, ParametersOutOfRangeAreRefused) {
  EXPECT_THAT(complaint_of_rule(R"({"rule": "max_words", "weight": 1})"),
              HasSubstr("'rules[1].limit' is missing; expected a whole number from 1"));
  for (const char* limit : {"0", "-3", "2.5", "\"3\"", "1000001", "null", "1e300"}) {
    EXPECT_THAT(complaint_of_rule(R"({"rule": "max_words", "weight": 1, "limit": )" + std::string(limit) + "}"),
                HasSubstr("'rules[1].limit' is"));
  }
  EXPECT_THAT(complaint_of_rule(R"({"rule": "words_between", "weight": 1, "low": 3, "high": 2})"),
              HasSubstr("'rules[1].high' is 2; expected a whole number from 3"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "no_repetition", "weight": 1, "n": 0})"), HasSubstr("'rules[1].n' is 0"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "no_banned_opener", "weight": 1, "openers": "Sure"})"),
              HasSubstr("'rules[1].openers' is \"Sure\"; expected a list"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "no_banned_opener", "weight": 1, "openers": []})"),
              HasSubstr("'rules[1].openers' is an empty list"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "no_banned_opener", "weight": 1, "openers": ["Sure", "!"]})"),
              HasSubstr("'rules[1].openers[1]' is \"!\"; expected a text with a word"));
  EXPECT_THAT(complaint_of_rule(R"({"rule": "required_words", "weight": 1, "words": ["a"], "match": "some"})"),
              HasSubstr("'rules[1].match' is \"some\"; expected \"any\" or \"all\""));
  EXPECT_THROW(RuleBook::load(folder_ / "absent.json"), Error);
}

}  // namespace
}  // namespace rlaif::judge
