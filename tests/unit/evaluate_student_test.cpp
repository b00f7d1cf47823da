#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "rlaif/evaluate/student.hpp"

namespace rlaif::evaluate {
namespace {

// The 97.5 % column of any table of Student's t.
TEST(Student, QuantilesAreThoseOfTheTables) {
  const std::vector<std::pair<int, double>> table{{1, 12.70620},   {2, 4.302653},   {3, 3.182446},  {4, 2.776445},
                                                  {5, 2.570582},   {9, 2.262157},   {10, 2.228139}, {30, 2.042272},
                                                  {100, 1.983972}, {1000, 1.962339}};
  for (const auto& [degrees, t] : table) EXPECT_NEAR(student_t95(degrees), t, 5e-6 * t) << degrees;
}

// 1, 2, 6: mean 3, deviations -2, -1, 3, s = sqrt(14 / 2) = 2.645751; half-width 4.302653 * 2.645751 / sqrt(3) = 6.572416.
TEST(Student, MeanOfThreeByHand) {
  const std::vector<double> values{1.0, 2.0, 6.0};
  const Interval mean = student_mean(values);
  EXPECT_DOUBLE_EQ(mean.value, 3.0);
  EXPECT_NEAR(standard_deviation(values), 2.6457513, 1e-6);
  EXPECT_NEAR(mean.low, 3.0 - 6.572416, 1e-5);
  EXPECT_NEAR(mean.high, 3.0 + 6.572416, 1e-5);
}

TEST(Student, OneValueHasNoInterval) {
  const std::vector<double> values{0.25};
  const Interval mean = student_mean(values);
  EXPECT_DOUBLE_EQ(mean.value, 0.25);
  EXPECT_TRUE(std::isnan(mean.low) && std::isnan(mean.high) && std::isnan(standard_deviation(values)));
  EXPECT_TRUE(std::isnan(student_mean({}).value));
}

TEST(Student, EqualValuesHaveAnIntervalOfNoWidth) {
  const Interval mean = student_mean(std::vector<double>{0.5, 0.5});
  EXPECT_DOUBLE_EQ(mean.low, 0.5);
  EXPECT_DOUBLE_EQ(mean.high, 0.5);
}

}  // namespace
}  // namespace rlaif::evaluate
