// The forms that are known, and what their lines have in common.
#include <algorithm>

#include "form.hpp"
#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::records {

const std::vector<Form>& forms() {
  static const std::vector<Form> all{
      pairs_form(),    openai_preference_form(), preference_form(),      transcripts_form(), implicit_preference_form(),
      unpaired_form(), prompt_completion_form(), prompt_response_form(), messages_form(),    prompt_only_form(),
  };
  return all;
}

const char* to_string(Kind kind) {
  switch (kind) {
    case Kind::prompt: return "prompts";
    case Kind::demonstration: return "demonstrations";
    case Kind::rated: return "rated responses";
    case Kind::pair: return "pairs";
  }
  return "";
}

std::string keys_of(const Form& form) {
  std::string text;
  for (const char* key : form.keys) text += (text.empty() ? "{\"" : ", \"") + std::string(key) + "\"";
  return text + "}";
}

std::string list_of_keys(const Json& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    if (text.size() > 200) return text + ", ...";
    text += (text.empty() ? "\"" : ", \"") + key.substr(0, 60) + "\"";
  }
  return text.empty() ? "none" : text;
}

// Who wants prompts takes the key 'prompt' before all else, unless a pair says what its prompt is.
const Form* find_form(const Json& object, Kind wanted) {
  const Form* prompt_only = &forms().back();
  for (const Form& form : forms()) {
    if (!form.fits(object)) continue;
    return wanted == Kind::prompt && form.kind != Kind::pair && prompt_only->fits(object) ? prompt_only : &form;
  }
  return nullptr;
}

const Json& need(const text::JsonRecord& line, const char* key) {
  const auto found = line.object.find(key);
  if (found != line.object.end()) return *found;
  throw input_error(line.file, line.line,
                    "expected the key '" + std::string(key) + "'; found " + list_of_keys(line.object));
}

std::string response_in(const text::JsonRecord& line, const char* key, std::string& flaw) {
  const Json& value = need(line, key);
  if (value.is_string()) return value.get<std::string>();
  const std::string named = "key '" + std::string(key) + "': ";
  if (!value.is_array() || value.empty()) {
    throw input_error(line.file, line.line,
                      named + "expected text or a list of one turn {\"role\": \"assistant\", \"content\"}");
  }
  std::vector<Message> turns = text::turns_in(line, key, value);
  if (turns.front().role != "assistant") {
    throw input_error(line.file, line.line,
                      named + "turn 1 is by '" + turns.front().role + "'; the assistant's, a response, was expected");
  }
  if (turns.size() > 1) flaw = named + further_turns;
  return std::move(turns.front().content);
}

std::string part(std::vector<Message> chosen, std::vector<Message> rejected, Record& record) {
  const std::size_t least = std::min(chosen.size(), rejected.size());
  if (least == 0) return "a conversation without a turn";
  std::size_t common = 0;
  while (common + 1 < least && chosen[common] == rejected[common]) ++common;
  if (chosen.size() != rejected.size() || common + 1 != chosen.size()) {
    return "the two conversations part at turn " + std::to_string(common + 1) + ", and " + further_turns +
           "; one response each was expected to differ";
  }
  if (chosen.back().role != "assistant" || rejected.back().role != "assistant")
    return "the last turn is not the assistant's; a response was expected";
  record.responses = {std::move(chosen.back().content), std::move(rejected.back().content)};
  record.label = record.stated = 1.0;
  chosen.pop_back();
  record.prompt.turns = std::move(chosen);
  return "";
}

void set_prompt(const text::JsonRecord& line, const std::string& key, std::vector<Message> turns, Record& record) {
  if (const std::string problem = prompt_problem(turns); !problem.empty())
    throw input_error(line.file, line.line, "key '" + key + "': " + problem);
  set_turns(record.prompt, std::move(turns));
}

Sides sides_of(const Record& pair) {
  const bool first = pair.label.value_or(0.5) > 0.5;
  return {pair.responses[first ? 0 : 1], pair.responses[first ? 1 : 0]};
}

const std::string& plain_text(const Prompt& prompt) {
  if (!prompt.turns.empty()) throw CannotSay{"is a conversation; a form of turns was expected (NAME-conversational)"};
  return prompt.text;
}

Json one_turn(const std::string& response) { return text::turns_json(std::vector<Message>{{"assistant", response}}); }

Json whole_conversation(const Prompt& prompt, const std::string& response) {
  std::vector<Message> turns = turns_of(prompt);
  turns.push_back({"assistant", response});
  return text::turns_json(turns);
}

}  // namespace rlaif::records
