// Prompts of a study's files.
#include <filesystem>

#include "rlaif/records/records.hpp"
#include "support/lines_file.hpp"

namespace rlaif::records {
namespace {

class Prompts : public LinesFile {
 protected:
  void expect_refused(const std::string& bytes, const std::string& line, std::vector<std::string> parts) {
    expect_refused_by(read_prompts, bytes, line, std::move(parts));
  }
};

TEST_F(Prompts, prompts_take_the_line_index_or_their_own_id) {
  const auto prompts = read_prompts(
      write("{\"prompt\": \"a\"}\n{\"prompt\": \"b\", \"id\": 18446744073709551615, \"family\": \"fact\"}\n"));
  ASSERT_EQ(prompts.size(), 2u);
  EXPECT_EQ(prompts[0].id, 0u);
  EXPECT_EQ(prompts[0].family, "");
  EXPECT_EQ(prompts[1].id, 18446744073709551615u);
  EXPECT_EQ(prompts[1].text, "b");
  EXPECT_EQ(prompts[1].family, "fact");
}

TEST_F(Prompts, bad_lines_are_refused_by_file_and_line) {
  const std::string good = "{\"prompt\": \"a\"}\n";
  expect_refused("", "", {"no prompt"});
  expect_refused("\n\n", "", {"no prompt"});
  expect_refused(good + "{\"prompt\": \"b\"", "2", {"not valid JSON"});
  expect_refused(good + "[1]\n", "2", {"an array", "a JSON object"});
  expect_refused(good + "{\"prompt\": \"b\"} {}", "2", {"not valid JSON"});
  expect_refused(good + "{\"prompt\": \"\xC3(\"}", "2", {"byte 13", "UTF-8"});
  expect_refused(good + "{\"prompt\": \"\\ud800\"}", "2", {"not valid JSON"});
  expect_refused(good + "{\"prompt\": \"\"}", "2", {"'prompt' is \"\"; expected a text that is not empty"});
  expect_refused(good + "{\"text\": \"b\"}", "2", {"'prompt' is missing"});
  expect_refused(good + "{\"prompt\": 5}", "2", {"'prompt' is 5"});
  expect_refused(good + "{\"prompt\": \"b\", \"id\": \"x\"}", "2", {"'id' is \"x\"", "a whole number from 0"});
  expect_refused(good + "{\"prompt\": \"b\", \"id\": -1}", "2", {"'id' is -1"});
  expect_refused(good + "{\"prompt\": \"b\", \"id\": 1e999}", "2", {"not readable as JSON"});
  expect_refused(good + "{\"prompt\": \"b\", \"id\": 0}", "2", {"id 0", "line 1", "unique"});
}

TEST_F(Prompts, without_an_id_may_say_so_by_null) {
  write("{\"prompt\": \"a\", \"id\": null}\n");
  EXPECT_EQ(read_prompts(file_).front().id, 0u);
}

TEST_F(Prompts, a_missing_file_is_named) {
  expect_error([] { read_prompts("no/such/prompts.jsonl"); }, ErrorKind::input, {"no/such/prompts.jsonl"});
}

TEST_F(Prompts, of_pairs_and_demonstrations_are_what_those_answer) {
  const auto prompts =
      read_prompts(write("{\"id\": \"p/1\", \"prompt\": \"a\", \"response_a\": \"x\", \"response_b\": \"\"}\n"
                         "{\"id\": \"p/2\", \"prompt\": \"b\", \"response_a\": \"x\", \"response_b\": \"x\"}\n"));
  ASSERT_EQ(prompts.size(), 2u);
  EXPECT_EQ(prompts[1].text, "b");
  EXPECT_EQ(prompts[1].id, 1u);
  const auto asked =
      read_prompts(write(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})"
                         "\n"
                         R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "c"}]})"));
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].text, "a");
  EXPECT_EQ(asked[1].turns, (std::vector<Message>{{"system", "s"}, {"user", "c"}}));
}

TEST_F(Prompts, beside_whole_conversations_are_taken_as_they_stand) {
  const auto prompts = read_prompts(write(
      R"({"prompt": "a", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]})"));
  ASSERT_EQ(prompts.size(), 1u);
  EXPECT_EQ(prompts[0].text, "a");
}

}  // namespace
}  // namespace rlaif::records
