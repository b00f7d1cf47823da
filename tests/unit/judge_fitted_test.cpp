#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/judge/fitted.hpp"

namespace rlaif::judge {
namespace {

class FittedFile : public testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::temp_directory_path() / ("rlaif-fitted-" + std::to_string(::getpid()) + ".json");
  }
  void TearDown() override { std::filesystem::remove(file_); }

  std::string refusal(const std::string& text) {
    std::ofstream(file_) << text;
    try {
      FittedJudges::load(file_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(file_.string()), std::string::npos);
      return error.what();
    }
    return "nothing was refused";
  }
  // A whole file with one judge, of which one part is put in another's place.
  std::string changed(const std::string& from, const std::string& to) {
    std::string text =
        R"({"judges":{"j":{"pairs":10,"agreement":0.7,"temperature":1.5,"weight":0.5,"confusion":[[0.6,0.4],[0.3,0.7]],"length_slope":0.02}},"thresholds":{"c":[0.8]}})";
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
  }
  void expect_refused(const std::string& from, const std::string& to, const std::string& message) {
    const std::string said = refusal(changed(from, to));
    EXPECT_NE(said.find(message), std::string::npos) << said;
  }

  std::filesystem::path file_;
};

TEST_F(FittedFile, ComesBackAsItWasToTheLastDigit) {
  FittedJudges all;
  FittedJudge& one = all.judges["small one"];
  one.pairs = 123;
  one.agreement = 2.0 / 3;
  one.temperature = 1.0 / 7;
  one.weight = -0.1;
  one.confusion = {{{1.0 / 3, 2.0 / 3}, {0.25, 0.75}}};
  one.length_slope = -1e-17;
  all.judges["never asked"] = {};
  all.thresholds["c"] = {0.5, 1.0, 1.0 / 1.7};
  all.save(file_);
  const FittedJudges back = FittedJudges::load(file_);
  EXPECT_EQ(back.file, file_);
  EXPECT_EQ(back.judges.size(), 2u);
  const FittedJudge& again = back.at("small one");
  EXPECT_EQ(again.pairs, 123);
  EXPECT_EQ(again.agreement, one.agreement);
  EXPECT_EQ(again.temperature, one.temperature);
  EXPECT_EQ(again.weight, one.weight);
  EXPECT_EQ(again.confusion, one.confusion);
  EXPECT_EQ(again.length_slope, one.length_slope);
  EXPECT_TRUE(std::isnan(back.at("never asked").agreement));
  EXPECT_EQ(back.at("never asked").temperature, 1.0);
  EXPECT_EQ(back.thresholds, all.thresholds);
  all.save(file_);
  const std::string bytes = read_file(file_);
  back.save(file_);
  EXPECT_EQ(read_file(file_), bytes);
}

TEST_F(FittedFile, NamesTheJudgesItHoldsWhereOneIsMissing) {
  std::ofstream(file_) << changed("\"j\"", "\"k\"");
  try {
    FittedJudges::load(file_).at("j");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("judge 'j' was not calibrated; the file holds k"), std::string::npos)
        << error.what();
  }
}

TEST_F(FittedFile, WithWhatDoesNotBelongIsRefused) {
  EXPECT_NE(refusal("{").find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal("[]").find("holds an empty list; expected an object"), std::string::npos);
  expect_refused("\"thresholds\"", "\"treshold\"", "unknown key 'treshold'; the nearest known one is 'thresholds'");
  expect_refused("\"weight\"", "\"wieght\"",
                 "unknown key 'judges.j.wieght'; the nearest known one is 'judges.j.weight'");
  expect_refused("\"pairs\":10,", "", "'judges.j.pairs' is missing; expected a number from 0");
  expect_refused("\"pairs\":10", "\"pairs\":-1", "'judges.j.pairs' is -1; expected a number from 0");
  expect_refused("\"agreement\":0.7", "\"agreement\":70", "'judges.j.agreement' is 70; expected a number from 0 to 1");
  expect_refused("\"temperature\":1.5", "\"temperature\":0",
                 "'judges.j.temperature' is 0; expected a number from 1e-06");
  expect_refused("\"weight\":0.5", "\"weight\":\"0.5\"", "'judges.j.weight' is \"0.5\"; expected a number");
  expect_refused("[0.3,0.7]", "[0.3,0.6]", "'judges.j.confusion[1]' is a list; expected a row that sums to 1");
  expect_refused("[0.3,0.7]", "[0.3]", "'judges.j.confusion[1]' is a list; expected a row of two shares");
  expect_refused("[0.8]", "[0.3]", "'thresholds.c[0]' is 0.3; expected a number from 0.5 to 1");
  expect_refused("[0.8]", "0.8", "'thresholds.c' is 0.8; expected a list");
}

TEST_F(FittedFile, ThatIsNotThereIsRefused) { EXPECT_THROW(FittedJudges::load(file_), Error); }

}  // namespace
}  // namespace rlaif::judge
