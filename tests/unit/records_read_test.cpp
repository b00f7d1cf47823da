// Records in every form, read from lines written by hand, and what is said of lines that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/text/line_file.hpp"
#include "support/expect_error.hpp"

namespace rlaif::records {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Records : public ::testing::Test {
 protected:
  Records() : folder_(fs::temp_directory_path() / ("rlaif-records-" + std::to_string(getpid()))) {
    make_folders(folder_);
  }
  ~Records() override { fs::remove_all(folder_); }

  fs::path write(const std::string& text, const std::string& name = "a.jsonl") const {
    write_file_atomic(folder_ / name, text::compressed_for(name, text));
    return folder_ / name;
  }
  Record only(const std::string& line, Kind wanted) const {
    const std::vector<Record> records = read_records(write(line + "\n"), wanted);
    EXPECT_EQ(records.size(), 1u);
    return records.at(0);
  }
  // Reading fails with a message that names the last line and holds the parts.
  void expect_refused(const std::vector<std::string>& lines, Kind wanted, std::vector<std::string> parts) const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    const fs::path file = write(text);
    parts.push_back(file.string() + ":" + std::to_string(lines.size()) + ": ");
    expect_error([&] { read_records(file, wanted); }, ErrorKind::input, parts);
  }
  // The record is refused, and left out and counted where that is asked.
  void expect_flawed(const std::string& good, const std::string& flawed, Kind wanted,
                     std::vector<std::string> parts) const {
    expect_refused({good, flawed}, wanted, parts);
    LeftOut left_out;
    const std::vector<Record> records = read_records(write(good + "\n" + flawed + "\n"), wanted, &left_out);
    EXPECT_EQ(records.size(), 1u);
    EXPECT_EQ(left_out.records, 1u);
    for (const std::string& part : parts) EXPECT_THAT(left_out.first, HasSubstr(part));
  }

  fs::path folder_;
};

const std::vector<Message> sky{{"user", "What color is the sky?"}};
const std::string sky_json = R"([{"role": "user", "content": "What color is the sky?"}])";
const std::string blue_json = R"([{"role": "assistant", "content": "It is blue."}])";
const std::string green_json = R"([{"role": "assistant", "content": "It is green."}])";
const std::string talk =
    R"({"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "v"})";
const std::vector<Message> talk_turns{{"system", "s"}, {"user", "u"}, {"assistant", "a"}, {"user", "v"}};

TEST_F(Records, OfPromptsHaveNoResponse) {
  Record one = only(R"({"prompt": "The sky is", "family": "fact"})", Kind::prompt);
  EXPECT_EQ(one.prompt.text, "The sky is");
  EXPECT_EQ(one.prompt.family, "fact");
  EXPECT_TRUE(one.responses.empty());
  EXPECT_FALSE(one.label);
  one = only(R"({"prompt": [)" + talk + "]}", Kind::prompt);
  EXPECT_EQ(one.prompt.turns, talk_turns);
  EXPECT_EQ(one.prompt.text, transcript(talk_turns));
}

TEST_F(Records, OfDemonstrationsHaveOneResponse) {
  for (const char* key : {"completion", "response"}) {
    Record one = only(R"({"prompt": "The sky is", ")" + std::string(key) + R"(": " blue."})", Kind::demonstration);
    EXPECT_EQ(one.prompt.text, "The sky is");
    EXPECT_THAT(one.responses, ElementsAre(" blue."));
    one = only(R"({"prompt": [)" + talk + R"(], ")" + key + R"(": )" + blue_json + "}", Kind::demonstration);
    EXPECT_EQ(one.prompt.turns, talk_turns);
    EXPECT_THAT(one.responses, ElementsAre("It is blue."));
    EXPECT_FALSE(one.label);
  }
}

TEST_F(Records, OfConversationsEndInTheResponse) {
  Record one = only(R"({"messages": [)" + talk + R"(, {"role": "assistant", "content": "w", "weight": 1}]})",
                    Kind::demonstration);
  EXPECT_EQ(one.prompt.turns, talk_turns);
  EXPECT_THAT(one.responses, ElementsAre("w"));
  // A prompt besides is what the conversation begins with.
  one =
      only(R"({"prompt": "u", "messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]})",
           Kind::demonstration);
  EXPECT_EQ(one.prompt.text, "u");
  EXPECT_TRUE(one.prompt.turns.empty());
  EXPECT_THAT(one.responses, ElementsAre("a"));
}

