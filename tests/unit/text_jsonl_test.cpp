#include "rlaif/text/jsonl.hpp"

#include <filesystem>

#include "support/lines_file.hpp"
#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

using ::testing::ElementsAre;

class Jsonl : public LinesFile {
 protected:
  void expect_refused(const std::string& bytes, const std::string& line, std::vector<std::string> parts) {
    expect_refused_by(read_json_lines, bytes, line, std::move(parts));
  }
};

TEST_F(Jsonl, reads_each_object_with_its_line) {
  const auto records = read_json_lines(write("{\"a\": \"x\"}\n\n  \t\r\n{\"a\": 2.5, \"b\": true}\r\n{\"a\": null}"));
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].line, 1u);
  EXPECT_EQ(records[0].string("a"), "x");
  EXPECT_EQ(records[1].line, 4u);
  EXPECT_EQ(records[1].number("a"), 2.5);
  EXPECT_TRUE(records[1].boolean("b"));
  EXPECT_EQ(records[2].line, 5u);
  EXPECT_TRUE(records[2].has("a"));
  EXPECT_FALSE(records[2].has("b"));
  EXPECT_EQ(records[0].string_or("b", "none"), "none");
}

TEST_F(Jsonl, getters_name_file_line_key_and_what_was_expected) {
  const JsonRecord record = read_json_lines(write("\n{\"n\": 3, \"s\": \"x\", \"z\": null}")).at(0);
  const auto refused = [&](auto f, const std::vector<std::string>& parts) {
    expect_error(f, ErrorKind::input, parts);
    expect_error(f, ErrorKind::input, {file_.string() + ":2"});
  };
  refused([&] { record.string("n"); }, {"key 'n' is 3", "expected a text"});
  refused([&] { record.number("s"); }, {"key 's' is \"x\"", "expected a number"});
  refused([&] { record.boolean("z"); }, {"'z' is null", "true or false"});
  refused([&] { record.number("q"); }, {"'q' is missing", "a number"});
  refused([&] { record.string_or("n", ""); }, {"key 'n' is 3", "expected a text"});
}

TEST_F(Jsonl, a_written_line_keeps_the_order_of_keys_and_has_no_line_end) {
  EXPECT_EQ(to_json_line({{"b", "x\ny"}, {"a", "é"}}), "{\"b\":\"x\\ny\",\"a\":\"é\"}");
  EXPECT_EQ(to_json_line({{"b", "x\xFFy"}}), "{\"b\":\"x\uFFFDy\"}");
}

TEST_F(Jsonl, a_line_that_is_no_object_is_named_by_its_cause) {
  expect_refused("[\n{\"prompt\": \"a\"}\n]\n", "1", {"without an array around them"});
  expect_refused("[{\"prompt\": \"a\"}]\n", "1", {"an array", "without an array around them"});
  expect_refused("{\n  \"prompt\": \"a\"\n}\n", "1", {"in one line"});
  expect_refused("{\"prompt\": \"a\"},\n", "1", {"without a comma"});
  for (const char* name : {"NaN", "Infinity", "-Infinity"}) {
    expect_refused("{\"prompt\": \"NaN in a text\", \"score\": " + std::string(name) + "}\n", "1",
                   {"is no JSON", "null"});
  }
  expect_refused(std::string("\xFF\xFE{\0", 4), "1", {"UTF-16", "UTF-8"});
  expect_refused(std::string("\xFE\xFF\0{", 4), "1", {"UTF-16"});
  expect_refused("BZh91AY", "1", {"bzip2", "gzip or zstd"});
  expect_refused(std::string("\xFD"
                             "7zXZ\0",
                             6),
                 "1", {"by xz"});
  expect_refused(std::string("PK\x03\x04", 4), "1", {"zip archive"});
  expect_refused("\x1F\x8B\x08", "1", {"gzip"});
  expect_refused("PAR1\x15\x04", "1", {"Parquet", "jobs/convert_dataset.py"});
  expect_refused(std::string("ARROW1\0\0", 8), "1", {"Arrow", "jobs/convert_dataset.py"});
  expect_refused("\xFF\xFF\xFF\xFF\x10", "1", {"Arrow", "jobs/convert_dataset.py"});
  expect_refused("{\"prompt\": \"caf\xE9\"}\n", "1", {"byte 16", "not UTF-8"});
  expect_refused("\xEF\xBB\xBF\n", "1", {"not valid JSON"});
}

TEST_F(Jsonl, a_byte_order_mark_of_utf8_is_passed_over) {
  const auto records = read_json_lines(write("\xEF\xBB\xBF{\"prompt\": \"a\"}\n"));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].string("prompt"), "a");
}

TEST_F(Jsonl, turns_take_parts_of_text_and_name_the_one_that_is_none) {
  const JsonRecord record =
      read_json_lines(
          write(
              R"({"m": [{"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "a"},)"
              R"( {"type": "text", "text": "b"}]}], "n": [{"role": "user", "content": [{"type": "image_url"}]}], "o": "x"})"))
          .at(0);
  EXPECT_EQ(turns_in(record, "m", record.object["m"]), (std::vector<Message>{{"system", "s"}, {"user", "ab"}}));
  expect_error([&] { turns_in(record, "n", record.object["n"]); }, ErrorKind::input,
               {file_.string() + ":1", "key 'n'", "turn 1", "'content'"});
  expect_error([&] { turns_in(record, "o", record.object["o"]); }, ErrorKind::input, {"key 'o'", "a list of turns"});
}

}  // namespace
}  // namespace rlaif::text
