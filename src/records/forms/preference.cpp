// Pairs whose better response is named: TRL's with an explicit and an implicit prompt, OpenAI's.
#include <algorithm>

#include "../form.hpp"
#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::records {
namespace {

bool has_either(const Json& object, const char* one, const char* other) {
  return object.contains(one) || object.contains(other);
}

std::string read_sides(const text::JsonRecord& line, const char* chosen, const char* rejected, Record& record) {
  std::string flaw;
  std::string first = response_in(line, chosen, flaw);
  record.responses = {std::move(first), response_in(line, rejected, flaw)};
  record.label = record.stated = 1.0;
  return flaw;
}

// Where two texts part, as TRL has it: at a character, before a space that stands there; a text that the other one begins with
// keeps its last character.
std::size_t parting_of(const std::string& chosen, const std::string& rejected) {
  const auto boundary = [&](std::size_t at) {  // of the character that `at` stands in
    while (at > 0 && at < chosen.size() && (static_cast<unsigned char>(chosen[at]) & 0xC0) == 0x80) --at;
    return at;
  };
  const std::size_t least = std::min(chosen.size(), rejected.size());
  const auto [one, other] =
      std::mismatch(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(least), rejected.begin());
  const auto at = static_cast<std::size_t>(one - chosen.begin());
  if (at == least) return least == 0 ? 0 : boundary(least - 1);
  const std::size_t begin = boundary(at);
  return begin > 0 && chosen[begin - 1] == ' ' ? begin - 1 : begin;
}

std::string read_common_text(const text::JsonRecord& line, Record& record) {
  const std::string chosen = line.string("chosen"), rejected = line.string("rejected");
  const std::size_t at = parting_of(chosen, rejected);
  if (at == 0) {
    throw input_error(
        line.file, line.line,
        "keys 'chosen' and 'rejected': expected texts that begin alike, with the prompt, or a key 'prompt'");
  }
  record.prompt.text = chosen.substr(0, at);
  record.responses = {chosen.substr(at), rejected.substr(at)};
  record.label = record.stated = 1.0;
  return "";
}

std::string read_common_turns(const text::JsonRecord& line, Record& record) {
  std::vector<Message> sides[2];
  const char* const keys[] = {"chosen", "rejected"};
  for (int side = 0; side < 2; ++side) {
    sides[side] = text::turns_in(line, keys[side], line.object[keys[side]]);
    if (sides[side].empty() || sides[side].back().role != "assistant") {
      throw input_error(
          line.file, line.line,
          "key '" + std::string(keys[side]) + "': the last turn is not the assistant's; its response was expected");
    }
  }
  const std::string flaw = part(std::move(sides[0]), std::move(sides[1]), record);
  if (!flaw.empty()) return "keys 'chosen' and 'rejected': " + flaw;
  set_prompt(line, "chosen", std::move(record.prompt.turns), record);
  return "";
}

// Whoever keeps the prompt under a name of their own did not mean the beginning of the responses.
void refuse_prompts_of_other_names(const text::JsonRecord& line) {
  for (const char* key : {"question", "instruction", "input", "query", "context", "history", "messages", "system"}) {
    if (!line.object.contains(key)) continue;
    throw input_error(line.file, line.line,
                      "key '" + std::string(key) +
                          "' stands beside 'chosen' and 'rejected', and no 'prompt': expected the "
                          "prompt in the key 'prompt', as a text or a list of turns");
  }
}

std::string read_implicit(const text::JsonRecord& line, Kind, Record& record) {
  if (!line.object.contains("prompt")) refuse_prompts_of_other_names(line);
  const Json &chosen = need(line, "chosen"), &rejected = need(line, "rejected");
  if (chosen.is_string() && rejected.is_string()) return read_common_text(line, record);
  if (chosen.is_array() && rejected.is_array()) return read_common_turns(line, record);
  const bool is_first_known = chosen.is_string() || chosen.is_array();
  const char* const odd = is_first_known ? "rejected" : "chosen";
  throw input_error(line.file, line.line,
                    "key '" + std::string(odd) + "': expected text or a list of turns, as the other one is");
}

// A text as the prompt beside whole conversations only repeats what they begin with.
bool is_repeated_in(const Json& chosen) {
  return chosen.is_array() && !chosen.empty() && chosen[0].is_object() && chosen[0].contains("role") &&
         chosen[0]["role"] != "assistant";
}

std::string read_explicit(const text::JsonRecord& line, Kind wanted, Record& record) {
  if (need(line, "prompt").is_string() && is_repeated_in(need(line, "chosen")))
    return read_implicit(line, wanted, record);
  line.read_prompt("prompt", record.prompt);
  return read_sides(line, "chosen", "rejected", record);
}

// Whoever reads the texts must find the same prompt again.
Json write_common_text(const Record& record) {
  const auto& [chosen, rejected] = sides_of(record);
  const std::string& prompt = plain_text(record.prompt);
  const std::string first = prompt + chosen, second = prompt + rejected;
  if (parting_of(first, second) != prompt.size())
    throw CannotSay{
        "has responses that begin alike, so that its prompt could not be told again; preference was expected"};
  return {{"chosen", first}, {"rejected", second}};
}

std::string read_openai(const text::JsonRecord& line, Kind, Record& record) {
  const Json& input = need(line, "input");
  const auto messages = input.is_object() ? input.find("messages") : input.end();
  if (messages == input.end())
    throw input_error(line.file, line.line, "key 'input': expected an object with 'messages'");
  set_prompt(line, "input.messages", text::turns_in(line, "input.messages", *messages), record);
  return read_sides(line, "preferred_output", "non_preferred_output", record);
}

Json write_openai(const Record& record) {
  const auto& [chosen, rejected] = sides_of(record);
  Json line;
  line["input"] = {
      {"messages", text::turns_json(turns_of(record.prompt))}, {"tools", Json::array()}, {"parallel_tool_calls", true}};
  line["preferred_output"] = one_turn(chosen);
  line["non_preferred_output"] = one_turn(rejected);
  return line;
}

}  // namespace

