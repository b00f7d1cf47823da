#include "rlaif/judge/kinds/reward_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Scores by the response's text; what was asked is kept.
class KnownScores final : public ResponseScorer {
 public:
  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    std::vector<ResponseScore> scores;
    for (const Response& response : responses) {
      const std::string& text = response.completion->text;
      asked.push_back(response.prompt->text + "/" + text);
      ResponseScore& score = scores.emplace_back();
      score.score = known.at(text);
      score.status = text == "too long"           ? VerdictStatus::truncated
                     : std::isfinite(score.score) ? VerdictStatus::ok
                                                  : VerdictStatus::not_a_number;
      if (text != "too long") score.usage.input_tokens = 10;
    }
    return scores;
  }
  std::map<std::string, double> known{
      {"good", 2.0}, {"bad", 1.0}, {"broken", nan}, {"endless", HUGE_VAL}, {"too long", nan}};
  std::vector<std::string> asked;
};

Comparison compare(const std::string& first, const std::string& second, const std::string& prompt = "?") {
  Comparison comparison;
  comparison.prompt.text = prompt;
  comparison.first.text = first;
  comparison.second.text = second;
  comparison.first.ended = comparison.second.ended = true;
  return comparison;
}

class RewardModelJudgeTest : public ::testing::Test {
 protected:
  std::vector<Verdict> ask(const std::vector<Comparison>& comparisons, double temperature = 0.5) {
    cost::Price price;
    price.per_label_usd = 0.25;
    price.input_per_million_usd = 1e6;
    return make_reward_model_judge("rm", scores_, temperature, price)->judge(comparisons);
  }
  std::shared_ptr<KnownScores> scores_ = std::make_shared<KnownScores>();
};

TEST_F(RewardModelJudgeTest, PrefersByTheDifferenceOfScoresOverTheTemperature) {
  const auto verdicts = ask({compare("good", "bad"), compare("bad", "good"), compare("good", "good")});
  EXPECT_NEAR(verdicts[0].p_first, 0.8807970779778823, 1e-15);  // 1 / (1 + e^-2)
  EXPECT_NEAR(verdicts[1].p_first, 0.11920292202211755, 1e-15);
  EXPECT_EQ(verdicts[2].p_first, 0.5);
  for (const Verdict& verdict : verdicts) EXPECT_EQ(verdict.status, VerdictStatus::ok);
  EXPECT_NEAR(ask({compare("good", "bad")}, 2.0)[0].p_first, 0.6224593312018546, 1e-15);  // 1 / (1 + e^-0.5)
}

TEST_F(RewardModelJudgeTest, HasNoPositionThatWins) {
  for (const Verdict& verdict : ask({compare("good", "bad"), compare("bad", "good"), compare("bad", "bad")})) {
    EXPECT_EQ(verdict.p_first_by_order[0], verdict.p_first);
    EXPECT_EQ(verdict.p_first_by_order[1], verdict.p_first);
    EXPECT_FALSE(same_position_in_both_orders(verdict));
  }
}

TEST_F(RewardModelJudgeTest, SaysWhatIsNoScore) {
  const auto verdicts = ask({compare("good", "too long"), compare("broken", "good"), compare("good", "endless")});
  EXPECT_EQ(verdicts[0].status, VerdictStatus::truncated);
  EXPECT_EQ(verdicts[0].usage.cost_usd, 0.0);
  EXPECT_TRUE(std::isnan(verdicts[0].p_first_by_order[0]) && std::isnan(verdicts[0].p_first_by_order[1]));
  EXPECT_EQ(verdicts[1].status, VerdictStatus::not_a_number);
  EXPECT_EQ(verdicts[2].status, VerdictStatus::not_a_number);
  EXPECT_EQ(verdicts[2].usage.cost_usd, 20.25);
}

TEST_F(RewardModelJudgeTest, ScoresAResponseOnceHoweverOftenItIsCompared) {
  Comparison cut = compare("good", "bad");
  cut.first.ended = false;
  ask({compare("good", "bad"), compare("bad", "good"), compare("good", "bad", "another"), cut});
  EXPECT_EQ(scores_->asked, (std::vector<std::string>{"?/good", "?/bad", "another/good", "another/bad", "?/good"}));
}

TEST_F(RewardModelJudgeTest, CountsTokensOfBothResponses) {
  const Verdict verdict = ask({compare("good", "bad")}).front();
  EXPECT_EQ(verdict.usage.input_tokens, 20);
  EXPECT_EQ(verdict.usage.output_tokens, 0);
  EXPECT_EQ(verdict.usage.cost_usd, 20.25);
}

TEST_F(RewardModelJudgeTest, RefusesATemperatureThatIsNone) {
  for (const double temperature : {0.0, -1.0, nan, HUGE_VAL})
    EXPECT_THROW(ask({compare("good", "bad")}, temperature), Error) << temperature;
}

}  // namespace
}  // namespace rlaif::judge
