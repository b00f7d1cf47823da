#include <sstream>

#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/preferences/store.hpp"
#include "unit/preferences_records.hpp"

namespace rlaif::preferences {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class JsonLinesTest : public StoreTest {
 protected:
  void write_store(const std::vector<Preference>& records, std::size_t block_size) {
    std::uint64_t blocks = 0;
    for (std::size_t at = 0; at < records.size(); at += block_size) {
      const std::size_t count = std::min(block_size, records.size() - at);
      write_shard(store(), blocks++, "test-judge", std::span(records).subspan(at, count));
    }
    finish_store(store(), blocks, "test-judge");
  }
  std::filesystem::path store() const { return folder_ / "store"; }
  std::filesystem::path lines() const { return folder_ / "lines.jsonl"; }
  std::vector<Json> exported(ExportForm form) {
    export_jsonl(store(), lines(), form);
    std::vector<Json> objects;
    std::istringstream text(read_file(lines()));
    for (std::string line; std::getline(text, line);) objects.push_back(Json::parse(line));
    return objects;
  }
  std::string import_error(const std::string& text) {
    write_file_atomic(lines(), text);
    const std::string message =
        error_of(ErrorKind::input, [&] { import_jsonl(lines(), folder_ / "imported", "judge", 2); });
    std::error_code ignored;
    EXPECT_TRUE(!std::filesystem::exists(folder_ / "imported") || std::filesystem::is_empty(folder_ / "imported"))
        << "a failed import left shards behind";
    return message;
  }
};

TEST_F(JsonLinesTest, FullFormReadsBackToTheSameBytes) {
  write_store(make_records(50), 16);
  export_jsonl(store(), lines(), ExportForm::full);
  const Manifest manifest = import_jsonl(lines(), folder_ / "again", "test-judge", 16);
  EXPECT_EQ(manifest.records(), 50u);
  ASSERT_EQ(manifest.shards.size(), 4u);
  for (std::uint64_t block = 0; block < 4; ++block) {
    EXPECT_EQ(read_file(shard_path(store(), block)), read_file(shard_path(folder_ / "again", block))) << block;
  }
  EXPECT_EQ(read_file(store() / "manifest.json"), read_file(folder_ / "again" / "manifest.json"));
}

TEST_F(JsonLinesTest, ConversationsAreKeptInShardsAndLines) {
  std::vector<Preference> records = make_records(9);
  set_turns(records[4].comparison.prompt, {{"system", "Be brief."}, {"user", "Hi"}});
  set_turns(records[7].comparison.prompt, {{"user", "a"}, {"assistant", ""}, {"user", "b\nUser: c"}});
  write_store(records, 4);
  const std::vector<Preference> read = read_store(store());
  ASSERT_EQ(read.size(), records.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    expect_same(read[i], records[i]);
    EXPECT_EQ(read[i].comparison.prompt.turns, records[i].comparison.prompt.turns);
  }
  const std::vector<Json> lines_read = exported(ExportForm::full);
  EXPECT_TRUE(lines_read[3]["prompt"].is_string());
  EXPECT_EQ(lines_read[4]["prompt"].dump(),
            R"([{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}])");
  import_jsonl(lines(), folder_ / "again", "test-judge", 4);
  for (std::uint64_t block = 0; block < 3; ++block)
    EXPECT_EQ(read_file(shard_path(store(), block)), read_file(shard_path(folder_ / "again", block))) << block;
  set_turns(records[4].comparison.prompt, {{"assistant", "a"}, {"user", "b"}});
  records[4].comparison.prompt.text += " ";
  EXPECT_THAT(error_of(ErrorKind::input, [&] { write_shard(folder_ / "other", 0, "test-judge", records); }),
              AllOf(HasSubstr("record 4"), HasSubstr("transcript")));
}

TEST_F(JsonLinesTest, FullFormHoldsEveryFieldUnderItsName) {
  Preference record;
  record.comparison.id = 18446744073709551615u;
  record.comparison.prompt = {5, "Where does Ada live?", "fact"};
  record.comparison.first = {2, "In \"Oslo\".", {}, {}, true};
  record.comparison.second = {3, "", {}, {}, false};
  record.verdict.status = VerdictStatus::ok;
  record.verdict.p_first = 0.75;
  record.verdict.p_first_by_order = {0.5, std::numeric_limits<double>::quiet_NaN()};
  record.verdict.rationale = "A is right.\n";
  record.verdict.usage = {11, 4, 3, 0.0625};
  write_store({record}, 1);
  export_jsonl(store(), lines(), ExportForm::full);
  EXPECT_EQ(read_file(lines()),
            R"({"id":18446744073709551615,"prompt_id":5,"prompt":"Where does Ada live?","family":"fact",)"
            R"("first":"In \"Oslo\".","first_sample":2,"first_ended":true,"second":"","second_sample":3,)"
            R"("second_ended":false,"status":"ok","p_first":0.75,"p_first_by_order":[0.5,null],)"
            R"("rationale":"A is right.\n","input_tokens":11,"cached_input_tokens":4,"output_tokens":3,)"
            R"("cost_usd":0.0625,"judge":"test-judge"})"
            "\n");
}

