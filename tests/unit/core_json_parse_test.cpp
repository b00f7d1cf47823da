#include <gtest/gtest.h>

#include "rlaif/core/json_parse.hpp"

namespace rlaif {
namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string object_of(std::size_t members) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  return text + "}";
}

TEST(JsonFromOutside, IsParsedWithinTheBounds) {
  EXPECT_EQ(parse_json_text(R"({"a": [1, {"b": "[[{{::"}], "c": "\"[\\"})").at("a")[1].at("b"), "[[{{::");
  EXPECT_TRUE(parse_json_text(nested(json_depth)).is_array());
  EXPECT_EQ(parse_json_text(object_of(json_members)).size(), json_members);
  EXPECT_EQ(try_parse_json("[1]"), Json::array({1}));
}

TEST(JsonFromOutside, IsRefusedBeyondThem) {
  EXPECT_THROW(parse_json_text(nested(json_depth + 1)), Json::parse_error);
  EXPECT_THROW(parse_json_text(std::string(10'000'000, '[')), Json::parse_error);
  EXPECT_THROW(parse_json_text(object_of(json_members + 1)), Json::parse_error);
  EXPECT_TRUE(try_parse_json(nested(json_depth + 1)).is_discarded());
  EXPECT_NO_THROW(check_json_bounds(object_of(json_members + 1), json_members + 1));
}

TEST(JsonFromOutside, BoundsAreOfOneObject) {
  const std::string half = object_of(json_members);
  EXPECT_EQ(parse_json_text("[" + half + "," + half + "]").size(), 2U);
}

TEST(JsonFromOutside, WhatIsNoJsonIsLeftToTheParser) {
  for (const char* text : {"", "]", "}}}", "\"", "\"\\", "{\"a\"", "[}", "nul"}) {
    EXPECT_THROW(parse_json_text(text), Json::parse_error) << text;
    EXPECT_TRUE(try_parse_json(text).is_discarded()) << text;
  }
}

TEST(JsonFromOutside, TheErrorSaysWhereAndWhat) {
  try {
    parse_json_text("  " + nested(json_depth + 1));
    FAIL();
  } catch (const Json::parse_error& error) {
    EXPECT_EQ(error.byte, json_depth + 3);
    EXPECT_NE(std::string(error.what()).find("nested deeper than 100"), std::string::npos);
  }
}

}  // namespace
}  // namespace rlaif
