#include "rlaif/evaluate/best_of_n.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace rlaif::evaluate {
namespace {

// The mean over all choices of n of the draws, one by one.
double by_all_choices(const std::vector<double>& scores, const std::vector<double>& values, std::size_t n) {
  double sum = 0.0, count = 0.0;
  for (unsigned chosen = 0; chosen < 1u << scores.size(); ++chosen) {
    std::size_t size = 0, best = scores.size();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (!(chosen >> i & 1u)) continue;
      ++size;
      if (best == scores.size() || scores[i] > scores[best]) best = i;
    }
    if (size != n) continue;
    sum += values[best];
    count += 1.0;
  }
  return sum / count;
}

TEST(BestOfN, IsTheMeanOverAllChoicesOfSoManyDraws) {
  const std::vector<double> scores{0.3, -1.0, 2.0, 0.3, 0.9, 2.0, -0.5}, values{1, 7, 4, 0, 2, 9, 5};
  for (std::size_t n = 1; n <= scores.size(); ++n)
    EXPECT_NEAR(best_of_n_mean(scores, values, n), by_all_choices(scores, values, n), 1e-12) << n;
}

TEST(BestOfN, OfOneIsTheMeanAndOfAllTheFirstOfTheBest) {
  const std::vector<double> scores{1, 3, 3, 2}, values{10, 20, 40, 30};
  EXPECT_DOUBLE_EQ(best_of_n_mean(scores, values, 1), 25.0);
  EXPECT_DOUBLE_EQ(best_of_n_mean(scores, values, 4), 20.0);
  EXPECT_EQ(best_first(scores), (std::vector<std::size_t>{1, 2, 3, 0}));
}

TEST(BestOfN, BoundsOfTheKl) {
  const std::vector<std::pair<std::size_t, double>> expected{{1, 0.0},    {2, 0.193},  {4, 0.636},  {8, 1.204},
                                                             {16, 1.835}, {32, 2.497}, {64, 3.175}, {128, 3.860}};
  for (const auto& [n, bound] : expected) EXPECT_NEAR(best_of_n_kl_bound(n), bound, 5e-4) << n;
}

double kl(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
  return sum;
}

TEST(BestOfN, DistributionOfThreeResponsesIsAsWorkedByHand) {
  const std::vector<double> policy{0.5, 0.3, 0.2};
  const auto of_2 = best_of_n_distribution(policy, 2), of_4 = best_of_n_distribution(policy, 4);
  const std::vector<double> expected_2{0.25, 0.39, 0.36}, expected_4{0.0625, 0.3471, 0.5904};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(of_2[i], expected_2[i], 1e-12);
    EXPECT_NEAR(of_4[i], expected_4[i], 5e-5);
  }
  EXPECT_NEAR(kl(of_2, policy), 0.1406, 5e-5);
  EXPECT_NEAR(kl(of_4, policy), 0.5598, 5e-5);
  EXPECT_LT(kl(of_4, policy), best_of_n_kl_bound(4));
}

}  // namespace
}  // namespace rlaif::evaluate
