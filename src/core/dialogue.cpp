#include "rlaif/core/dialogue.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "rlaif/core/utf8.hpp"

namespace rlaif {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> speakers{
    {{"system", "System:"}, {"user", "User:"}, {"assistant", "Assistant:"}}};

std::string_view speaker_of(std::string_view role) {
  for (const auto& [known, speaker] : speakers)
    if (role == known) return speaker;
  return "";
}

// Whether a line begins as a turn does, spaces before it aside.
bool begins_as_turn(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) return false;
  for (const auto& [role, speaker] : speakers)
    if (line.substr(begin).starts_with(speaker)) return true;
  return false;
}

void append_content(std::string& text, std::string_view content) {
  for (bool is_first = true;; is_first = false) {
    const std::size_t end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    if (!is_first && begins_as_turn(line)) text += ' ';
    text += line;
    if (end == std::string_view::npos) return;
    text += '\n';
    content.remove_prefix(end + 1);
  }
}

}  // namespace

std::string transcript(std::span<const Message> turns) {
  std::string text;
  for (const Message& turn : turns) {
    if (!text.empty()) text += "\n\n";
    text += speaker_of(turn.role);
    text += ' ';
    append_content(text, turn.content);
  }
  return text;
}

std::string prompt_problem(std::span<const Message> turns) {
  if (turns.empty()) return "there is no turn; at least the user's was expected";
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const Message& turn = turns[i];
    const std::string which = "turn " + std::to_string(i + 1);
    if (speaker_of(turn.role).empty())
      return which + " is by '" + one_line(turn.role) + "'; system, user or assistant was expected";
    if (turn.role == "system" && i > 0) {
      return which + (turns.front().role == "system" ? " is a second system turn; one" : " is a system turn; one") +
             " before all others was expected";
    }
    if (turn.role != "assistant" && turn.content.empty())
      return which + ", the " + turn.role + "'s, is empty; a text was expected";
  }
  if (turns.back().role != "user")
    return "the last turn is the " + turns.back().role + "'s; the user's, which is answered, was expected";
  return "";
}

void set_turns(Prompt& prompt, std::vector<Message> turns) {
  if (turns.size() == 1 && turns.front().role == "user") {
    prompt.text = std::move(turns.front().content);
    prompt.turns.clear();
    return;
  }
  prompt.text = transcript(turns);
  prompt.turns = std::move(turns);
}

std::vector<Message> turns_of(const Prompt& prompt) {
  if (!prompt.turns.empty()) return prompt.turns;
  return {{"user", prompt.text}};
}

}  // namespace rlaif
