#include "rlaif/core/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "rlaif/core/json_parse.hpp"
#include "support/expect_error.hpp"

namespace rlaif {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path file = "a/b.json";

// What parsing a text is refused with, the same for both types of object.
std::string parse_complaint(const std::string& text) {
  const std::string ordered = input_refusal([&] { parse_json(file, text); });
  EXPECT_EQ(input_refusal([&] { parse_json<IndexedJson>(file, text); }), ordered);
  return ordered;
}

class JsonReaderTest : public ::testing::Test {
 protected:
  Json json_ =
      Json::parse(R"({"name": "x", "empty": "", "yes": true, "none": null, "whole": 7, "minus": -7, "part": 0.5,
    "huge": 18446744073709551615, "list": [1, [2, "b"], {"c": 3}], "no_items": [], "object": {"inner": {"key": 1}}})");
  JsonReader root_{file, json_};

  std::string refused(const std::string& key, const std::function<void(const JsonReader&)>& read) {
    return input_refusal([&] { read(root_.at(key)); });
  }
};

TEST_F(JsonReaderTest, EachTypeIsRead) {
  EXPECT_EQ(root_.at("name").string(), "x");
  EXPECT_EQ(root_.at("name").text(), "x");
  EXPECT_EQ(root_.at("empty").string(), "");
  EXPECT_TRUE(root_.at("yes").boolean());
  EXPECT_EQ(root_.at("minus").integer(), -7);
  EXPECT_EQ(root_.at("whole").count(), 7u);
  EXPECT_EQ(root_.at("huge").count(), 18446744073709551615u);
  EXPECT_EQ(root_.at("part").number(), 0.5);
  EXPECT_EQ(root_.at("whole").number(), 7.0);
  EXPECT_TRUE(root_.at("none").json().is_null());
  EXPECT_EQ(root_.at("list").items().size(), 3u);
  EXPECT_EQ(root_.at("no_items").items().size(), 0u);
  EXPECT_EQ(root_.at("object").members().at(0).first, "inner");
  EXPECT_TRUE(root_.at("object").object().contains("inner"));
}

TEST_F(JsonReaderTest, OtherTypesAreRefusedByFilePlaceAndWhatWasFound) {
  EXPECT_EQ(refused("whole", [](const JsonReader& r) { r.string(); }), "a/b.json: key 'whole' is 7; expected a text");
  EXPECT_EQ(refused("empty", [](const JsonReader& r) { r.text(); }),
            "a/b.json: key 'empty' is \"\"; expected a text that is not empty");
  EXPECT_EQ(refused("none", [](const JsonReader& r) { r.boolean(); }),
            "a/b.json: key 'none' is null; expected true or false");
  EXPECT_EQ(refused("part", [](const JsonReader& r) { r.integer(); }),
            "a/b.json: key 'part' is 0.5; expected an integer");
  EXPECT_EQ(refused("huge", [](const JsonReader& r) { r.integer(); }),
            "a/b.json: key 'huge' is 18446744073709551615; expected an integer");
  EXPECT_EQ(refused("minus", [](const JsonReader& r) { r.count(); }),
            "a/b.json: key 'minus' is -7; expected a whole number from 0");
  EXPECT_EQ(refused("yes", [](const JsonReader& r) { r.number(); }), "a/b.json: key 'yes' is true; expected a number");
  EXPECT_EQ(refused("object", [](const JsonReader& r) { r.items(); }),
            "a/b.json: key 'object' is an object; expected a list");
  EXPECT_EQ(refused("no_items", [](const JsonReader& r) { r.members(); }),
            "a/b.json: key 'no_items' is an empty list; expected an object");
  EXPECT_EQ(refused("list", [](const JsonReader& r) { r.at("key"); }),
            "a/b.json: key 'list' is a list; expected an object");
  const Json list = Json::array({1});
  EXPECT_EQ(input_refusal([&] { JsonReader(file, list).at("key"); }), "a/b.json: holds a list; expected an object");
}

