#include "rlaif/cost/prices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"

namespace rlaif::cost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PricesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "rlaif-cost-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  PriceTable load(const std::string& text) {
    write_file_atomic(folder_ / "prices.json", text);
    return PriceTable::load(folder_ / "prices.json");
  }
  // An entry "a" with `more` keys.
  static std::string entry(const std::string& more, const std::string& name = "a") {
    return R"({"name": ")" + name + R"(", "as_of": "2025-01-31", "source": "s")" + more + "}";
  }
  static std::string table(const std::string& entries) { return "{\"prices\": [" + entries + "]}"; }
  std::string refusal(const std::string& text) {
    try {
      load(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), HasSubstr("prices.json:"));
      return error.what();
    }
    ADD_FAILURE() << "no error was thrown";
    return {};
  }
  std::filesystem::path folder_;
};

TEST_F(PricesTest, TableOfTheProjectHoldsThePublishedLabelPrices) {
  const PriceTable prices = PriceTable::load(RLAIF_SOURCE_DIR "/inputs/prices.json");
  Usage many;
  many.input_tokens = many.output_tokens = 1000000;
  EXPECT_DOUBLE_EQ(prices.at("human-label").label_usd(many), 0.67);
  EXPECT_DOUBLE_EQ(prices.at("ai-label").label_usd(many), 0.06);
  EXPECT_DOUBLE_EQ(prices.at("local-judge").label_usd(many), 0.0);
  EXPECT_DOUBLE_EQ(prices.at("example-hosted-judge").label_usd(many), 5.0);
  EXPECT_THAT(prices.at("example-hosted-judge").source, HasSubstr("example"));
}

TEST_F(PricesTest, ALabelCostsItsFixedPriceAndItsTokens) {
  const PriceTable prices = load(table(entry(R"(, "per_label_usd": 0.01, "input_per_million_usd": 2,
      "cached_input_per_million_usd": 0.5, "output_per_million_usd": 8)")));
  Usage usage;
  usage.input_tokens = 1500;
  usage.cached_input_tokens = 1000;
  usage.output_tokens = 250;
  // 0.01 + (500 * 2 + 1000 * 0.5 + 250 * 8) / 1e6
  EXPECT_DOUBLE_EQ(prices.at("a").label_usd(usage), 0.0135);
}

TEST_F(PricesTest, InputThatIsWrittenToACacheHasItsOwnPrice) {
  const PriceTable prices = load(table(entry(R"(, "input_per_million_usd": 2, "cached_input_per_million_usd": 0.5,
      "cache_write_per_million_usd": 2.5)") +
                                       "," + entry(R"(, "input_per_million_usd": 2)", "b")));
  Usage usage;
  usage.input_tokens = 1500;
  usage.cached_input_tokens = 300;
  // (200 * 2 + 300 * 0.5 + 1000 * 2.5) / 1e6
  EXPECT_DOUBLE_EQ(prices.at("a").label_usd(usage, 1000), 0.00305);
  EXPECT_DOUBLE_EQ(prices.at("b").label_usd(usage, 1000), 0.003);
}

TEST_F(PricesTest, CachedInputCostsAsMuchAsOtherWhereTheTableIsSilent) {
  const PriceTable prices = load(table(entry(R"(, "input_per_million_usd": 3)")));
  Usage usage;
  usage.input_tokens = 1000000;
  usage.cached_input_tokens = 400000;
  EXPECT_DOUBLE_EQ(prices.at("a").label_usd(usage), 3.0);
}

TEST_F(PricesTest, AnUnknownNameNamesTheNearestOne) {
  const PriceTable prices = load(table(entry("", "human-label") + "," + entry("", "ai-label")));
  EXPECT_EQ(prices.entries().size(), 2u);
  try {
    prices.at("ai-lable");
    FAIL() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("prices.json"), HasSubstr("'ai-lable'"), HasSubstr("'ai-label'")));
  }
}

TEST_F(PricesTest, RefusesWhatIsNoPriceAndNamesTheEntry) {
  EXPECT_THAT(refusal(table(entry("") + "," + entry(R"(, "per_label": 1)", "b"))),
              HasSubstr("unknown key 'prices[1].per_label'; the nearest known one is 'prices[1].per_label_usd'"));
  EXPECT_THAT(refusal(table(entry(R"(, "per_label_usd": -0.1)"))),
              HasSubstr("key 'prices[0].per_label_usd' is -0.1; expected a number of at least 0"));
  EXPECT_THAT(refusal(table(entry(R"(, "output_per_million_usd": "1")"))),
              HasSubstr("'prices[0].output_per_million_usd' is \"1\""));
  EXPECT_THAT(refusal(table(entry(R"(, "input_per_million_usd": null)"))),
              HasSubstr("'prices[0].input_per_million_usd' is null"));
  EXPECT_THAT(refusal(table(entry(R"(, "per_label_usd": 1e999)"))), HasSubstr("prices.json: "));
  EXPECT_THAT(refusal(table(entry("") + "," + entry(""))), HasSubstr("key 'prices[1]': a second entry named 'a'"));
  EXPECT_THAT(refusal(table(R"({"name": "a", "as_of": "2025-13-01", "source": "s"})")),
              HasSubstr("'prices[0].as_of' is \"2025-13-01\"; expected a date"));
  EXPECT_THAT(refusal(table(R"({"name": "a", "as_of": "2025-01-01"})")), HasSubstr("'prices[0].source' is missing"));
  EXPECT_THAT(refusal(table(R"({"as_of": "2025-01-01", "source": "s"})")), HasSubstr("'prices[0].name' is missing"));
  EXPECT_THAT(refusal(table("1")), HasSubstr("'prices[0]' is 1; expected an object"));
  EXPECT_THAT(refusal(R"({"price": []})"), AllOf(HasSubstr("'price'"), HasSubstr("'prices'")));
  EXPECT_THAT(refusal("{}"), HasSubstr("'prices' is missing"));
  EXPECT_THAT(refusal("[]"), HasSubstr("holds an empty list; expected an object"));
  EXPECT_THAT(refusal("{\n\"prices\": ["), HasSubstr("prices.json:2: not valid JSON"));
}

}  // namespace
}  // namespace rlaif::cost
