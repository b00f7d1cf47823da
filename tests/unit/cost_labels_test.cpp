#include "rlaif/cost/labels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/cost/prices.hpp"

namespace rlaif::cost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path project_file = RLAIF_SOURCE_DIR "/inputs/cost_assumptions.json";

TEST(Labels, TheProjectsFileGivesThePublishedTable) {
  const Assumptions assumptions = Assumptions::load(project_file);
  EXPECT_DOUBLE_EQ(team_wages_usd(assumptions), 40000.0);  // 10 x 25 x 40 x 4
  const std::vector<OfferPair> pairs = offer_pairs(assumptions);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_DOUBLE_EQ(pairs[0].people.total_usd(100000), 67000.0);
  EXPECT_DOUBLE_EQ(pairs[0].ai.total_usd(100000), 6000.0);
  EXPECT_DOUBLE_EQ(pairs[1].people.total_usd(100000), 50000.0);  // 40,000 + 10,000
  EXPECT_DOUBLE_EQ(pairs[1].ai.total_usd(100000), 5000.0);       // 100,000 x 0.03 + 2,000
}

TEST(Labels, AnyNumberOfComparisonsScalesWhatIsPaidByTheLabelAlone) {
  const std::vector<OfferPair> pairs = offer_pairs(Assumptions::load(project_file));
  EXPECT_DOUBLE_EQ(pairs[0].people.total_usd(1000), 670.0);
  EXPECT_DOUBLE_EQ(pairs[1].people.total_usd(50000), 30000.0);  // 20,000 + 10,000
  EXPECT_DOUBLE_EQ(pairs[1].ai.total_usd(50000), 3500.0);
  EXPECT_DOUBLE_EQ(pairs[1].ai.total_usd(0), 2000.0);
}

TEST(Labels, TheProjectsLabelPricesAreThoseOfItsPriceTable) {
  const Assumptions assumptions = Assumptions::load(project_file);
  const PriceTable prices = PriceTable::load(RLAIF_SOURCE_DIR "/inputs/prices.json");
  EXPECT_EQ(assumptions.at("human_label_usd"), prices.at("human-label").per_label_usd);
  EXPECT_EQ(assumptions.at("ai_label_usd"), prices.at("ai-label").per_label_usd);
}

TEST(Labels, WhereOneOfferOvertakesAnother) {
  const LabelOffer human{"people", 0.0, 0.67}, judge{"judge", 2000.0, 0.03};
  EXPECT_DOUBLE_EQ(*no_dearer_from(human, judge), 3125.0);  // 2000 / 0.64
  EXPECT_NEAR(human.total_usd(3125), judge.total_usd(3125), 1e-9);
  EXPECT_FALSE(no_dearer_from(judge, human).has_value());
  EXPECT_EQ(*no_dearer_from(judge, {"cheap", 10.0, 0.01}), 0.0);
  EXPECT_EQ(*no_dearer_from(judge, judge), 0.0);
  EXPECT_FALSE(no_dearer_from(human, {"dear", 1.0, 0.67}).has_value());
}

TEST(Labels, AMeasuredLabelCostsItsBillAndItsMachineHours) {
  MeasuredUse use;
  use.pairs = 250;
  use.labels = 200;
  use.usage.cost_usd = 3.0;
  use.rank_hours = 0.5;
  EXPECT_DOUBLE_EQ(usd_a_label(use, 0.0), 0.015);  // 3 / 200
  EXPECT_DOUBLE_EQ(usd_a_label(use, 2.0), 0.02);   // (3 + 1) / 200
  use.labels = 0;
  EXPECT_TRUE(std::isnan(usd_a_label(use, 2.0)));
}

class AssumptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "rlaif-assumptions-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    json_ = Json::parse(read_file(project_file));
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string refusal() {
    write_file_atomic(folder_ / "own.json", json_.dump());
    try {
      Assumptions::load(folder_ / "own.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "no error";
  }
  Json& entry(std::size_t index) { return json_["assumptions"][index]; }

  std::filesystem::path folder_;
  Json json_;
};

TEST_F(AssumptionsTest, NumbersComeFromTheFile) {
  entry(3)["value"] = 20;  // team_people
  entry(9)["value"] = 0.05;
  ASSERT_EQ(refusal(), "no error");
  const std::vector<OfferPair> pairs = offer_pairs(Assumptions::load(folder_ / "own.json"));
  EXPECT_DOUBLE_EQ(pairs[1].people.total_usd(100000), 90000.0);  // 80,000 + 10,000
  EXPECT_DOUBLE_EQ(pairs[1].ai.total_usd(100000), 7000.0);
}

TEST_F(AssumptionsTest, WhatIsWrongIsNamedWithItsEntry) {
  entry(1)["value"] = -1;
  EXPECT_THAT(refusal(), HasSubstr("own.json: key 'assumptions[1].value' is -1; expected a number of at least 0"));
  entry(1)["value"] = 0.67;
  entry(2).erase("source");
  EXPECT_THAT(refusal(), HasSubstr("key 'assumptions[2].source' is missing; expected a text"));
  entry(2)["source"] = "s";
  entry(3)["name"] = "team_peple";
  EXPECT_THAT(refusal(), HasSubstr("unknown assumption 'team_peple'; the nearest known one is 'team_people'"));
  entry(3)["name"] = "team_weeks";
  EXPECT_THAT(refusal(), HasSubstr("a second entry named 'team_weeks'"));
  json_["assumptions"].erase(3);
  EXPECT_THAT(refusal(), HasSubstr("expected an assumption named 'team_people'"));
}

TEST_F(AssumptionsTest, ATeamThatLabelsNothingIsRefused) {
  entry(8)["value"] = 0;
  EXPECT_THAT(refusal(), HasSubstr("'team_comparisons': expected a number above 0"));
}

}  // namespace
}  // namespace rlaif::cost
