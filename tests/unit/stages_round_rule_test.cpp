#include "../../src/stages/rounds/rule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rlaif::stages {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
using Answers = std::vector<std::pair<std::string, std::string>>;

TEST(RoundRuleTest, AnotherRoundFollowsAGainThatTheIntervalShows) {
  EXPECT_EQ(outcome_of({0.56, 0.51, 0.61}, 0.1, 0.5), RoundOutcome::gained);
  EXPECT_EQ(outcome_of({0.55, 0.50, 0.60}, 0.1, 0.5), RoundOutcome::nothing_shown);
  EXPECT_EQ(outcome_of({0.53, 0.48, 0.58}, 0.1, 0.5), RoundOutcome::nothing_shown);
  EXPECT_EQ(outcome_of({0.50, 0.45, 0.50}, 0.1, 0.5), RoundOutcome::nothing_shown);
  EXPECT_EQ(outcome_of({0.44, 0.40, 0.49}, 0.1, 0.5), RoundOutcome::lost);
  EXPECT_EQ(outcome_of({unknown, unknown, unknown}, 0.1, 0.5), RoundOutcome::nothing_shown);
  EXPECT_FALSE(ends_rounds(RoundOutcome::gained));
  for (const RoundOutcome outcome : {RoundOutcome::nothing_shown, RoundOutcome::lost, RoundOutcome::collapsed})
    EXPECT_TRUE(ends_rounds(outcome));
}

// A judge may like the one text.
TEST(RoundRuleTest, ACollapseIsNoGain) {
  EXPECT_EQ(outcome_of({0.9, 0.85, 0.95}, 0.5, 0.5), RoundOutcome::collapsed);
  EXPECT_EQ(outcome_of({0.9, 0.85, 0.95}, 0.49, 0.5), RoundOutcome::gained);
}

TEST(CommonestTextTest, CountsEachPromptOnce) {
  const Answers answers{{"a", "no"}, {"b", "no"}, {"c", "yes"}, {"d", "maybe"}, {"c", "yes"}, {"c", "yes"}};
  const CommonestText found = commonest_text(answers);
  EXPECT_EQ(found.text, "no");
  EXPECT_EQ(found.share, 0.5);
  EXPECT_EQ(commonest_text(Answers{{"a", "y"}, {"b", "x"}}).text, "x");
  EXPECT_EQ(commonest_text(Answers{}).share, 0.0);
}

// Four pairs of four prompts: p .9 .6 .2, one without verdict; the yardstick says 1, .5, 1, 1.
TEST(JudgeMeasuresTest, AreMeansOverWhatIsKnown) {
  const std::vector<RoundVerdict> verdicts{
      {"a", 0.9, 1.0, 3.0, 0}, {"b", 0.6, 0.5, -2.0, 1}, {"c", 0.2, 1.0, 0.0, -1}, {"d", unknown, 1.0, 5.0, -1}};
  const Json measures = judge_measures(verdicts, 1, 50);
  EXPECT_EQ(measures["verdicts"], 3);
  EXPECT_EQ(measures["failed"], 1);
  EXPECT_NEAR(measures["agreement"].get<double>(), 0.5, 1e-12);           // a right, c wrong; b is a tie
  EXPECT_NEAR(measures["same_position_rate"].get<double>(), 0.5, 1e-12);  // of a and b
  EXPECT_NEAR(measures["longer_preferred"].get<double>(), 0.5, 1e-12);    // a yes, b no
  EXPECT_NEAR(measures["favour"].get<double>(), (-0.1 + 0.1 - 0.8) / 3.0, 1e-12);
  EXPECT_NEAR(wins_of(verdicts, 1, 50).value, 1.7 / 3.0, 1e-12);
  EXPECT_NEAR(known_wins_of(verdicts, 1, 50).value, 3.5 / 4.0, 1e-12);
}

TEST(JudgeMeasuresTest, AVerdictIsKeptAsItIs) {
  for (const RoundVerdict& one :
       {RoundVerdict{"a", 1.0 / 3.0, 0.5, -7.0, 1}, RoundVerdict{"b", unknown, unknown, 0.0, -1}}) {
    const RoundVerdict read = read_round_verdict(Json::parse(to_json(one).dump()));
    EXPECT_EQ(read.prompt, one.prompt);
    EXPECT_TRUE(read.p_new == one.p_new || (std::isnan(read.p_new) && std::isnan(one.p_new)));
    EXPECT_TRUE(read.known == one.known || (std::isnan(read.known) && std::isnan(one.known)));
    EXPECT_EQ(read.length_difference, one.length_difference);
    EXPECT_EQ(read.same_position, one.same_position);
  }
}

}  // namespace
}  // namespace rlaif::stages
