#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "rlaif/core/instruction_set.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/generate/softmax.hpp"
#include "support/rounding.hpp"

namespace rlaif::generate {
namespace {

std::vector<float> random_logits(std::size_t size, double spread, std::uint64_t seed) {
  Rng rng(seed, Stream::test);
  std::vector<float> logits(size);
  for (float& logit : logits) logit = static_cast<float>(spread * rng.normal());
  return logits;
}

// In double, one id after another.
std::vector<double> reference_softmax(const std::vector<float>& logits, double temperature) {
  const double maximum = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  for (const float logit : logits) p.push_back(std::exp((logit - maximum) / temperature));
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= total;
  return p;
}

// Of a logarithm of sums of so many float32 exponentials, of arguments of about `size`.
double allowed(double sums, double size = 2.0) { return rounding::of_chain({sums}, 2) + 4.0 * size * rounding::single; }

SamplingOptions options_with(double temperature, int top_k = 0, double top_p = 1.0) {
  SamplingOptions options;
  options.temperature = temperature;
  options.top_k = top_k;
  options.top_p = top_p;
  return options;
}

TEST(Softmax, LogSumExpAgreesWithDoublePrecisionAtAnySize) {
  for (const std::size_t size : {1u, 2u, 15u, 16u, 17u, 255u, 256u, 257u, 1000u, 50257u}) {
    for (const double spread : {0.0, 1.0, 30.0}) {
      const auto logits = random_logits(size, spread, size);
      const double maximum = *std::max_element(logits.begin(), logits.end());
      double total = 0.0;
      for (const float logit : logits) total += std::exp(logit - maximum);
      EXPECT_NEAR(log_sum_exp(logits), maximum + std::log(total),
                  allowed(256, 2.0 * (1.0 + std::abs(maximum) + spread)))
          << size;
    }
  }
}

TEST(Softmax, WeightsAreExponentialsToSinglePrecision) {
  std::vector<float> logits(3000);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = -0.03f * static_cast<float>(i);
  SoftmaxRow row;
  softmax_row(logits, 1.0, row);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double exact = std::exp(static_cast<double>(logits[i]));
    if (logits[i] < -87.0f) {
      EXPECT_EQ(row.weights[i], 0.0f);
    } else {
      EXPECT_NEAR(row.weights[i] / exact, 1.0, rounding::function_units * rounding::single) << logits[i];
    }
  }
}

TEST(Softmax, HasTheSameBitsUnderEveryInstructionSet) {
  const InstructionSet before = instruction_set();
  const auto logits = random_logits(1003, 5.0, 2);
  SoftmaxRow expected, row;
  softmax_row(logits, 0.7, expected);
  for (const InstructionSet set : instruction_sets()) {
    use_instruction_set(set);
    softmax_row(logits, 0.7, row);
    EXPECT_EQ(row.weights, expected.weights) << to_string(set);
    EXPECT_EQ(row.total, expected.total) << to_string(set);
    EXPECT_EQ(row.maximum, expected.maximum) << to_string(set);
  }
  use_instruction_set(before);
}

TEST(Softmax, NotANumberShowsInTheTotal) {
  SoftmaxRow row;
  auto logits = random_logits(300, 1.0, 5);
  logits[299] = std::numeric_limits<float>::quiet_NaN();
  softmax_row(logits, 1.0, row);
  EXPECT_TRUE(std::isnan(row.total));
  logits[299] = std::numeric_limits<float>::infinity();
  softmax_row(logits, 1.0, row);
  EXPECT_TRUE(std::isnan(row.total));
  EXPECT_TRUE(std::isnan(log_sum_exp(logits)));
}

TEST(SampleToken, InverseCdfGivesTheFirstIdPastU) {
  // Probabilities 0.1, 0.2, 0, 0.3, 0.4.
  const std::vector<float> logits{std::log(0.1f), std::log(0.2f), -std::numeric_limits<float>::infinity(),
                                  std::log(0.3f), std::log(0.4f)};
  const auto options = options_with(1.0);
  EXPECT_EQ(sample_token(logits, options, 0.0).token, 0);
  EXPECT_EQ(sample_token(logits, options, 0.0999).token, 0);
  EXPECT_EQ(sample_token(logits, options, 0.1001).token, 1);
  EXPECT_EQ(sample_token(logits, options, 0.2999).token, 1);
  EXPECT_EQ(sample_token(logits, options, 0.3001).token, 3);
  EXPECT_EQ(sample_token(logits, options, 0.6001).token, 4);
  EXPECT_EQ(sample_token(logits, options, 0.9999999999999999).token, 4);
  EXPECT_NEAR(sample_token(logits, options, 0.65).log_prob, std::log(0.4), allowed(5));
}

TEST(SampleToken, NeverDrawsAnIdThatIsForbiddenAndCountsItInTheLogProbability) {
  // Probabilities 0.1, 0.2, 0.3, 0.4; the last one is forbidden, so draws share 0.6 out among the rest.
  const std::vector<float> logits{std::log(0.1f), std::log(0.2f), std::log(0.3f), std::log(0.4f)};
  const std::vector<TokenId> never{3};
  EXPECT_EQ(sample_token(logits, options_with(1.0), 0.16, never).token, 0);
  EXPECT_EQ(sample_token(logits, options_with(1.0), 0.17, never).token, 1);
  EXPECT_EQ(sample_token(logits, options_with(1.0), 0.49, never).token, 1);
  EXPECT_EQ(sample_token(logits, options_with(1.0), 0.51, never).token, 2);
  EXPECT_EQ(sample_token(logits, options_with(1.0), 0.9999999999999999, never).token, 2);
  EXPECT_NEAR(sample_token(logits, options_with(1.0), 0.9, never).log_prob, std::log(0.3), 1e-6);
  EXPECT_EQ(sample_token(logits, options_with(0.0), 0.0, never).token, 2);
  EXPECT_EQ(sample_token(logits, options_with(1.0, 2), 0.0, never).token, 1);
  EXPECT_EQ(sample_token(logits, options_with(1.0, 0, 0.4), 0.9, never).token, 2);
}

TEST(SampleToken, DrawsFromTheRestWhereAForbiddenIdHasAllTheMass) {
  const std::vector<float> logits{1.0f, 2.0f, 500.0f};
  const std::vector<TokenId> never{2};
  EXPECT_EQ(sample_token(logits, options_with(1.0), 0.1, never).token, 0);
  EXPECT_EQ(sample_token(logits, options_with(1.0), 0.9, never).token, 1);
  EXPECT_EQ(sample_token(logits, options_with(0.0), 0.9, never).token, 1);
  EXPECT_NEAR(sample_token(logits, options_with(1.0), 0.9, never).log_prob, -498.0f, 1e-4);
}

TEST(SampleToken, EvenlySpacedDrawsReproduceTheSoftmax) {
  for (const double temperature : {0.5, 1.0, 2.0}) {
    const auto logits = random_logits(700, 2.0, 11);
    const auto p = reference_softmax(logits, temperature);
    constexpr int draws = 40000;
    std::vector<double> counts(logits.size());
    for (int i = 0; i < draws; ++i) {
      const SampledToken drawn = sample_token(logits, options_with(temperature), (i + 0.5) / draws);
      counts[drawn.token] += 1.0 / draws;
      EXPECT_NEAR(drawn.log_prob, std::log(p[drawn.token]), allowed(256, 20.0 / temperature));
    }
    for (std::size_t id = 0; id < p.size(); ++id) EXPECT_NEAR(counts[id], p[id], 1.5 / draws) << id;
  }
}

TEST(SampleToken, KeyedUniformsPassAChiSquareTest) {
  const auto logits = random_logits(20, 1.0, 3);
  const auto p = reference_softmax(logits, 1.0);
  constexpr int draws = 20000;
  std::vector<double> counts(p.size());
  for (std::uint64_t i = 0; i < draws; ++i)
    ++counts[sample_token(logits, options_with(1.0), Rng(1, Stream::sampling, {i, 0, 0}).uniform()).token];
  double chi_square = 0.0;
  for (std::size_t id = 0; id < p.size(); ++id) chi_square += std::pow(counts[id] - draws * p[id], 2) / (draws * p[id]);
  EXPECT_LT(chi_square, 43.8);  // 19 degrees of freedom, one in a thousand
}

TEST(SampleToken, TemperatureZeroTakesTheHighestAndOfEqualsTheLowestId) {
  std::vector<float> logits(40, 0.0f);
  logits[21] = logits[33] = 2.0f;
  const SampledToken drawn = sample_token(logits, options_with(0.0), 0.7);
  EXPECT_EQ(drawn.token, 21);
  EXPECT_NEAR(drawn.log_prob, 2.0 - std::log(38.0 + 2.0 * std::exp(2.0)), allowed(40, 6.0));
}

TEST(SampleToken, TopKOfOneIsGreedy) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto logits = random_logits(500, 1.0, seed);
    EXPECT_EQ(sample_token(logits, options_with(1.0, 1), 0.9).token,
              sample_token(logits, options_with(0.0), 0.0).token);
  }
}