Form preference_form() {
  return {
      .name = "preference",
      .kind = Kind::pair,
      .keys = {"prompt", "chosen", "rejected"},
      .other = {},
      .fits = [](const Json& object) { return object.contains("prompt") && has_either(object, "chosen", "rejected"); },
      .read = read_explicit,
      .write_texts =
          [](const Record& record) {
            const auto& [chosen, rejected] = sides_of(record);
            return Json{{"prompt", plain_text(record.prompt)}, {"chosen", chosen}, {"rejected", rejected}};
          },
      .write_turns =
          [](const Record& record) {
            const auto& [chosen, rejected] = sides_of(record);
            return Json{{"prompt", text::turns_json(turns_of(record.prompt))},
                        {"chosen", one_turn(chosen)},
                        {"rejected", one_turn(rejected)}};
          }};
}

Form implicit_preference_form() {
  return {.name = "implicit-preference",
          .kind = Kind::pair,
          .keys = {"chosen", "rejected"},
          .other = {},
          .fits = [](const Json& object) { return has_either(object, "chosen", "rejected"); },
          .read = read_implicit,
          .write_texts = write_common_text,
          .write_turns =
              [](const Record& record) {
                const auto& [chosen, rejected] = sides_of(record);
                return Json{{"chosen", whole_conversation(record.prompt, chosen)},
                            {"rejected", whole_conversation(record.prompt, rejected)}};
              }};
}

Form openai_preference_form() {
  return {.name = "openai-preference",
          .kind = Kind::pair,
          .keys = {"input", "preferred_output", "non_preferred_output"},
          .other = {},
          .fits = [](const Json& object) { return has_either(object, "preferred_output", "non_preferred_output"); },
          .read = read_openai,
          .write_turns = write_openai};
}

}  // namespace rlaif::records
