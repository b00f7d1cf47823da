// Conversations as prompts. A prompt of one user's turn is plain text; any other keeps its turns, and its text is their
// transcript, which is what judges, people and rules read.
//   Prompt prompt;
//   set_turns(prompt, {{"system", "Be brief."}, {"user", "Hi"}});  // prompt.text: "System: Be brief.\n\nUser: Hi"
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif {

// Each turn under its speaker, parted by empty lines: "System: ...", "User: ...", "Assistant: ...". A line of a content that
// begins as a speaker's does gets a space before it, so that no content passes for a turn and no two conversations have one
// transcript.
std::string transcript(std::span<const Message> turns);

// What is wrong with turns as a prompt, naming the turn (from 1): there is none; a role that is not system, user or
// assistant; a system turn that is not the first; a system or user turn without text; the last is not the user's. Empty:
// nothing.
std::string prompt_problem(std::span<const Message> turns);

// Makes `turns` what the prompt asks. They are taken as they are.
void set_turns(Prompt& prompt, std::vector<Message> turns);
// Of every prompt, plain ones included.
std::vector<Message> turns_of(const Prompt& prompt);

}  // namespace rlaif