TEST_F(Records, OfRatedResponsesHaveALabel) {
  Record one = only(R"({"prompt": "The sky is", "completion": " blue.", "label": true})", Kind::rated);
  EXPECT_EQ(one.label, 1.0);
  EXPECT_THAT(one.responses, ElementsAre(" blue."));
  one = only(R"({"prompt": )" + sky_json + R"(, "completion": )" + green_json + R"(, "label": false})", Kind::rated);
  EXPECT_EQ(one.label, 0.0);
  EXPECT_EQ(one.prompt.text, "What color is the sky?");
  EXPECT_THAT(one.responses, ElementsAre("It is green."));
}

TEST_F(Records, OfPreferencesHaveTheChosenOneFirst) {
  Record one = only(R"({"prompt": "The sky is", "chosen": " blue.", "rejected": " green."})", Kind::pair);
  EXPECT_EQ(one.prompt.text, "The sky is");
  EXPECT_THAT(one.responses, ElementsAre(" blue.", " green."));
  EXPECT_EQ(one.label, 1.0);
  EXPECT_EQ(one.stated, 1.0);
  EXPECT_EQ(one.line, 1u);
  EXPECT_EQ(one.id, "0");
  one = only(R"({"prompt": [)" + talk + R"(], "chosen": )" + blue_json + R"(, "rejected": )" + green_json + "}",
             Kind::pair);
  EXPECT_EQ(one.prompt.turns, talk_turns);
  EXPECT_THAT(one.responses, ElementsAre("It is blue.", "It is green."));
  // A conversation answered by texts, as this program writes them.
  one = only(R"({"prompt": [)" + talk + R"(], "chosen": "b", "rejected": "c"})", Kind::pair);
  EXPECT_EQ(one.prompt.turns, talk_turns);
  EXPECT_THAT(one.responses, ElementsAre("b", "c"));
}

TEST_F(Records, OfTextsWithoutAPromptPartBeforeTheSpaceThatIsLast) {
  const auto parts = [&](const std::string& chosen, const std::string& rejected) {
    const Record one = only(R"({"chosen": ")" + chosen + R"(", "rejected": ")" + rejected + R"("})", Kind::pair);
    return std::vector<std::string>{one.prompt.text, one.responses[0], one.responses[1]};
  };
  EXPECT_THAT(parts("The sky is blue.", "The sky is green."), ElementsAre("The sky is", " blue.", " green."));
  EXPECT_THAT(parts("The sky is: blue.", "The sky is: black."), ElementsAre("The sky is: bl", "ue.", "ack."));
  EXPECT_THAT(parts("a  b", "a  c"), ElementsAre("a ", " b", " c"));
  EXPECT_THAT(parts("A: é", "A: è"), ElementsAre("A:", " é", " è"));  // C3 A9 and C3 A8
  EXPECT_THAT(parts("A:é", "A:è"), ElementsAre("A:", "é", "è"));
  EXPECT_THAT(parts("Say yé", "Say yé or no"), ElementsAre("Say y", "é", "é or no"));  // the last character is kept
  expect_refused({R"({"chosen": "blue", "rejected": "green"})"}, Kind::pair, {"begin alike", "a key 'prompt'"});
}

TEST_F(Records, OfConversationsWithoutAPromptPartAtTheResponse) {
  const auto whole = [](const std::string& last) {
    return "[" + talk + R"(, {"role": "assistant", "content": ")" + last + R"("}])";
  };
  Record one = only(R"({"chosen": )" + whole("b") + R"(, "rejected": )" + whole("c") + "}", Kind::pair);
  EXPECT_EQ(one.prompt.turns, talk_turns);
  EXPECT_THAT(one.responses, ElementsAre("b", "c"));
  // A text beside them repeats what they begin with.
  one = only(R"({"prompt": "u", "chosen": )" + whole("b") + R"(, "rejected": )" + whole("c") + R"(, "score": 3})",
             Kind::pair);
  EXPECT_EQ(one.prompt.turns, talk_turns);
}