TEST_F(JsonReaderTest, NumbersAreHeldAgainstTheirRange) {
  EXPECT_EQ(root_.at("whole").count(7, 7), 7u);
  EXPECT_EQ(root_.at("part").number(0.5, 0.5), 0.5);
  EXPECT_EQ(root_.at("part").number_from(0.5), 0.5);
  EXPECT_EQ(root_.at("part").number_above(0.25), 0.5);
  EXPECT_EQ(refused("whole", [](const JsonReader& r) { r.count(8); }),
            "a/b.json: key 'whole' is 7; expected a whole number from 8");
  EXPECT_EQ(refused("whole", [](const JsonReader& r) { r.count(1, 6); }),
            "a/b.json: key 'whole' is 7; expected a whole number from 1 to 6");
  EXPECT_EQ(refused("part", [](const JsonReader& r) { r.count(0, 6); }),
            "a/b.json: key 'part' is 0.5; expected a whole number from 0 to 6");
  EXPECT_EQ(refused("whole", [](const JsonReader& r) { r.number(-1.0, 0.25); }),
            "a/b.json: key 'whole' is 7; expected a number from -1 to 0.25");
  EXPECT_EQ(refused("minus", [](const JsonReader& r) { r.number(-1.0, 1.0); }),
            "a/b.json: key 'minus' is -7; expected a number from -1 to 1");
  EXPECT_EQ(refused("minus", [](const JsonReader& r) { r.number_from(0.0); }),
            "a/b.json: key 'minus' is -7; expected a number of at least 0");
  EXPECT_EQ(refused("part", [](const JsonReader& r) { r.number_above(0.5); }),
            "a/b.json: key 'part' is 0.5; expected a number above 0.5");
  EXPECT_EQ(refused("no_items", [](const JsonReader& r) { r.items(1); }),
            "a/b.json: key 'no_items' is an empty list; expected a list that is not empty");
  EXPECT_EQ(refused("list", [](const JsonReader& r) { r.items(4); }),
            "a/b.json: key 'list' is a list; expected a list of at least 4");
}

TEST_F(JsonReaderTest, TextsAreHeldAgainstTheKnownOnes) {
  EXPECT_EQ(root_.at("name").one_of({"x", "y"}), "x");
  EXPECT_EQ(refused("name", [](const JsonReader& r) { r.one_of({"y", "z"}); }),
            "a/b.json: key 'name' is \"x\"; expected \"y\" or \"z\"");
  EXPECT_EQ(refused("whole", [](const JsonReader& r) { r.one_of({"x", "y", "z"}); }),
            "a/b.json: key 'whole' is 7; expected \"x\", \"y\" or \"z\"");
}

TEST_F(JsonReaderTest, DatesAreOfOneForm) {
  const Json dates = {"2025-01-31", "2025-13-01", "2025-1-31", "2025-01-31T", "x", 20250131};
  const std::vector<JsonReader> items = JsonReader(file, dates).items();
  EXPECT_EQ(items[0].date(), "2025-01-31");
  for (std::size_t i = 1; i < items.size(); ++i)
    EXPECT_THAT(input_refusal([&] { items[i].date(); }), HasSubstr("expected a date like 2025-01-31")) << i;
}

TEST_F(JsonReaderTest, PathsLeadThroughObjectsAndLists) {
  EXPECT_EQ(root_.path(), "");
  EXPECT_EQ(root_.at("object").at("inner").at("key").path(), "object.inner.key");
  EXPECT_EQ(root_.at("list").items()[1].items()[1].path(), "list[1][1]");
  EXPECT_EQ(root_.at("list").items()[2].members()[0].second.path(), "list[2].c");
  EXPECT_EQ(root_.error("is odd").what(), std::string("a/b.json: is odd"));
  EXPECT_EQ(root_.at("list").items()[2].at("c").error("is odd").what(),
            std::string("a/b.json: key 'list[2].c': is odd"));
  EXPECT_EQ(JsonReader(file, json_, 12).at("name").unexpected("a number").what(),
            std::string("a/b.json:12: key 'name' is \"x\"; expected a number"));
}

TEST_F(JsonReaderTest, WhatIsMissingIsNamedByWhatReadsIt) {
  EXPECT_EQ(refused("nme", [](const JsonReader& r) { r.text(); }),
            "a/b.json: key 'nme' is missing; expected a text that is not empty");
  EXPECT_EQ(input_refusal([&] { root_.at("object").at("inner").at("k").count(1, 5); }),
            "a/b.json: key 'object.inner.k' is missing; expected a whole number from 1 to 5");
  EXPECT_EQ(refused("nme", [](const JsonReader& r) { r.at("below"); }),
            "a/b.json: key 'nme' is missing; expected an object");
  EXPECT_EQ(refused("nme", [](const JsonReader& r) { r.json(); }), "a/b.json: key 'nme' is missing; expected a value");
  EXPECT_FALSE(root_.find("nme"));
  EXPECT_FALSE(root_.given("nme"));
  EXPECT_TRUE(root_.find("none"));
  EXPECT_FALSE(root_.given("none"));
  EXPECT_EQ(root_.given("whole")->integer(), 7);
  EXPECT_EQ(root_.string_or("none", "y") + root_.string_or("nme", "z") + root_.string_or("name", ""), "yzx");
  EXPECT_TRUE(root_.boolean_or("none", true) && root_.boolean_or("yes", false));
  EXPECT_THAT(input_refusal([&] { root_.string_or("whole", ""); }), HasSubstr("key 'whole' is 7"));
}