// Which tokens come out when u walks over [0, 1), and how often.
constexpr int draws = 20000;
std::map<TokenId, double> frequencies(const std::vector<float>& logits, const SamplingOptions& options) {
  std::map<TokenId, double> result;
  for (int i = 0; i < draws; ++i) result[sample_token(logits, options, (i + 0.5) / draws).token] += 1.0 / draws;
  return result;
}

TEST(SampleToken, TopKRenormalisesTheKBestAndKeepsTheFullLogProb) {
  const std::vector<float> logits{std::log(0.1f), std::log(0.4f), std::log(0.2f), std::log(0.3f)};
  const auto drawn = frequencies(logits, options_with(1.0, 2));
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_NEAR(drawn.at(1), 4.0 / 7.0, 1.5 / draws);
  EXPECT_NEAR(drawn.at(3), 3.0 / 7.0, 1.5 / draws);
  EXPECT_NEAR(sample_token(logits, options_with(1.0, 2), 0.0).log_prob, std::log(0.4), allowed(5));
}

TEST(SampleToken, TopPKeepsTheSmallestSetThatReachesTheMass) {
  const std::vector<float> logits{std::log(0.1f), std::log(0.4f), std::log(0.2f), std::log(0.3f)};
  EXPECT_EQ(frequencies(logits, options_with(1.0, 0, 0.39)).size(), 1u);
  EXPECT_EQ(frequencies(logits, options_with(1.0, 0, 0.41)).size(), 2u);
  const auto three = frequencies(logits, options_with(1.0, 0, 0.71));
  ASSERT_EQ(three.size(), 3u);
  EXPECT_NEAR(three.at(1), 4.0 / 9.0, 1.5 / draws);
  EXPECT_NEAR(three.at(2), 2.0 / 9.0, 1.5 / draws);
  EXPECT_EQ(frequencies(logits, options_with(1.0, 0, 0.91)).size(), 4u);
  // top-p reads the mass that top-k left: 0.4 / 0.7 = 0.57.
  EXPECT_EQ(frequencies(logits, options_with(1.0, 2, 0.5)).size(), 1u);
  EXPECT_EQ(frequencies(logits, options_with(1.0, 2, 0.6)).size(), 2u);
}

TEST(SampleToken, TopPOverAFlatDistributionSortsFurtherThanItsFirstChunk) {
  const std::vector<float> logits(1000, 0.5f);
  const auto drawn = frequencies(logits, options_with(1.0, 0, 0.5005));
  EXPECT_EQ(drawn.size(), 501u);
  EXPECT_EQ(drawn.rbegin()->first, 500);  // equals go to the lower ids
}

TEST(SampleToken, LogitsThatAreNotNumbersGiveALogProbThatIsNone) {
  auto logits = random_logits(100, 1.0, 2);
  logits[50] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(sample_token(logits, options_with(1.0), 0.5).log_prob));
  EXPECT_TRUE(std::isnan(sample_token(logits, options_with(0.0), 0.5).log_prob));
  EXPECT_TRUE(std::isnan(sample_token(logits, options_with(1.0, 5, 0.9), 0.5).log_prob));
}

}  // namespace
}  // namespace rlaif::generate
