// Transcripts as hh-rlhf has them (Bai et al. 2204.05862): "\n\nHuman: ...\n\nAssistant: ..." under "chosen" and "rejected".
#include <array>
#include <string_view>
#include <utility>

#include "../form.hpp"
#include "rlaif/core/dialogue.hpp"

namespace rlaif::records {
namespace {

constexpr std::array<std::pair<std::string_view, const char*>, 2> marks{
    {{"\n\nHuman:", "user"}, {"\n\nAssistant:", "assistant"}}};

// The mark that stands at `at`; null: none.
const std::pair<std::string_view, const char*>* mark_at(std::string_view text, std::size_t at) {
  for (const auto& mark : marks)
    if (text.substr(at).starts_with(mark.first)) return &mark;
  return nullptr;
}

std::size_t next_mark(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find("\n\n", from); at != std::string_view::npos; at = text.find("\n\n", at + 1))
    if (mark_at(text, at)) return at;
  return text.size();
}

// Contents as they stand, the space behind the mark aside.
std::vector<Message> turns_of_transcript(std::string_view text) {
  std::vector<Message> turns;
  for (std::size_t at = 0; at < text.size();) {
    const auto* mark = mark_at(text, at);
    if (!mark) return {};
    std::size_t begin = at + mark->first.size();
    at = next_mark(text, begin);
    if (begin < at && text[begin] == ' ') ++begin;
    turns.push_back({mark->second, std::string(text.substr(begin, at - begin))});
  }
  return turns;
}

bool is_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string();
}

bool is_transcript(const Json& object, const char* key) {
  return is_text(object, key) && mark_at(object[key].get_ref<const std::string&>(), 0);
}

// Some transcripts part before the last response or do not end in one: people had talked to two assistants.
std::string read_transcripts(const text::JsonRecord& line, Kind, Record& record) {
  for (const char* key : {"chosen", "rejected"}) {
    need(line, key);
    if (!is_transcript(line.object, key))
      return std::string("key '") + key +
             "': a transcript was expected, which begins with \\n\\nHuman: or \\n\\nAssistant:";
  }
  const std::string flaw =
      part(turns_of_transcript(line.string("chosen")), turns_of_transcript(line.string("rejected")), record);
  if (!flaw.empty()) return "keys 'chosen' and 'rejected': " + flaw;
  const std::string problem = prompt_problem(record.prompt.turns);
  set_turns(record.prompt, std::move(record.prompt.turns));
  return problem.empty() ? "" : "keys 'chosen' and 'rejected': " + problem;
}

std::string transcript_of(const Prompt& prompt, const std::string& response) {
  std::string text;
  std::vector<Message> turns = turns_of(prompt);
  turns.push_back({"assistant", response});
  for (const Message& turn : turns) {
    if (turn.role == "system") throw CannotSay{"has a system turn; a transcript has no place for one"};
    text += turn.role == "user" ? marks[0].first : marks[1].first;
    text += " " + turn.content;
  }
  // Whoever reads it must find the same turns again.
  if (turns_of_transcript(text) != turns) throw CannotSay{"holds a mark of transcripts (\\n\\nHuman:) in a text"};
  return text;
}

Json write_transcripts(const Record& record) {
  const auto& [chosen, rejected] = sides_of(record);
  return {{"chosen", transcript_of(record.prompt, chosen)}, {"rejected", transcript_of(record.prompt, rejected)}};
}

}  // namespace

Form transcripts_form() {
  return {.name = "transcripts",
          .kind = Kind::pair,
          .keys = {"chosen", "rejected"},
          .other = {},
          .fits =
              [](const Json& object) {
                return !object.contains("prompt") && is_text(object, "chosen") && is_text(object, "rejected") &&
                       (is_transcript(object, "chosen") || is_transcript(object, "rejected"));
              },
          .read = read_transcripts,
          .write_texts = write_transcripts};
}

}  // namespace rlaif::records