TEST_F(Records, OfTranscriptsAreConversations) {
  const std::string begin = R"(\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Why?\nSay  it.\n\nAssistant:)";
  const Record one =
      only(R"({"chosen": ")" + begin + R"( Because\n\nso. ", "rejected": ")" + begin + R"( No."})", Kind::pair);
  EXPECT_EQ(one.prompt.turns,
            (std::vector<Message>{{"user", "Hi"}, {"assistant", "Hello."}, {"user", "Why?\nSay  it."}}));
  EXPECT_THAT(one.responses, ElementsAre("Because\n\nso. ", "No."));
  EXPECT_EQ(one.label, 1.0);
  const Record plain =
      only(R"({"chosen": "\n\nHuman: Hi\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})", Kind::pair);
  EXPECT_EQ(plain.prompt.text, "Hi");
  EXPECT_TRUE(plain.prompt.turns.empty());
}

TEST_F(Records, OfIrregularTranscriptsAreRefusedByLineOrLeftOut) {
  const std::string good =
      R"({"chosen": "\n\nHuman: Hi\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})";
  const auto line = [](const std::string& chosen, const std::string& rejected) {
    return R"({"chosen": "\n\nHuman: Hi\n\n)" + chosen + R"(", "rejected": "\n\nHuman: Hi\n\n)" + rejected + R"("})";
  };
  expect_flawed(good, line("Assistant: a", R"(Assistant: b\n\nHuman: c\n\nAssistant: d)"), Kind::pair,
                {"part at turn 2", "turns stand behind a response"});
  expect_flawed(good,
                line(R"(Assistant: a\n\nHuman: c\n\nAssistant: e)", R"(Assistant: b\n\nHuman: c\n\nAssistant: d)"),
                Kind::pair, {"part at turn 2", "turns stand behind a response"});
  expect_flawed(good, line(R"(Assistant: a\n\nHuman: b)", R"(Assistant: a\n\nHuman: c)"), Kind::pair,
                {"the last turn is not the assistant's"});
  expect_flawed(good, line(R"(Assistant: a\n\nAssistant: b)", R"(Assistant: a\n\nAssistant: c)"), Kind::pair,
                {"the last turn is the assistant's; the user's"});
  expect_flawed(good, line("Assistant: a", "Assistant: "), Kind::pair, {"the second of two responses", "empty"});
  expect_flawed(good, line("Assistant: a", "Assistant: a"), Kind::pair, {"the two responses are equal"});
}

TEST_F(Records, OfPairsTakeSeveralPeoplesVotesAsShares) {
  const auto pair = [](const std::string& rest) {
    return R"({"prompt": "p", "response_a": "x", "response_b": "y")" + rest + "}";
  };
  EXPECT_FALSE(only(pair(""), Kind::pair).label);
  EXPECT_FALSE(only(pair(R"(, "label": null)"), Kind::pair).label);
  EXPECT_EQ(only(pair(R"(, "label": "a")"), Kind::pair).label, 1.0);
  EXPECT_EQ(only(pair(R"(, "label": "b", "annotators": ["b"])"), Kind::pair).label, 0.0);
  EXPECT_EQ(only(pair(R"(, "label": "tie", "annotators": [])"), Kind::pair).label, 0.5);
  EXPECT_EQ(only(pair(R"(, "annotators": ["b"])"), Kind::pair).label, 0.0);
  const Record one =
      only(pair(R"(, "id": "q/7", "subset": "s", "model_a": "m", "label": "a", "annotators": ["a", "tie", "a", "b"])"),
           Kind::pair);
  EXPECT_EQ(one.label, 2.5 / 4);
  EXPECT_EQ(one.stated, 1.0);
  EXPECT_THAT(one.votes, ElementsAre(1.0, 0.5, 1.0, 0.0));
  EXPECT_EQ(one.id + one.subset + one.model_a + one.model_b, "q/7sm");
  expect_refused({pair(R"(, "label": "a", "annotators": ["b"])")}, Kind::pair,
                 {"key 'label' is \"a\", and the one label of key 'annotators' is \"b\""});
  const Record conversation = only(pair(R"(, "messages": [)" + talk + "]"), Kind::pair);
  EXPECT_EQ(conversation.prompt.turns, talk_turns);
}

