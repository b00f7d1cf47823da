#include <gtest/gtest.h>

#include <cmath>

#include "rlaif/evaluate/self_preference.hpp"

namespace rlaif::evaluate {
namespace {

TEST(SelfPreferences, AreTheDiagonalsExcessOverWhatOtherJudgesSay) {
  // Judges 0 (writes x), 1 (writes y), 2 (writes nothing). Three prompts, x against y, sides by turns.
  const std::vector<std::string> writer_of_judge{"x", "y", ""};
  const double p_x[3][3]{{0.9, 0.8, 0.7}, {0.2, 0.6, 0.1}, {0.9, 0.5, 0.2}};
  std::vector<WriterVerdict> verdicts;
  for (std::size_t judge = 0; judge < 3; ++judge) {
    for (std::uint64_t prompt = 0; prompt < 3; ++prompt) {
      const bool turned = prompt == 1;
      verdicts.push_back({prompt, judge, turned ? "y" : "x", turned ? "x" : "y",
                          turned ? 1 - p_x[judge][prompt] : p_x[judge][prompt]});
    }
  }
  verdicts.push_back({0, 0, "x", "x", 0.9});  // nothing can be said of these
  verdicts.push_back({0, 0, "x", "", 0.9});
  const SelfPreference result = self_preference(verdicts, writer_of_judge, 1, 200);
  ASSERT_EQ(result.writers, (std::vector<std::string>{"x", "y"}));
  EXPECT_DOUBLE_EQ(result.win_rates[0][0].value, 1.0);
  EXPECT_DOUBLE_EQ(result.win_rates[0][1].value, 0.0);
  EXPECT_DOUBLE_EQ(result.win_rates[1][0].value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(result.win_rates[2][0].value, 0.5);  // a win, a tie, a loss
  EXPECT_DOUBLE_EQ(result.excess[0].value, 1.0 - (1.0 / 3 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(result.excess[1].value, 2.0 / 3 - (0.0 + 0.5) / 2);
  EXPECT_TRUE(std::isnan(result.excess[2].value));
  EXPECT_LE(result.excess[0].low, result.excess[0].value);
  EXPECT_GE(result.excess[0].high, result.excess[0].value);
}

TEST(SelfPreferences, OfNothingAreNothing) {
  const SelfPreference result = self_preference({}, {"x"}, 1, 10);
  EXPECT_TRUE(result.writers.empty());
  EXPECT_TRUE(std::isnan(result.excess[0].value));
}

}  // namespace
}  // namespace rlaif::evaluate
