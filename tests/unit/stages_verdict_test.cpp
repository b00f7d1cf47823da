// Numbers of the verdict from comparisons made by hand.
#include "../../src/stages/verdict/verdict_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace rlaif::stages {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

Study two_arms() {
  Study study;
  study.arms = {{"one", "ai"}, {"two", "ai"}};
  return study;
}

// One comparison a prompt of every pair of policies; b's response is first in every other one.
std::vector<Compared> of_prompts(const ComparedPolicies& policies, std::int64_t prompts) {
  std::vector<Compared> all;
  for (std::int64_t item = 0; item < prompts; ++item) {
    for (std::size_t m = 0; m < policies.matchups.size(); ++m) {
      Compared one;
      one.item = item;
      one.matchup = m;
      one.swapped = item % 2 == 1;
      one.comparison.id = static_cast<std::uint64_t>(10 * item) + m;
      one.comparison.prompt.text = "prompt " + std::to_string(item);
      one.comparison.first.text = one.swapped ? "b" : "a";
      one.comparison.second.text = one.swapped ? "a" : "b";
      one.yardstick = item == 0 ? nothing : 0.5;
      all.push_back(std::move(one));
    }
  }
  return all;
}

Preference said(const Compared& of, double p_first) {
  Preference record;
  record.comparison = of.comparison;
  record.verdict.status = VerdictStatus::ok;
  record.verdict.p_first = p_first;
  return record;
}

TEST(ComparedPolicies, MeetSftFirstAndEachOtherThen) {
  const ComparedPolicies all(two_arms(), ComparedPairs::all), sft(two_arms(), ComparedPairs::sft);
  std::vector<std::string> names;
  for (const Matchup& matchup : all.matchups) names.push_back(all.name(matchup));
  EXPECT_THAT(names, ::testing::ElementsAre("one_vs_sft", "two_vs_sft", "one_vs_two"));
  EXPECT_EQ(sft.matchups.size(), 2u);
}

TEST(ComparisonIds, TellPromptsPoliciesAndSamplesApart) {
  std::set<std::uint64_t> ids;
  for (const std::uint64_t prompt : {1u, 2u})
    for (const char* a : {"one", "two"})
      for (const char* b : {"sft", "one"})
        for (const std::uint32_t sample : {0u, 1u}) ids.insert(comparison_id(prompt, a, b, sample));
  EXPECT_EQ(ids.size(), 16u);
}

TEST(Columns, TurnVerdictsToWhoWroteWhatAndLeaveOutWhatWasNotSaid) {
  const ComparedPolicies policies(two_arms(), ComparedPairs::sft);
  const std::vector<Compared> compared = of_prompts(policies, 2);
  std::vector<Preference> records{said(compared[0], 0.9), said(compared[1], 0.2), said(compared[2], 0.9),
                                  said(compared[3], 0.1)};
  records[1].verdict.status = VerdictStatus::refused;
  records[3].comparison.first.text = "of another run";
  const YardstickColumn column = column_of("referee", compared, records);
  EXPECT_EQ(column.p_a[0], 0.9);
  EXPECT_TRUE(std::isnan(column.p_a[1]));
  EXPECT_DOUBLE_EQ(column.p_a[2], 0.1);  // b's response was the first
  EXPECT_TRUE(std::isnan(column.p_a[3]));
  EXPECT_TRUE(std::isnan(own_column("gold", compared).p_a[0]));
  EXPECT_EQ(own_column("gold", compared).p_a[2], 0.5);
}

TEST(VerdictFacts, AreWinsRatingsAndWhetherItIsDecided) {
  const ComparedPolicies policies(two_arms(), ComparedPairs::all);
  const std::vector<Compared> compared = of_prompts(policies, 12);
  VerdictColumns columns(compared);
  // one beats sft throughout, two is even with it; one and two were not compared.
  YardstickColumn column{"referee", {}};
  for (const Compared& each : compared)
    column.p_a.push_back(each.matchup == 0 ? 1.0 : each.matchup == 1 ? 0.5 : nothing);
  const Json facts = yardstick_facts(policies, columns, column, {1, 50, 0.05});
  const Json& one = facts["wins"]["one_vs_sft"];
  EXPECT_EQ(one["prompts"], 12);
  EXPECT_EQ(one["win_rate"]["value"], 1.0);
  EXPECT_EQ(one["length_controlled"]["value"], 1.0);
  EXPECT_EQ(one["named"]["value"], 1.0);
  EXPECT_TRUE(one["sequence"]["decided"].get<bool>());  // ten wins are enough at 5 %
  EXPECT_FALSE(facts["wins"]["two_vs_sft"]["sequence"]["decided"].get<bool>());
  EXPECT_EQ(facts["wins"]["one_vs_two"]["prompts"], 0);
  EXPECT_FALSE(facts["wins"]["one_vs_two"].contains("win_rate"));
  EXPECT_EQ(facts["ratings"]["sft"]["value"], 0.0);
  EXPECT_GT(facts["ratings"]["one"]["value"].get<double>(), facts["ratings"]["two"]["value"].get<double>());
}

TEST(VerdictFacts, TellSidesFromHowSureAJudgeIs) {
  const ComparedPolicies policies(two_arms(), ComparedPairs::sft);
  VerdictColumns columns(of_prompts(policies, 4));
  YardstickColumn column{"referee", {0.6, nothing, 0.6, nothing, 0.5, nothing, 0.1, nothing}};
  const Json facts = yardstick_facts(policies, columns, column, {1, 50});
  EXPECT_DOUBLE_EQ(facts["wins"]["one_vs_sft"]["win_rate"]["value"].get<double>(), 0.45);
  EXPECT_DOUBLE_EQ(facts["wins"]["one_vs_sft"]["named"]["value"].get<double>(), 0.625);
  EXPECT_FALSE(facts["wins"]["one_vs_sft"].contains("sequence"));
}

TEST(VerdictFacts, SayWhatTwoYardsticksAgreeOn) {
  const ComparedPolicies policies(two_arms(), ComparedPairs::sft);
  const std::vector<Compared> compared = of_prompts(policies, 2);
  VerdictColumns columns(compared);
  columns.yardsticks = {{"x", {0.9, 0.8, 0.1, 0.5}}, {"y", {0.6, 0.1, 0.2, 0.9}}, {"z", {0.5, nothing, 0.5, 0.5}}};
  const Json agreement = agreement_of_yardsticks(columns, {1, 50, 0.0});
  ASSERT_EQ(agreement.size(), 1u);  // z decided nothing
  EXPECT_EQ(agreement[0]["pairs"], 3);
  EXPECT_DOUBLE_EQ(agreement[0]["share"]["value"].get<double>(), 2.0 / 3);
}

}  // namespace
}  // namespace rlaif::stages