TEST_F(Records, OfOpenAiHaveAnInput) {
  const Record one = only(R"({"input": {"messages": [)" + talk +
                              R"(], "tools": [], "parallel_tool_calls": true}, "preferred_output": )" + blue_json +
                              R"(, "non_preferred_output": )" + green_json + "}",
                          Kind::pair);
  EXPECT_EQ(one.prompt.turns, talk_turns);
  EXPECT_THAT(one.responses, ElementsAre("It is blue.", "It is green."));
  EXPECT_EQ(one.label, 1.0);
  expect_refused({R"({"input": [], "preferred_output": [], "non_preferred_output": []})"}, Kind::pair,
                 {"key 'input'", "'messages'"});
}

TEST_F(Records, OfPairsAreReadAsTheirBetterResponseOrTheirPrompt) {
  const std::string b = R"({"prompt": "p", "response_a": "x", "response_b": "y", "label": "b", "annotators": ["b"]})";
  Record one = only(b, Kind::demonstration);
  EXPECT_THAT(one.responses, ElementsAre("y"));
  EXPECT_FALSE(one.label);
  EXPECT_TRUE(one.votes.empty());
  one = only(b, Kind::prompt);
  EXPECT_EQ(one.prompt.text, "p");
  EXPECT_TRUE(one.responses.empty());
  expect_flawed(b, R"({"prompt": "p", "response_a": "x", "response_b": "y", "label": "tie"})", Kind::demonstration,
                {"no response is preferred"});
  EXPECT_EQ(only(R"({"prompt": "p", "completion": "x", "label": false})", Kind::prompt).prompt.text, "p");
  // Nothing else is read as what it is not.
  expect_refused({R"({"prompt": "p"})"}, Kind::demonstration,
                 {"prompt-only {\"prompt\"} holds prompts; expected demonstrations", "messages"});
  expect_refused({R"({"prompt": "p", "completion": "c"})"}, Kind::pair,
                 {"holds demonstrations; expected pairs", "{\"prompt\", \"chosen\", \"rejected\"}"});
  expect_refused({R"({"prompt": "p", "completion": "c", "label": true})"}, Kind::demonstration,
                 {"holds rated responses; expected demonstrations"});
  expect_refused({b}, Kind::rated, {"holds pairs; expected rated responses"});
}

TEST_F(Records, OfOneConversationShareAPromptId) {
  const auto line = [](const std::string& prompt, const std::string& chosen) {
    return R"({"prompt": )" + prompt + R"(, "chosen": ")" + chosen + R"(", "rejected": "z"})" + "\n";
  };
  const std::string turns = R"([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])";
  const auto records = read_records(write(line("\"p\"", "a") + line(turns, "b") + "\n" + line("\"p\"", "c") +
                                          line("\"System: s\\n\\nUser: u\"", "d") + line(turns, "e")),
                                    Kind::pair);
  std::vector<std::uint64_t> prompt_ids;
  std::vector<std::size_t> lines;
  for (const Record& one : records) prompt_ids.push_back(one.prompt.id), lines.push_back(one.line);
  EXPECT_THAT(prompt_ids, ElementsAre(0, 1, 0, 3, 1));  // the transcript as a text is another prompt
  EXPECT_THAT(lines, ElementsAre(1, 2, 4, 5, 6));
  EXPECT_EQ(records[4].id, "4");
}

