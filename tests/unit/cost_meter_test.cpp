#include "rlaif/cost/meter.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rlaif/core/error.hpp"

namespace rlaif::cost {
namespace {

Usage paid(double usd, std::int64_t input = 0, std::int64_t output = 0) { return {input, 0, output, usd}; }

TEST(Meter, TheCapHoldsInFlight) {
  SpendMeter meter(make_budget(1.0));
  EXPECT_TRUE(meter.reserve(0.6));
  EXPECT_FALSE(meter.reserve(0.5));
  meter.settle({"judge", "ai"}, 0.6, paid(0.1, 1000, 10), 4);
  EXPECT_TRUE(meter.reserve(0.9));
  EXPECT_FALSE(meter.reserve(1e-9));
  meter.give_back(0.9);
  EXPECT_TRUE(meter.reserve(0.9));
}

TEST(Meter, RoundAmountsFillARoundCapToTheLastCent) {
  SpendMeter meter(make_budget(1.0));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(meter.reserve(0.01)) << i;
  EXPECT_FALSE(meter.reserve(0.01));
}

TEST(Meter, RowsAreByStageAndAsker) {
  const Asker judge{"judge", "gpt"}, writer{"writer", "gpt"};  // of one name
  SpendMeter meter;
  meter.set_stage("annotate");
  meter.reserve(1);
  meter.settle(judge, 1, paid(0.5, 100, 20), 8);
  meter.count_stored(judge, 3);
  meter.set_stage("evaluate");
  meter.reserve(1);
  meter.leave_unsettled(writer, 1);
  meter.count_failure(writer);
  SpendMeter other;
  other.set_stage("annotate");
  other.settle(judge, 1, paid(0.25, 50, 10), 0);
  meter.merge(other);
  const Spending& annotate = meter.rows().at({"annotate", judge});
  EXPECT_EQ(annotate.requests, 2);
  EXPECT_EQ(annotate.stored_answers, 3);
  EXPECT_EQ(annotate.usage.input_tokens, 150);
  EXPECT_EQ(annotate.reasoning_tokens, 8);
  EXPECT_DOUBLE_EQ(annotate.usage.cost_usd, 0.75);
  EXPECT_DOUBLE_EQ(meter.rows().at({"evaluate", writer}).unsettled_usd, 1.0);
  EXPECT_DOUBLE_EQ(meter.total().usage.cost_usd, 0.75);
  EXPECT_EQ(meter.to_json().at(0).at("stage"), "annotate");
  EXPECT_EQ(meter.to_json().at(1).at("role"), "writer");
  EXPECT_EQ(meter.to_json().at(1).at("failures"), 1);
}

TEST(Meter, AnAnswerDearerThanItsReservationIsTakenAndSaid) {
  SpendMeter meter(make_budget(1.0));
  EXPECT_TRUE(meter.reserve(0.1));
  testing::internal::CaptureStderr();
  meter.settle({"writer", "big"}, 0.1, paid(0.4), 0);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("writer big: an answer cost"), std::string::npos) << said;
  EXPECT_NE(said.find("at most $0.1"), std::string::npos) << said;
  EXPECT_FALSE(meter.reserve(0.7));
  EXPECT_TRUE(meter.reserve(0.6));
}

TEST(Meter, RefusesACapThatIsNone) {
  EXPECT_THROW(make_budget(-1.0), Error);
  EXPECT_THROW(make_budget(std::nan("")), Error);
  EXPECT_TRUE(make_budget(no_cap)->reserve(to_nano_usd(1e6)));
}

}  // namespace
}  // namespace rlaif::cost
