// Records written in every form: the lines by hand, and the same records when they are read again.
#include "rlaif/records/write.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/text/line_file.hpp"
#include "support/expect_error.hpp"

namespace rlaif::records {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class WrittenRecords : public ::testing::Test {
 protected:
  WrittenRecords() : folder_(fs::temp_directory_path() / ("rlaif-written-" + std::to_string(getpid()))) {
    make_folders(folder_);
  }
  ~WrittenRecords() override { fs::remove_all(folder_); }

  std::string written(const std::string& form, const std::vector<Record>& records, LeftOut* left_out = nullptr) {
    write_records(file_, form, records, left_out);
    return read_file(file_);
  }

  fs::path folder_, file_ = folder_ / "a.jsonl";
};

Record record_of(std::vector<Message> turns, std::vector<std::string> responses, std::optional<double> label) {
  Record record;
  record.line = 7;
  record.id = "i";
  set_turns(record.prompt, std::move(turns));
  record.responses = std::move(responses);
  record.label = record.stated = label;
  return record;
}

const std::vector<Message> spoken{{"system", "s"}, {"user", "u"}, {"assistant", "a"}, {"user", "v"}};

TEST_F(WrittenRecords, LookAsTheirFormHasIt) {
  const Record text = record_of({{"user", "The sky is"}}, {" green.", " blue."}, 0.0);
  EXPECT_EQ(written("preference", {text}),
            "{\"prompt\":\"The sky is\",\"chosen\":\" blue.\",\"rejected\":\" green.\"}\n");
  EXPECT_EQ(written("implicit-preference", {text}),
            "{\"chosen\":\"The sky is blue.\",\"rejected\":\"The sky is green.\"}\n");
  EXPECT_EQ(
      written("transcripts", {record_of({{"user", "u"}, {"assistant", "a"}, {"user", "v"}}, {"b", "c"}, 1.0)}),
      R"({"chosen":"\n\nHuman: u\n\nAssistant: a\n\nHuman: v\n\nAssistant: b","rejected":"\n\nHuman: u\n\nAssistant: a\n\nHuman: v\n\nAssistant: c"})"
      "\n");
  const std::string turns =
      R"({"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"})";
  const auto answer = [](const std::string& content) {
    return R"({"role":"assistant","content":")" + content + R"("})";
  };
  const Record conversation = record_of(spoken, {"b", "c"}, 1.0);
  EXPECT_EQ(written("preference-conversational", {conversation}),
            R"({"prompt":[)" + turns + R"(],"chosen":[)" + answer("b") + R"(],"rejected":[)" + answer("c") + "]}\n");
  EXPECT_EQ(written("implicit-preference-conversational", {conversation}),
            R"({"chosen":[)" + turns + "," + answer("b") + R"(],"rejected":[)" + turns + "," + answer("c") + "]}\n");
  EXPECT_EQ(written("openai-preference", {conversation}),
            R"({"input":{"messages":[)" + turns + R"(],"tools":[],"parallel_tool_calls":true},"preferred_output":[)" +
                answer("b") + R"(],"non_preferred_output":[)" + answer("c") + "]}\n");
  Record voted = conversation;
  voted.label = 0.25;
  voted.stated = 0.0;
  voted.votes = {0.0, 0.5};
  voted.subset = "x";
  voted.model_b = "m";
  EXPECT_EQ(
      written("pairs", {voted}),
      R"({"id":"i","subset":"x","prompt":"System: s\n\nUser: u\n\nAssistant: a\n\nUser: v","response_a":"b","response_b":"c","label":"b",)"
      R"("annotators":["b","tie"],"messages":[)" +
          turns +
          R"(],"model_b":"m"})"
          "\n");
  const Record shown = record_of(spoken, {"b"}, 0.0);
  EXPECT_EQ(written("messages", {shown}), R"({"messages":[)" + turns + "," + answer("b") + "]}\n");
  EXPECT_EQ(written("prompt-completion-conversational", {shown}),
            R"({"prompt":[)" + turns + R"(],"completion":[)" + answer("b") + "]}\n");
  EXPECT_EQ(written("prompt-response", {shown}), R"({"prompt":[)" + turns +
                                                     R"(],"response":"b"})"
                                                     "\n");
  EXPECT_EQ(written("unpaired-preference-conversational", {shown}), R"({"prompt":[)" + turns + R"(],"completion":[)" +
                                                                        answer("b") +
                                                                        R"(],"label":false})"
                                                                        "\n");
  EXPECT_EQ(written("unpaired-preference", {record_of({{"user", "p"}}, {"b"}, 1.0)}),
            "{\"prompt\":\"p\",\"completion\":\"b\",\"label\":true}\n");
  EXPECT_EQ(written("prompt-completion", {record_of({{"user", "p"}}, {"b"}, {})}),
            "{\"prompt\":\"p\",\"completion\":\"b\"}\n");
  EXPECT_EQ(written("prompt-only", {record_of({{"user", "p"}}, {}, {})}), "{\"prompt\":\"p\"}\n");
  EXPECT_EQ(written("prompt-only-conversational", {record_of({{"user", "p"}}, {}, {})}),
            R"({"prompt":[{"role":"user","content":"p"}]})"
            "\n");
}

// What a form keeps of a record.
std::string kept_of(const Record& record) {
  std::string text;
  for (const Message& turn : turns_of(record.prompt)) text += turn.role + "<" + turn.content + ">";
  for (const std::string& response : record.responses) text += "|" + response;
  return text + "|" + (record.label ? std::to_string(*record.label) : "none");
}

TEST_F(WrittenRecords, AreTheSameWhenTheyAreReadAgain) {
  const std::vector<Message> odd{{"user", "é \"q\"\n\tx"}};
  for (const WrittenForm& form : written_forms()) {
    const std::size_t count = form.kind == Kind::prompt ? 0 : form.kind == Kind::pair ? 2 : 1;
    std::vector<std::string> responses{"\"b\"  ", "c\n\nd"};
    responses.resize(count);
    const std::optional<double> label =
        form.kind == Kind::pair || form.kind == Kind::rated ? std::optional(1.0) : std::nullopt;
    std::vector<Record> records{record_of(odd, responses, label)};
    const bool holds_turns = form.name.find("conversational") != std::string::npos || form.name == "messages" ||
                             form.name == "openai-preference" || form.name == "pairs" || form.name == "prompt-response";
    if (holds_turns) records.push_back(record_of(spoken, responses, label));
    if (form.name == "transcripts")
      records.push_back(record_of({{"user", " u "}, {"assistant", ""}, {"user", "v\n"}}, responses, label));
    for (const char* name : {"b.jsonl", "b.jsonl.gz", "b.jsonl.zst"}) {
      EXPECT_EQ(write_records(folder_ / name, form.name, records), records.size());
      const std::vector<Record> read = read_records(folder_ / name, form.kind);
      ASSERT_EQ(read.size(), records.size()) << form.name;
      for (std::size_t i = 0; i < read.size(); ++i)
        EXPECT_EQ(kept_of(read[i]), kept_of(records[i])) << form.name << " " << form.line;
    }
    EXPECT_EQ(form_to_write(form.name).name, form.name);
  }
}

TEST_F(WrittenRecords, ThatAFormCannotSayAreRefusedByLine) {
  const auto refused = [&](const std::string& form, const Record& record, const std::vector<std::string>& parts) {
    expect_error([&] { write_records(file_, form, std::vector<Record>{record}); }, ErrorKind::input, parts);
    expect_error([&] { write_records(file_, form, std::vector<Record>{record}); }, ErrorKind::input,
                 {"a.jsonl", "the record of line 7 "});
    expect_error([&] { write_records(file_, form, std::vector<Record>{record}, nullptr, "in.jsonl"); },
                 ErrorKind::input, {"in.jsonl:7: the record of line 7 ", "the form " + form + " cannot say it"});
    EXPECT_FALSE(fs::exists(file_));
  };
  const Record conversation = record_of(spoken, {"b", "c"}, 1.0);
  refused("preference", conversation, {"is a conversation", "conversational"});
  refused("implicit-preference", conversation, {"is a conversation"});
  refused("transcripts", conversation, {"has a system turn"});
  refused("transcripts", record_of({{"user", "a\n\nHuman: b"}}, {"b", "c"}, 1.0), {"a mark of transcripts"});
  refused("transcripts", record_of({{"user", "a"}}, {"b\n\nAssistant: x", "c"}, 1.0), {"a mark of transcripts"});
  refused("implicit-preference", record_of({{"user", "The sky is"}}, {" blue.", " black."}, 1.0),
          {"begin alike", "preference was expected"});
  expect_error([&] { write_records(file_, "preferences", {}); }, ErrorKind::usage, {"'preferences'", "'preference'"});
}

TEST_F(WrittenRecords, WithoutAPreferenceAreLeftOutWhereOneIsNeeded) {
  const std::vector<Record> records{
      record_of({{"user", "p"}}, {"a", "b"}, 0.5), record_of({{"user", "p"}}, {"a", "b"}, {}),
      record_of({{"user", "p"}}, {"a", "b"}, 0.75), record_of({{"user", "p"}}, {"a", "b"}, 0.25)};
  LeftOut left_out;
  EXPECT_EQ(written("preference", records, &left_out),
            "{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"}\n{\"prompt\":\"p\",\"chosen\":\"b\",\"rejected\":"
            "\"a\"}\n");
  EXPECT_EQ(left_out.records, 2u);
  EXPECT_EQ(write_records(file_, "pairs", records, &left_out), 4u);
  EXPECT_EQ(left_out.records, 0u);
}

TEST(Unpaired, AreTheBetterResponseAndTheWorse) {
  LeftOut left_out;
  const std::vector<Record> rated =
      unpaired({record_of({{"user", "p"}}, {"a", "b"}, 0.0), record_of({{"user", "q"}}, {"c", "d"}, 0.5)}, &left_out);
  EXPECT_EQ(left_out.records, 1u);
  EXPECT_EQ(left_out.first, "the record of line 7 has no response that is preferred to the other");
  ASSERT_EQ(rated.size(), 2u);
  EXPECT_THAT(rated[0].responses, ElementsAre("b"));
  EXPECT_EQ(rated[0].label, 1.0);
  EXPECT_THAT(rated[1].responses, ElementsAre("a"));
  EXPECT_EQ(rated[1].label, 0.0);
  EXPECT_EQ(rated[1].prompt.text, "p");
}

TEST(HeldOut, IsAShareThatStaysWhatItIsAndGrowsWithTheShare) {
  std::size_t tenth = 0, half = 0;
  for (int i = 0; i < 4000; ++i) {
    Prompt prompt;
    prompt.text = "prompt " + std::to_string(i);
    const bool in_tenth = is_held_out(prompt, 0.1), in_half = is_held_out(prompt, 0.5);
    EXPECT_TRUE(!in_tenth || in_half);
    tenth += in_tenth, half += in_half;
    prompt.id = 99;
    prompt.family = "f";
    EXPECT_EQ(is_held_out(prompt, 0.5), in_half);  // by what it says alone
    EXPECT_FALSE(is_held_out(prompt, 0.0));
    EXPECT_TRUE(is_held_out(prompt, 1.0));
  }
  // Four standard deviations of binomial counts: 4 * sqrt(4000 * 0.1 * 0.9) = 76, 4 * sqrt(4000 * 0.25) = 127.
  EXPECT_NEAR(static_cast<double>(tenth), 400.0, 76.0);
  EXPECT_NEAR(static_cast<double>(half), 2000.0, 127.0);
}

}  // namespace
}  // namespace rlaif::records