TEST_F(JsonLinesTest, TrlFormHoldsTheChoicesThatWereMade) {
  auto records = make_records(15);  // ok are 0, 7 and 14
  records[0].verdict.p_first = 0.9;
  records[7].verdict.p_first = 0.5;
  records[14].verdict.p_first = 0.1;
  write_store(records, 10);
  const auto objects = exported(ExportForm::trl);
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0], Json({{"prompt", records[0].comparison.prompt.text},
                              {"chosen", records[0].comparison.first.text},
                              {"rejected", records[0].comparison.second.text}}));
  EXPECT_EQ(objects[1]["chosen"], records[14].comparison.second.text);
  EXPECT_EQ(objects[1]["rejected"], records[14].comparison.first.text);
}

TEST_F(JsonLinesTest, TrlFormBecomesCertainPreferences) {
  write_file_atomic(lines(), R"({"prompt": "p", "chosen": "c", "rejected": "r"})"
                             "\r\n\n"
                             R"({"prompt": "q", "chosen": "c2", "rejected": "r2", "score": 3})"
                             "\n"
                             R"({"prompt": "p", "chosen": "c3", "rejected": "r3", "score": 4})");
  ::testing::internal::CaptureStderr();
  const Manifest manifest = import_jsonl(lines(), store(), "people", 2);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("'score'"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  EXPECT_EQ(manifest.shards.size(), 2u);
  const auto records = read_store(store());
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].comparison.first.text, "c2");
  EXPECT_EQ(records[1].comparison.second.text, "r2");
  EXPECT_EQ(records[1].comparison.id, 1u);
  EXPECT_EQ(records[1].verdict.p_first, 1.0);
  EXPECT_EQ(records[1].verdict.status, VerdictStatus::ok);
  EXPECT_TRUE(std::isnan(records[1].verdict.p_first_by_order[0]));
  EXPECT_EQ(records[1].judge, "people");
  EXPECT_EQ(records[0].comparison.prompt.id, 0u);
  EXPECT_EQ(records[1].comparison.prompt.id, 1u);
  EXPECT_EQ(records[2].comparison.prompt.id, 0u);
}

TEST_F(JsonLinesTest, PairsInFormsOfOthersBecomePreferences) {
  write_file_atomic(lines(), R"({"chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d", )"
                             R"("rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: e"})");
  import_jsonl(lines(), store(), "people", 2);
  auto records = read_store(store());
  ASSERT_EQ(records.size(), 1u);
  const std::vector<Message> turns{{"user", "a"}, {"assistant", "b"}, {"user", "c"}};
  EXPECT_EQ(records[0].comparison.prompt.turns, turns);
  EXPECT_EQ(records[0].comparison.first.text, "d");
  // TRL is given turns where the prompt is turns.
  const auto objects = exported(ExportForm::trl);
  EXPECT_EQ(objects.at(0)["prompt"].size(), 3u);
  EXPECT_EQ(objects.at(0)["rejected"].dump(), R"([{"role":"assistant","content":"e"}])");
  write_file_atomic(lines(),
                    R"({"prompt": "p", "response_a": "x", "response_b": "y", "annotators": ["a", "a", "tie", "b"]})");
  import_jsonl(lines(), folder_ / "voted", "people", 2);
  EXPECT_EQ(read_store(folder_ / "voted").at(0).verdict.p_first, 2.5 / 4);
  EXPECT_THAT(import_error(R"({"prompt": "p", "response_a": "x", "response_b": "y"})"),
              HasSubstr("lines.jsonl:1: expected the key 'label'"));
}

TEST_F(JsonLinesTest, TextThatIsNotUtf8IsReplacedAndSaid) {
  auto records = make_records(2);
  records[0].comparison.first.text = "good \xff bad";
  write_store(records, 2);
  ::testing::internal::CaptureStderr();
  const auto objects = exported(ExportForm::full);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), AllOf(HasSubstr("1 records"), HasSubstr("UTF-8")));
  EXPECT_EQ(objects[0]["first"], "good \xEF\xBF\xBD bad");
}

