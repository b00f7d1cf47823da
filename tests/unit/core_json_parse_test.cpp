#include <gtest/gtest.h>
#include <unistd.h>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
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

TEST(JsonFromOutside, StringsEndAtTheirMarkWhereverItStands) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string contents(size, '[');  // brackets that would be too deep outside of the string
      contents[at] = '\\';
      if (at + 1 < size) contents[at + 1] = '"';
      if (at + 1 == size) contents += '\\';
      std::string text = "[\"";
      for (int times = 0; times < 4; ++times) text += contents;
      EXPECT_NO_THROW(check_json_bounds(text + "\"," + nested(json_depth - 1) + "]")) << size << " " << at;
      EXPECT_THROW(check_json_bounds(text + "\"," + nested(json_depth) + "]"), Json::parse_error) << size << " " << at;
    }
  }
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

TEST(SealedJson, ComesBackOrIsRefusedByName) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("rlaif-sealed-" + std::to_string(::getpid()) + ".json");
  const Json object{{"b", 0.1}, {"a", {1, "two", nullptr}}};
  write_sealed_json(file, object);
  EXPECT_EQ(read_sealed_json(file), object);
  const std::string whole = read_file(file);
  for (const std::string& bytes :
       {whole.substr(0, whole.size() / 2), std::string(whole).replace(whole.find("0.1"), 3, "0.2"), std::string("[]"),
        std::string()}) {
    write_file_atomic(file, bytes);
    try {
      read_sealed_json(file);
      ADD_FAILURE() << bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
    }
  }
  write_file_atomic(file, R"({"of an earlier version": 1})");
  EXPECT_EQ(read_sealed_json(file), (Json{{"of an earlier version", 1}}));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace rlaif
