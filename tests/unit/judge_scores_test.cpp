#include "rlaif/judge/prompts/scores.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace rlaif::judge {
namespace {

constexpr ScoreScale ten{1, 10};

// The score that a text says on 1 to 10; 0: none.
double said(std::string_view text, ScoreScale scale = ten) {
  const ScoreReading reading = read_score(text, scale);
  EXPECT_EQ(reading.status == VerdictStatus::ok, *reading.why == '\0') << text;
  return reading.status == VerdictStatus::ok ? reading.score : 0.0;
}

TEST(ReadScoreTest, ANumberAlone) {
  for (const char* text :
       {"7", " 7\n", "7.", "**7**", "[7]", "(7)", "\"7\"", "7/10", "7 / 10", "**7**/10", "7 out of 10", "[[7]]"})
    EXPECT_EQ(said(text), 7.0) << text;
  EXPECT_EQ(said("10"), 10.0);
  EXPECT_EQ(said("1"), 1.0);
  EXPECT_EQ(said("7.5"), 7.5);
  EXPECT_EQ(said("7.5/10"), 7.5);
}

TEST(ReadScoreTest, ALineThatAnnouncesIt) {
  for (const char* text : {"Score: 7", "The reply is brief.\nScore: 7", "**Score:** 7/10\nIt is brief.",
                           "Final score: **7**", "My rating is 7.", "Overall grade = 7", "Verdict: 7",
                           "It is brief.\n\n7", "7\nIt is brief.", "Score: [[7]]", "so the score is 7"})
    EXPECT_EQ(said(text), 7.0) << text;
}

TEST(ReadScoreTest, AnObject) {
  for (const char* text : {"{\"score\": 7}", "```json\n{\"reason\": \"brief, 3 words\", \"score\": 7}\n```",
                           "{\"score\": \"7/10\"}", "Here it is.\n{\"score\": 7.0}"})
    EXPECT_EQ(said(text), 7.0) << text;
  for (const char* text : {"{\"score\": 11}", "{\"score\": \"seven\"}", "{\"score\": null}", "{\"score\": [7]}",
                           "{\"score\": -7}", "{\"rating\": 7}"})
    EXPECT_EQ(said(text), 0.0) << text;
}

TEST(ReadScoreTest, WhatIsNoScore) {
  for (const char* text : {"",
                           "  \n",
                           "11",
                           "0",
                           "-7",
                           "seven",
                           "Score: seven",
                           "Score: 11",
                           "Score: 7 or 8",
                           "Score: 7-8",
                           "6-7",
                           "7/5",
                           "7/100",
                           "70%",
                           "7,5",
                           "1e1",
                           "Score: high",
                           "I cannot score this.",
                           "The answer has 7 words in it.",
                           "1. It is brief.\n2. It is kind.",
                           "Score: 7\nScore: 8",
                           "7\nIt is brief.\n8",
                           "[[7]] or [[8]]",
                           "> Score: 7"})
    EXPECT_EQ(said(text), 0.0) << text;
  EXPECT_EQ(said("11", {0, 100}), 11.0);
  EXPECT_EQ(said("5/5", {1, 5}), 5.0);
  EXPECT_EQ(said("5/10", {1, 5}), 0.0);
}

TEST(ReadScoreTest, SaysTheSameTwice) {
  const ScoreReading reading = read_score("7\nIt is brief.\nScore: 7/10", ten);
  EXPECT_EQ(reading.score, 7.0);
  EXPECT_EQ(reading.at, 22u);
}

// methods.md 1.3 of the project: s = 7.27, reward .3933.
TEST(ExpectedScoreTest, IsTheMeanOverTheScale) {
  const std::vector<double> p{.02, .02, .03, .03, .05, .10, .20, .30, .15, .10};
  const ScoreReading reading = expected_score(p, ten, 0.5);
  EXPECT_EQ(reading.status, VerdictStatus::ok);
  EXPECT_NEAR(reading.score, 7.27, 1e-12);
  EXPECT_NEAR(score_reward(reading.score, ten), 0.3933333333333333, 1e-12);
  std::vector<double> half;
  for (const double one : p) half.push_back(0.6 * one);
  EXPECT_NEAR(expected_score(half, ten, 0.5).score, 7.27, 1e-12);
}

TEST(ExpectedScoreTest, FailsWhereTooLittleIsOnTheScale) {
  std::vector<double> p(10, 0.049);
  EXPECT_EQ(expected_score(p, ten, 0.5).status, VerdictStatus::unparseable);
  EXPECT_EQ(expected_score(p, ten, 0.4).status, VerdictStatus::ok);
  EXPECT_EQ(expected_score(std::vector<double>(10, 0.0), ten, 0.0).status, VerdictStatus::unparseable);
  p[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(expected_score(p, ten, 0.5).status, VerdictStatus::not_a_number);
}

TEST(ScoreRewardTest, MapsTheScaleOntoTheUnitInterval) {
  EXPECT_EQ(score_reward(1.0, ten), -1.0);
  EXPECT_EQ(score_reward(5.5, ten), 0.0);
  EXPECT_NEAR(score_reward(8.2, ten), 0.6, 1e-15);
  EXPECT_EQ(score_reward(10.0, ten), 1.0);
  EXPECT_EQ(score_reward(4.0, {1, 5}), 0.5);
}

// Weights 2 and 1 on level 1, 1 on level 2. (2 * 8 + 1 * 2) / 3 = 6; with level 2 at 10: (16 + 2 + 10) / 4 = 7.
TEST(GatedMeanTest, AFailedLevelIsFollowedByNothing) {
  const std::vector<LevelScores> passes{{{2, 1}, {8, 2}}, {{1}, {10}}};
  EXPECT_EQ(gated_mean(passes, 6.0, 1.0), 7.0);
  const std::vector<LevelScores> fails{{{2, 1}, {8, 2}}, {{1}, {}}};
  EXPECT_EQ(gated_mean(fails, 6.5, 1.0), 4.75);  // (16 + 2 + 1) / 4
  const std::vector<LevelScores> one{{{1}, {3}}, {{3}, {}}, {{1}, {}}};
  EXPECT_EQ(gated_mean(one, 5.0, 1.0), 1.4);  // (3 + 3 + 1) / 5
}

// Whatever it would have got behind the gate, a response that fails it is below one that has just passed.
TEST(GatedMeanTest, PassingIsNeverWorseThanFailing) {
  const std::vector<LevelScores> fails{{{1}, {5.9}}, {{1}, {}}}, passes{{{1}, {6.0}}, {{1}, {1.0}}};
  EXPECT_LT(gated_mean(fails, 6.0, 1.0), gated_mean(passes, 6.0, 1.0));
}

remote::TokenPosition position(const std::string& drawn, const std::vector<std::pair<std::string, double>>& listed) {
  remote::TokenPosition result;
  result.token = drawn;
  for (const auto& [token, p] : listed) result.top.push_back({token, std::log(p)});
  return result;
}

TEST(ReadScoreTokensTest, TakesTheExpectationWhereTheNumberWasDrawn) {
  const std::vector<remote::TokenPosition> tokens{
      position("8", {{"8", 0.5}, {" 6", 0.25}, {"10", 0.15}, {"The", 0.1}})};
  EXPECT_NEAR(read_score_tokens(tokens, ten, true, 0.5).score, (4.0 + 1.5 + 1.5) / 0.9, 1e-12);
  EXPECT_EQ(read_score_tokens(tokens, ten, true, 0.95).status, VerdictStatus::unparseable);
  std::vector<remote::TokenPosition> reasoned{position("Brief.\n", {{"Brief.\n", 0.9}}),
                                              position("Score", {{"Score", 1.0}}), position(":", {{":", 1.0}}),
                                              tokens[0]};
  EXPECT_NEAR(read_score_tokens(reasoned, ten, false, 0.5).score, 7.0 / 0.9, 1e-12);
  reasoned.pop_back();
  EXPECT_EQ(read_score_tokens(reasoned, ten, false, 0.5).status, VerdictStatus::unparseable);
  EXPECT_EQ(read_score_tokens({}, ten, true, 0.5).status, VerdictStatus::unparseable);
}

// "1" may go on to "10": 0.8 on the token of 1, of which 0.75 go on with 0 and 0.05 with another digit, off the scale.
TEST(ReadScoreTokensTest, TellsABeginningFromTheWholeNumber) {
  const std::vector<remote::TokenPosition> drawn{position("1", {{"1", 0.8}, {"9", 0.2}}),
                                                 position("0", {{"0", 0.75}, {"2", 0.05}, {".", 0.2}})};
  const double mass = 0.8 * 0.75 + 0.8 * 0.2 + 0.2;
  EXPECT_NEAR(read_score_tokens(drawn, ten, true, 0.5).score, (0.6 * 10 + 0.16 * 1 + 0.2 * 9) / mass, 1e-12);
  // Not drawn: nobody knows how it would have gone on.
  const std::vector<remote::TokenPosition> other{position("9", {{"1", 0.3}, {"9", 0.7}})};
  EXPECT_NEAR(read_score_tokens(other, ten, true, 0.5).score, 9.0, 1e-12);
  EXPECT_EQ(read_score_tokens(other, ten, true, 0.8).status, VerdictStatus::unparseable);
  // Where the list has 10 as a token, 1 is one.
  const std::vector<remote::TokenPosition> whole{position("9", {{"1", 0.3}, {"9", 0.6}, {"10", 0.1}})};
  EXPECT_NEAR(read_score_tokens(whole, ten, true, 0.5).score, 0.3 + 5.4 + 1.0, 1e-12);
}

}  // namespace
}  // namespace rlaif::judge