TEST_F(JsonLinesTest, ImportTakesTheJudgeFromTheLinesWhereNoneIsGiven) {
  write_store(make_records(3), 3);
  export_jsonl(store(), lines(), ExportForm::full);
  EXPECT_EQ(import_jsonl(lines(), folder_ / "again", "", 3).judge, "test-judge");
  std::string text = read_file(lines());
  text.replace(text.rfind("test-judge"), 10, "nobody");
  write_file_atomic(lines(), text);
  EXPECT_THAT(error_of(ErrorKind::input, [&] { import_jsonl(lines(), folder_ / "mixed", "", 1); }),
              HasSubstr("lines.jsonl:3: key 'judge'"));
}

TEST_F(JsonLinesTest, ImportNamesFileLineAndKey) {
  write_store(make_records(4), 4);
  export_jsonl(store(), lines(), ExportForm::full);
  const std::string text = read_file(lines());
  const std::size_t last = text.rfind("{\"id\"");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string copy = text;
    const std::size_t at = copy.find(from, last);
    EXPECT_NE(at, std::string::npos) << from;
    return import_error(copy.replace(at, from.size(), to));
  };
  EXPECT_THAT(changed("\"rationale\"", "\"rationales\""), AllOf(HasSubstr("lines.jsonl:4: "), HasSubstr("'rationales'"),
                                                                HasSubstr("nearest known one is 'rationale'")));
  EXPECT_THAT(changed("\"status\":\"truncated\"", "\"status\":\"truncate\""),
              AllOf(HasSubstr("lines.jsonl:4: key 'status'"), HasSubstr("'truncated'")));
  EXPECT_THAT(changed("\"status\":\"truncated\"", "\"status\":\"ok\""), HasSubstr("lines.jsonl:4: key p_first"));
  EXPECT_THAT(changed("\"first_ended\":", "\"first_ended\":1,\"family\":"), HasSubstr("lines.jsonl:4: "));
  EXPECT_THAT(changed("\"prompt_id\":", "\"prompt_id\":-"), HasSubstr("lines.jsonl:4: key 'prompt_id'"));
  EXPECT_THAT(changed("\"first_sample\":", "\"first_sample\":99999999999"), HasSubstr("key 'first_sample'"));
  EXPECT_THAT(changed("\"p_first_by_order\":[", "\"p_first_by_order\":[1,"), HasSubstr("key 'p_first_by_order'"));
  EXPECT_THAT(changed("\"cost_usd\":", "\"cost_usd\":-"), HasSubstr("key cost_usd"));
  EXPECT_THAT(changed("{", ""),
              HasSubstr("lines.jsonl:4: not valid JSON at byte 5 of the line; expected one whole JSON object"));
  EXPECT_THAT(changed("{", "[{"),
              AllOf(HasSubstr("lines.jsonl:4: not valid JSON"), HasSubstr("without an array around them")));
}

TEST_F(JsonLinesTest, ImportRefusesMissingKeysMixedFormsAndEmptyFiles) {
  EXPECT_THAT(import_error("{\"prompt\": \"p\", \"chosen\": \"c\"}"),
              HasSubstr("lines.jsonl:1: expected the key 'rejected'"));
  EXPECT_THAT(import_error("{\"prompt\": \"p\", \"chosen\": [], \"rejected\": \"\"}"),
              HasSubstr("lines.jsonl:1: key 'chosen': expected text"));
  EXPECT_THAT(import_error("{\"id\": 1}"),
              HasSubstr("lines.jsonl:1: key 'prompt_id' is missing; expected a whole number from 0"));
  const std::string trl = "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}\n";
  EXPECT_THAT(import_error(trl + trl + trl + "{\"id\": 1}"), HasSubstr("lines.jsonl:4: expected the key 'prompt'"));
  EXPECT_THAT(import_error("\n"), HasSubstr("holds no records"));
  EXPECT_THAT(error_of(ErrorKind::input, [&] { import_jsonl(folder_ / "none.jsonl", store(), "j", 2); }),
              HasSubstr("none.jsonl"));
  write_file_atomic(lines(), trl);
  error_of(ErrorKind::usage, [&] { import_jsonl(lines(), store(), "j", 0); });
}

TEST_F(JsonLinesTest, ImportKeepsOffAStoreThatIsThere) {
  write_store(make_records(2), 2);
  write_file_atomic(lines(), "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}\n");
  EXPECT_THAT(error_of(ErrorKind::input, [&] { import_jsonl(lines(), store(), "j", 2); }),
              HasSubstr("is there already"));
  expect_same(read_store(store()), make_records(2));
}

TEST_F(JsonLinesTest, ExportOfADamagedStoreLeavesNoFile) {
  write_store(make_records(4), 2);
  write_file_atomic(shard_path(store(), 1), "damage");
  error_of(ErrorKind::input, [&] { export_jsonl(store(), lines(), ExportForm::full); });
  EXPECT_EQ(names_in_folder(), std::vector<std::string>{"store"});
}

}  // namespace
}  // namespace rlaif::preferences