TEST_F(Records, OfTwoFormsInOneFileAreRefusedWithBoth) {
  const std::string preference = R"({"prompt": "p", "chosen": "c", "rejected": "r"})";
  expect_refused({preference, R"({"chosen": "a b", "rejected": "a c"})"}, Kind::pair,
                 {"mixed forms", "implicit-preference {\"chosen\", \"rejected\"}",
                  "line 1 of the form preference {\"prompt\", \"chosen\", \"rejected\"}"});
  expect_refused({R"({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"})",
                  R"({"chosen": "a b", "rejected": "a c"})"},
                 Kind::pair, {"mixed forms", "implicit-preference", "transcripts"});
  expect_refused({R"({"prompt": "p", "response": "r"})", "", R"({"prompt": "p"})"}, Kind::demonstration,
                 {"mixed forms", "prompt-only", "line 1", "prompt-response"});
  expect_refused({R"({"prompt": "p", "completion": "r"})", R"({"prompt": "p", "completion": "r", "label": true})"},
                 Kind::demonstration, {"mixed forms"});
  // A line of no form at all lacks a key.
  expect_refused({preference, R"({"id": 1})"}, Kind::pair, {"expected the key 'prompt'; found \"id\""});
}

TEST_F(Records, OfAFormThatIsNotKnownAreRefusedWithTheirKeysAndTheForms) {
  expect_refused(
      {R"({"conversations": [], "source": "x"})"}, Kind::pair,
      {"the form is not known", "\"conversations\", \"source\"", "pairs {\"prompt\", \"response_a\", \"response_b\"}",
       "implicit-preference {\"chosen\", \"rejected\"}",
       "openai-preference {\"input\", \"preferred_output\", \"non_preferred_output\"}"});
  expect_refused({R"({"text": "The sky is blue."})"}, Kind::demonstration,
                 {"the form is not known", "has no prompt", "\"text\""});
  expect_refused({"{}"}, Kind::prompt, {"the keys none were found"});
}

TEST_F(Records, WithoutAKeyOrOfAnotherTypeAreRefusedByIt) {
  expect_refused({R"({"prompt": "p", "chosen": "c"})"}, Kind::pair,
                 {"expected the key 'rejected'; found \"prompt\", \"chosen\""});
  expect_refused({R"({"prompt": 5, "chosen": "c", "rejected": "r"})"}, Kind::pair, {"'prompt' is 5"});
  expect_refused({R"({"prompt": "p", "chosen": [], "rejected": "r"})"}, Kind::pair, {"key 'chosen': expected text"});
  expect_refused({R"({"prompt": "p", "response_a": "x"})"}, Kind::pair, {"'response_b' is missing"});
  expect_refused({R"({"prompt": "p", "response_a": "x", "response_b": "y", "label": "A"})"}, Kind::pair,
                 {"key 'label' is \"A\"; expected \"a\", \"b\" or \"tie\""});
  expect_refused({R"({"prompt": "p", "response_a": "x", "response_b": "y", "annotators": ["c"]})"}, Kind::pair,
                 {"key 'annotators[0]' is \"c\""});
  expect_refused({R"({"prompt": "p", "response_a": "x", "response_b": "y", "id": 1.5})"}, Kind::pair, {"key 'id'"});
  expect_refused({R"({"prompt": "p", "completion": "c", "label": 1})"}, Kind::rated, {"'label' is 1", "true or false"});
  expect_refused({R"({"chosen": "c", "rejected": 1})"}, Kind::pair,
                 {"key 'rejected': expected text or a list of turns, as"});
  expect_refused({R"({"messages": "m"})"}, Kind::demonstration, {"key 'messages': expected a list of turns"});
  expect_refused({R"({"messages": []})"}, Kind::demonstration, {"key 'messages'", "no turn"});
}

