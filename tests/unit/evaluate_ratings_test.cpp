#include "rlaif/evaluate/ratings.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rlaif/core/rng.hpp"

namespace rlaif::evaluate {
namespace {

TEST(BradleyTerry, OfTwoIsTheLogOfTheOddsWithOneEvenGameMore) {
  // 3 of 4 and half a game each: ln(3.5 / 1.5).
  const std::vector<double> strengths = bradley_terry({{0, 1}, {3, 0}});
  ASSERT_EQ(strengths.size(), 2u);
  EXPECT_EQ(strengths[0], 0.0);
  EXPECT_NEAR(strengths[1], std::log(3.5 / 1.5), 1e-12);
}

TEST(BradleyTerry, WhoWinsEverythingStaysFinite) {
  EXPECT_NEAR(bradley_terry({{0, 0}, {10, 0}})[1], std::log(21.0), 1e-11);
  EXPECT_NEAR(bradley_terry({{0, 1000}, {0, 0}})[1], -std::log(2001.0), 1e-9);
}

TEST(BradleyTerry, OfACycleIsEven) {
  for (const double strength : bradley_terry({{0, 7, 0}, {0, 0, 7}, {7, 0, 0}})) EXPECT_NEAR(strength, 0.0, 1e-12);
}

TEST(BradleyTerry, WhoNeverPlayedIsEven) {
  for (const double strength : bradley_terry({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}})) EXPECT_EQ(strength, 0.0);
}

// Maxima that scipy's BFGS finds of the same likelihood.
TEST(BradleyTerry, AgreesWithAnIndependentMaximum) {
  const std::vector<double> three = bradley_terry({{0, 3, 5}, {7, 0, 6}, {5, 4, 0}});
  EXPECT_NEAR(three[1], 0.62235308, 1e-7);
  EXPECT_NEAR(three[2], 0.12441882, 1e-7);
  // A chain: ties and soft wins, and players who never met.
  const std::vector<double> four = bradley_terry({{0, 10, 0, 0}, {0, 0, 2.5, 0}, {0, 1.5, 0, 0.75}, {0, 0, 0.25, 0}});
  EXPECT_NEAR(four[1], -2.0682613, 1e-6);
  EXPECT_NEAR(four[2], -1.92865326, 1e-6);
  EXPECT_NEAR(four[3], -1.82631004, 1e-6);
}

TEST(EloRatings, OfTwoAreFourHundredTimesTheLogarithmOfTheOdds) {
  std::vector<Game> games;
  for (std::uint64_t prompt = 0; prompt < 199; ++prompt) games.push_back({prompt, 1, 0, 1.0});
  for (std::uint64_t prompt = 0; prompt < 19; ++prompt) games.push_back({prompt, 0, 1, 1.0});
  games.push_back({0, 0, 1, 0.55});  // 199.45 to 19.55, and half a game more each
  const std::vector<Interval> ratings = elo_ratings(games, 2, 1, 50);
  EXPECT_NEAR(ratings[1].value, 400.0 * std::log10(199.95 / 20.05), 1e-8);
}

TEST(EloRatings, TheFirstIsTheZeroAndIntervalsHoldTheRating) {
  std::vector<Game> games;
  Rng rng(3, Stream::test);
  for (std::uint64_t prompt = 0; prompt < 80; ++prompt) {
    games.push_back({prompt, 1, 0, rng.uniform() < 0.7 ? 1.0 : 0.0});
    games.push_back({prompt, 2, 0, 0.5});
    games.push_back({prompt, 1, 2, rng.uniform()});
  }
  const std::vector<Interval> ratings = elo_ratings(games, 3, 7, 200), again = elo_ratings(games, 3, 7, 200);
  EXPECT_EQ(ratings[0].value, 0.0);
  EXPECT_EQ(ratings[0].low, 0.0);
  EXPECT_EQ(ratings[0].high, 0.0);
  for (std::size_t player : {1u, 2u}) {
    EXPECT_LT(ratings[player].low, ratings[player].value);
    EXPECT_GT(ratings[player].high, ratings[player].value);
    EXPECT_EQ(ratings[player].low, again[player].low);
    EXPECT_EQ(ratings[player].high, again[player].high);
  }
  EXPECT_GT(ratings[1].low, 0.0);  // 70 % of 80
}

TEST(EloRatings, PromptsAreResampledWhole) {
  // All games of one prompt go one way: of two prompts each resample is one of three.
  std::vector<Game> games;
  for (int k = 0; k < 50; ++k) games.push_back({1, 1, 0, 1.0}), games.push_back({2, 1, 0, 0.0});
  const std::vector<Interval> ratings = elo_ratings(games, 2, 1, 400);
  EXPECT_NEAR(ratings[1].value, 0.0, 1e-9);
  EXPECT_NEAR(ratings[1].high, 400.0 * std::log10(201.0), 1e-6);
  EXPECT_NEAR(ratings[1].low, -400.0 * std::log10(201.0), 1e-6);
}

TEST(EloRatings, OfNoGamesAreNotANumber) { EXPECT_TRUE(std::isnan(elo_ratings({}, 2, 1, 10)[1].value)); }

}  // namespace
}  // namespace rlaif::evaluate
