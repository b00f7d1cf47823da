// Forms of TRL and of this program with one response or none: prompts, demonstrations, rated responses, conversations.
#include "../form.hpp"
#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::records {
namespace {

bool has(const Json& object, const char* key) { return object.contains(key); }

std::string read_prompt_only(const text::JsonRecord& line, Kind, Record& record) {
  line.read_prompt("prompt", record.prompt);
  return "";
}

std::string read_answered(const text::JsonRecord& line, const char* key, Record& record) {
  line.read_prompt("prompt", record.prompt);
  std::string flaw;
  record.responses = {response_in(line, key, flaw)};
  return flaw;
}

Json completion_of(const Record& record, bool turns) {
  Json line;
  line["prompt"] = turns ? text::turns_json(turns_of(record.prompt)) : Json(plain_text(record.prompt));
  line["completion"] = turns ? one_turn(record.responses[0]) : Json(record.responses[0]);
  return line;
}

Json rating_of(const Record& record, bool turns) {
  Json line = completion_of(record, turns);
  line["label"] = record.label == 1.0;
  return line;
}

// The last turn is the response. Prompts may be asked of a conversation that nobody has answered yet.
std::string read_messages(const text::JsonRecord& line, Kind wanted, Record& record) {
  std::vector<Message> turns = text::turns_in(line, "messages", need(line, "messages"));
  if (turns.empty()) throw input_error(line.file, line.line, "key 'messages': there is no turn; some were expected");
  const bool is_answered = turns.back().role == "assistant";
  if (!is_answered && wanted != Kind::prompt) {
    throw input_error(
        line.file, line.line,
        "key 'messages': the last turn is by '" + turns.back().role + "'; the assistant's, the response, was expected");
  }
  const Json& last = line.object["messages"].back();
  const bool is_taught = !(last.is_object() && last.contains("weight") && last["weight"] == 0);
  if (is_answered) {
    record.responses = {std::move(turns.back().content)};
    turns.pop_back();
  }
  set_prompt(line, "messages", std::move(turns), record);
  if (wanted != Kind::prompt && !is_taught)
    return "key 'messages': the last turn has the weight 0, so that nobody is to learn it";
  return "";
}

}  // namespace

Form prompt_only_form() {
  return {
      .name = "prompt-only",
      .kind = Kind::prompt,
      .keys = {"prompt"},
      .other = {"id", "family"},
      .fits = [](const Json& object) { return has(object, "prompt"); },
      .read = read_prompt_only,
      .write_texts = [](const Record& record) { return Json{{"prompt", plain_text(record.prompt)}}; },
      .write_turns = [](const Record& record) { return Json{{"prompt", text::turns_json(turns_of(record.prompt))}}; }};
}

Form prompt_completion_form() {
  return {.name = "prompt-completion",
          .kind = Kind::demonstration,
          .keys = {"prompt", "completion"},
          .other = {"id"},
          .fits = [](const Json& object) { return has(object, "completion"); },
          .read = [](const text::JsonRecord& line, Kind,
                     Record& record) { return read_answered(line, "completion", record); },
          .write_texts = [](const Record& record) { return completion_of(record, false); },
          .write_turns = [](const Record& record) { return completion_of(record, true); }};
}

Form prompt_response_form() {
  return {.name = "prompt-response",
          .kind = Kind::demonstration,
          .keys = {"prompt", "response"},
          .other = {"id"},
          .fits = [](const Json& object) { return has(object, "response"); },
          .read = [](const text::JsonRecord& line, Kind,
                     Record& record) { return read_answered(line, "response", record); },
          .write_texts =
              [](const Record& record) {
                return Json{{"prompt", text::prompt_json(record.prompt)}, {"response", record.responses[0]}};
              }};
}

Form unpaired_form() {
  return {.name = "unpaired-preference",
          .kind = Kind::rated,
          .keys = {"prompt", "completion", "label"},
          .other = {"id"},
          .fits = [](const Json& object) { return has(object, "completion") && has(object, "label"); },
          .read =
              [](const text::JsonRecord& line, Kind, Record& record) {
                record.label = record.stated = line.boolean("label") ? 1.0 : 0.0;
                return read_answered(line, "completion", record);
              },
          .write_texts = [](const Record& record) { return rating_of(record, false); },
          .write_turns = [](const Record& record) { return rating_of(record, true); }};
}

Form messages_form() {
  return {.name = "messages",
          .kind = Kind::demonstration,
          .keys = {"messages"},
          .other = {"id"},
          .fits = [](const Json& object) { return has(object, "messages"); },
          .read = read_messages,
          .write_turns =
              [](const Record& record) {
                return Json{{"messages", whole_conversation(record.prompt, record.responses[0])}};
              }};
}

}  // namespace rlaif::records
