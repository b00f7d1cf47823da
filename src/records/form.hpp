// What a form is: how its lines are told, read and written. A form is a file in forms/ and a line in registry.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlaif/records/records.hpp"

namespace rlaif::records {

struct Form {
  const char* name;
  Kind kind;
  std::vector<const char*> keys;   // as messages list them; of more than one form the first that `fits` counts
  std::vector<const char*> other;  // that have a place besides
  bool (*fits)(const Json& object);
  // Fills in all but line and ids. Returns what makes the record one that nobody learns from; empty: nothing.
  std::string (*read)(const text::JsonRecord& line, Kind wanted, Record& record);
  // A line of texts and one of lists of turns, where there are such. The record is of this kind.
  Json (*write_texts)(const Record& record) = nullptr;
  Json (*write_turns)(const Record& record) = nullptr;
};
const std::vector<Form>& forms();                        // those with more keys first
std::string keys_of(const Form& form);                   // {"prompt", "chosen", "rejected"}
std::string list_of_keys(const Json& object);            // "a", "b"
const Form* find_form(const Json& object, Kind wanted);  // null: none

// Thrown by write_texts and write_turns where the form cannot say a record; the message goes behind "the record ".
struct CannotSay {
  std::string why;
};

// --- what forms have in common --------------------------------------------------------------------------------------
inline constexpr const char* further_turns = "turns stand behind a response";

// Throws Error(input): "expected the key 'chosen' ..." where it is not there.
const Json& need(const text::JsonRecord& line, const char* key);
// A response: a text, or a list of one turn of the assistant's. Sets `flaw` where further turns stand behind it.
std::string response_in(const text::JsonRecord& line, const char* key, std::string& flaw);
// Two conversations of a common beginning, which becomes the prompt's turns, yet to be taken for a prompt. Returns a flaw where
// what differs is more than a response.
std::string part(std::vector<Message> chosen, std::vector<Message> rejected, Record& record);
// Turns as a prompt: throws Error(input) naming `key` where they are none.
void set_prompt(const text::JsonRecord& line, const std::string& key, std::vector<Message> turns, Record& record);

// The better and the worse response of a pair with a side.
struct Sides {
  const std::string &chosen, &rejected;
};
Sides sides_of(const Record& pair);
const std::string& plain_text(const Prompt& prompt);  // throws CannotSay where it is a conversation
Json one_turn(const std::string& response);           // [{"role": "assistant", "content": ...}]
Json whole_conversation(const Prompt& prompt, const std::string& response);

// --- the forms --------------------------------------------------------------------------------------------------------
Form prompt_only_form();
Form prompt_completion_form();
Form prompt_response_form();
Form unpaired_form();
Form preference_form();
Form implicit_preference_form();
Form messages_form();
Form transcripts_form();
Form pairs_form();
Form openai_preference_form();

}  // namespace rlaif::records