TEST_F(JsonReaderTest, UnknownKeysAreNamedWithTheNearestKnownOne) {
  const JsonReader inner = root_.at("object").at("inner");
  EXPECT_EQ(input_refusal([&] { inner.allow_only({"other", "key"}); }), "accepted");
  EXPECT_EQ(input_refusal([&] { inner.allow_only({"keys", "other"}); }),
            "a/b.json: unknown key 'object.inner.key'; the nearest known one is 'object.inner.keys'");
  EXPECT_THAT(input_refusal([&] { root_.allow_only({"nme"}); }),
              HasSubstr("unknown key 'name'; the nearest known one is 'nme'"));
  EXPECT_EQ(refused("list", [](const JsonReader& r) { r.allow_only({}); }),
            "a/b.json: key 'list' is a list; expected an object");
}

TEST_F(JsonReaderTest, LongValuesAreCutAndStayInOneLine) {
  const Json json{{"long", std::string(1000, 'x')}, {"lines", "a\nb"}};
  const std::string message = JsonReader(file, json).at("long").unexpected("a number").what();
  EXPECT_LT(message.size(), 150u);
  EXPECT_THAT(message, HasSubstr("..."));
  EXPECT_THAT(JsonReader(file, json).at("lines").unexpected("a number").what(), HasSubstr("\"a\\nb\""));
}

TEST(ParseJson, AWholeTextIsTheSameForBothTypes) {
  const std::string text = "{\"b\": 1, \"a\": {\"b\": [{\"b\": 2}, {\"b\": 3}]}}\n";
  EXPECT_EQ(parse_json(file, text).dump(), R"({"b":1,"a":{"b":[{"b":2},{"b":3}]}})");
  EXPECT_EQ(parse_json<IndexedJson>(file, text).dump(), R"({"a":{"b":[{"b":2},{"b":3}]},"b":1})");
}

TEST(ParseJson, AKeyThatStandsTwiceIsRefusedInAnyObject) {
  for (const char* text : {R"({"k": 1, "k": 1})", R"([{"k": {"k": 1}, "k": 2}])", R"({"a": [{"k": [], "k": {}}]})"})
    EXPECT_EQ(parse_complaint(text), "a/b.json: the key \"k\" stands twice in one object; expected each key once");
}

TEST(ParseJson, TheLineOfASyntaxErrorIsNamed) {
  EXPECT_THAT(parse_complaint("{\n\"a\": 1,\n\"b\": ]\n}"), HasSubstr("a/b.json:3: not valid JSON: "));
  EXPECT_THAT(parse_complaint("{\n\"a\": 1,\n\"b\": ]\n}"), HasSubstr("unexpected ']'"));
  EXPECT_THAT(parse_complaint("[1, 2"), HasSubstr("unexpected end of input; expected ']'"));
  EXPECT_THAT(parse_complaint(""), HasSubstr("a/b.json:1: not valid JSON: "));
  EXPECT_THAT(parse_complaint("{}\n{}"), HasSubstr("a/b.json:2: not valid JSON: "));
  EXPECT_THAT(parse_complaint("[nul"), HasSubstr("; expected one whole JSON text"));
  EXPECT_LT(parse_complaint("{\n\"" + std::string(10000, 'x')).size(), 250u);
  EXPECT_THAT(parse_complaint("[1e999]"), HasSubstr("a/b.json: not readable as JSON: "));
}

TEST(ParseJson, WhatIsTooDeepOrTooWideIsRefusedByItsLine) {
  EXPECT_THAT(parse_complaint("\n" + std::string(json_depth + 1, '[')),
              HasSubstr("a/b.json:2: not valid JSON: nested deeper than 100"));
  std::string wide = "{";
  for (std::size_t i = 0; i <= json_members; ++i) wide += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  wide += "}";
  EXPECT_THAT(input_refusal([&] { parse_json(file, wide); }), HasSubstr("more members"));
  EXPECT_EQ(parse_json<IndexedJson>(file, wide).size(), json_members + 1);
}

TEST(NumberOrNull, OnlyFiniteNumbersStay) {
  EXPECT_EQ(number_or_null(0.5).dump(), "0.5");
  EXPECT_TRUE(number_or_null(std::numeric_limits<double>::quiet_NaN()).is_null());
  EXPECT_TRUE(number_or_null(-std::numeric_limits<double>::infinity()).is_null());
}

}  // namespace
}  // namespace rlaif