TEST_F(Records, WhoseTurnsAreNoPromptAreRefusedByTurn) {
  const auto preference = [](const std::string& turns) {
    return R"({"prompt": [)" + turns + R"(], "chosen": "c", "rejected": "r"})";
  };
  const auto turn = [](const std::string& role, const std::string& content) {
    return R"({"role": ")" + role + R"(", "content": ")" + content + R"("})";
  };
  const std::string user = turn("user", "u"), system = turn("system", "s"), assistant = turn("assistant", "a");
  expect_refused({preference(turn("tool", "t") + "," + user)}, Kind::pair, {"key 'prompt': turn 1 is by 'tool'"});
  expect_refused({preference(system + "," + system + "," + user)}, Kind::pair,
                 {"key 'prompt': turn 2 is a second system turn"});
  expect_refused({preference(user + "," + system + "," + user)}, Kind::pair, {"key 'prompt': turn 2 is a system turn"});
  expect_refused({preference(user + "," + assistant)}, Kind::pair, {"key 'prompt': the last turn is the assistant's"});
  expect_refused({preference(R"({"role": "user"})")}, Kind::pair, {"key 'prompt': turn 1 has no text 'content'"});
  expect_refused({R"({"messages": [)" + user + "]}"}, Kind::demonstration,
                 {"key 'messages': the last turn is by 'user'"});
  expect_refused({R"({"messages": [)" + assistant + "]}"}, Kind::demonstration, {"key 'messages': there is no turn"});
  expect_refused({R"({"messages": [)" + user + "," + assistant + "," + assistant + "]}"}, Kind::demonstration,
                 {"key 'messages': the last turn is the assistant's"});
  expect_refused({R"({"chosen": [)" + user + R"(], "rejected": [)" + user + "]}"}, Kind::pair,
                 {"key 'chosen': the last turn is not the assistant's"});
  expect_refused({R"({"chosen": [)" + assistant + R"(], "rejected": [)" + turn("assistant", "b") + "]}"}, Kind::pair,
                 {"key 'chosen': there is no turn"});
  expect_refused({R"({"prompt": "p", "chosen": [)" + assistant + R"(], "rejected": [)" + user + "]}"}, Kind::pair,
                 {"key 'rejected': turn 1 is by 'user'"});
  expect_refused(
      {R"({"prompt": "p", "response_a": "x", "response_b": "y", "messages": [)" + user + "," + assistant + "]}"},
      Kind::pair, {"key 'messages': the last turn"});
}

TEST_F(Records, ThatTeachNothingAreRefusedOrLeftOut) {
  const std::string good = R"({"prompt": "p", "chosen": "c", "rejected": "r"})";
  expect_flawed(good, R"({"prompt": "q", "chosen": " \n", "rejected": "r"})", Kind::pair,
                {"the first of two responses", "empty"});
  expect_flawed(good, R"({"prompt": "q", "chosen": "c", "rejected": ""})", Kind::pair,
                {"the second of two responses", "empty"});
  expect_flawed(good, R"({"prompt": "q", "chosen": "\u00a0\u3000\u2029", "rejected": "r"})", Kind::pair,
                {"the first of two responses", "empty"});
  const std::string said = "\\n\\nHuman: a\\n\\nAssistant: b";
  expect_flawed(R"({"chosen": ")" + said + R"( c", "rejected": ")" + said + "\"}",
                R"({"chosen": "", "rejected": ")" + said + "\"}", Kind::pair,
                {"key 'chosen': a transcript was expected"});
  expect_flawed(good, R"({"prompt": "q", "chosen": "c", "rejected": "c"})", Kind::pair,
                {"the two responses are equal"});
  expect_flawed(
      good,
      R"({"prompt": "q", "chosen": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}], "rejected": "c"})",
      Kind::pair, {"key 'chosen': turns stand behind a response"});
  expect_flawed(R"({"prompt": "p", "completion": "c"})", R"({"prompt": "p", "completion": ""})", Kind::demonstration,
                {"the response is empty"});
  expect_flawed(R"({"prompt": "p", "response_a": "x", "response_b": "y"})",
                R"({"prompt": "p", "response_a": "x", "response_b": "y", "irregular": true})", Kind::pair,
                {"key 'irregular'", "turns stand behind a response"});
  // Where nothing stays, the first of them is named.
  LeftOut left_out;
  const fs::path file = write(R"({"prompt": "q", "chosen": "c", "rejected": "c"})");
  expect_error([&] { read_records(file, Kind::pair, &left_out); }, ErrorKind::input,
               {"holds no pairs", "besides the 1", ":1: the two responses are equal"});
  expect_error([&] { read_records(write("\n"), Kind::pair); }, ErrorKind::input, {"a.jsonl", "holds no pairs"});
  // Prompts do not mind.
  EXPECT_EQ(only(R"({"prompt": "q", "chosen": "c", "rejected": "c"})", Kind::prompt).prompt.text, "q");
}

TEST_F(Records, ThatAreKeptMayBeEmptyOrEqual) {
  RecordReader reader(write(R"({"prompt": "q", "chosen": "", "rejected": ""})"
                            "\n"
                            R"({"prompt": "q", "chosen": "c", "rejected": "r"})"
                            "\n"
                            R"({"prompt": "q", "chosen": "r", "rejected": "c", "score": 1})"),
                      Kind::pair, Flawed::keep);
  Record record;
  std::size_t count = 0;
  for (; reader.next(record); ++count) EXPECT_EQ(record.prompt.id, 0u);
  EXPECT_EQ(count, 3u);
  EXPECT_TRUE(reader.has_place_for("chosen"));
  EXPECT_FALSE(reader.has_place_for("score"));
}

TEST_F(Records, OfOnePairHaveOneLabel) {
  const std::string first = R"({"prompt": "p", "response_a": "x", "response_b": "y", "label": "a"})";
  const std::string same = R"({"prompt": "p", "response_a": "y", "response_b": "x", "label": "b"})";
  const std::string other = R"({"prompt": "p", "response_a": "y", "response_b": "x", "label": "a"})";
  const std::string tie = R"({"prompt": "p", "response_a": "x", "response_b": "y", "label": "tie"})";
  EXPECT_EQ(read_records(write(first + "\n" + same + "\n" + first), Kind::pair).size(), 3u);
  EXPECT_EQ(read_records(write(first + "\n" + R"({"prompt": "q", "response_a": "x", "response_b": "y", "label": "b"})"),
                         Kind::pair)
                .size(),
            2u);
  expect_refused({first, "", other}, Kind::pair, {"this pair has another label in line 1", "'annotators'"});
  expect_refused({first, tie}, Kind::pair, {"this pair has another label in line 1"});
  expect_refused(
      {R"({"prompt": "p", "chosen": "x", "rejected": "y"})", R"({"prompt": "p", "chosen": "y", "rejected": "x"})"},
      Kind::pair, {"another label in line 1"});
  LeftOut left_out;
  const fs::path file = write(first + "\n" + other);
  expect_error([&] { read_records(file, Kind::pair, &left_out); }, ErrorKind::input,
               {":2: this pair has another label"});
}

TEST_F(Records, MayBeCompressed) {
  const std::string lines = R"({"prompt": "p", "chosen": "c", "rejected": "r"})"
                            "\n"
                            R"({"prompt": "q", "chosen": "c", "rejected": "r"})"
                            "\n";
  for (const char* name : {"a.jsonl.gz", "a.jsonl.zst"}) {
    const fs::path file = write(lines, name);
    EXPECT_EQ(read_records(file, Kind::pair).size(), 2u) << name;
    EXPECT_EQ(kind_of_file(file), Kind::pair);
    const std::string bytes = read_file(file);
    write_file_atomic(file, bytes.substr(0, bytes.size() / 2));
    expect_error([&] { read_records(file, Kind::pair); }, ErrorKind::input, {name, "cut short"});
  }
}

// Real choices of people, where they are.
TEST_F(Records, OfRecordedChoicesAreReadWhole) {
  const char* shared = std::getenv("RLAIF_SHARED_DATA");
  const fs::path folder =
      (shared ? fs::path(shared) : fs::path(RLAIF_SOURCE_DIR).parent_path() / "shared") / "data/pairs";
  if (!fs::exists(folder / "hh_harmless.jsonl")) GTEST_SKIP() << folder << " is not there";
  LeftOut left_out;
  const auto dialogues = read_records(folder / "hh_harmless.jsonl", Kind::pair, &left_out);
  EXPECT_EQ(dialogues.size() + left_out.records, 1546u);
  EXPECT_EQ(left_out.records, 7u);  // 5 irregular ones, 2 empty responses
  const auto voted = read_records(folder / "pandalm.jsonl", Kind::pair, &left_out);
  EXPECT_EQ(voted.size(), 638u - 35u);
  EXPECT_EQ(voted[0].votes.size(), 3u);
  for (const char* name : {"hhh.jsonl", "llmbar.jsonl", "gsm8k_outcome.jsonl"})
    EXPECT_NO_THROW(read_records(folder / name, Kind::pair)) << name;
}

}  // namespace
}  // namespace rlaif::records
