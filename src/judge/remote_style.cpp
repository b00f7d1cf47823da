#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/judge/remote.hpp"

namespace rlaif::judge {
namespace {

enum Place { principles_place, cases_place, prompt_place, first_place, second_place, fence_place };
const std::vector<std::string> placeholders{"principles", "cases", "prompt", "first", "second", "fence"};

// Calls text(part) and place(name) for the parts of `content` in order; {name} of lower-case letters is a placeholder.
template <class Text, class Name>
void walk(std::string_view content, const Text& text, const Name& place) {
  std::size_t begin = 0;
  for (std::size_t open = content.find('{'); open != std::string_view::npos; open = content.find('{', open + 1)) {
    std::size_t end = open + 1;
    while (end < content.size() && content[end] >= 'a' && content[end] <= 'z') ++end;
    if (end == open + 1 || end >= content.size() || content[end] != '}') continue;
    text(content.substr(begin, open - begin));
    place(std::string(content.substr(open + 1, end - open - 1)));
    begin = end + 1;
    open = end;
  }
  text(content.substr(begin));
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Reads the lines of a style file one by one.
class StyleReader {
 public:
  explicit StyleReader(const std::filesystem::path& file) : file_(file) {}

  JudgeStyle read() {
    std::istringstream lines(read_file(file_));
    for (std::string line; std::getline(lines, line);) {
      ++line_;
      if (line.starts_with("%%"))
        directive(trimmed(line.substr(2)));
      else if (style_.turns.empty() && !trimmed(line).empty())
        throw input_error(file_, line_, "expected '%% user' or another line of '%%' before the first text");
      else if (!style_.turns.empty())
        add_text(line);
    }
    end_turn();
    check_whole();
    return std::move(style_);
  }

 private:
  void directive(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string key = trimmed(text.substr(0, colon));
    const std::string value = colon == std::string::npos ? "" : trimmed(text.substr(colon + 1));
    if (colon != std::string::npos && style_.turns.empty() && key == "answer")
      set_answer(value);
    else if (colon != std::string::npos && style_.turns.empty() && key == "verdicts")
      set_labels(value);
    else if (colon == std::string::npos && (key == "system" || key == "user" || key == "assistant"))
      begin_turn(key);
    else
      throw input_error(
          file_, line_,
          "expected '%% answer: ...' or '%% verdicts: ...' before the first turn, or '%% system', '%% user' or "
          "'%% assistant', not '%% " +
              text + "'");
  }

  void set_answer(const std::string& value) {
    if (value != "letter" && value != "reasoned")
      throw input_error(file_, line_, "answer: expected letter or reasoned, not '" + value + "'");
    style_.answer = value == "letter" ? JudgeStyle::Answer::letter : JudgeStyle::Answer::reasoned;
  }

  void set_labels(const std::string& value) {
    std::istringstream words(value);
    std::string extra;
    const auto is_label = [](const std::string& word) {
      return !word.empty() &&
             std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
    };
    if (!(words >> style_.labels.first >> style_.labels.second) || (words >> extra) || !is_label(style_.labels.first) ||
        !is_label(style_.labels.second) || style_.labels.first == style_.labels.second)
      throw input_error(
          file_, line_,
          "verdicts: expected two different words of letters and digits, as in 'A B', not '" + value + "'");
  }

  void begin_turn(const std::string& role) {
    end_turn();
    const std::string last = style_.turns.empty() ? "" : style_.turns.back().role;
    const bool fits = role == "system" ? last.empty() : role == "user" ? last != "user" : last == "user";
    if (!fits)
      throw input_error(file_, line_,
                        "a turn of " + role + " cannot " + (last.empty() ? "be the first" : "follow one of " + last) +
                            ": expected system, then user and assistant by turns");
    style_.turns.push_back({role, ""});
    seen_.assign(placeholders.size(), false);
  }

  void add_text(const std::string& line) {
    walk(
        line, [](std::string_view) {},
        [&](const std::string& name) {
          const auto known = std::find(placeholders.begin(), placeholders.end(), name);
          if (known == placeholders.end())
            throw input_error(file_, line_, unknown_name_message("placeholder", name, placeholders));
          seen_[static_cast<std::size_t>(known - placeholders.begin())] = true;
        });
    style_.turns.back().content += line + "\n";
  }

  void end_turn() {
    if (style_.turns.empty()) return;
    std::string& content = style_.turns.back().content;
    content = trimmed(content);
    if (content.empty())
      throw input_error(file_, line_, "the turn of " + style_.turns.back().role + " that ends here is empty");
  }

  void check_whole() const {
    if (style_.turns.empty() || style_.turns.back().role != "user")
      throw input_error(file_, "expected a turn of user at the end");
    for (const Place place : {prompt_place, first_place, second_place, fence_place})
      if (!seen_[place])
        throw input_error(file_, line_, "the placeholder {" + placeholders[place] + "} is missing in the last turn");
  }

  std::filesystem::path file_;
  std::size_t line_ = 0;
  JudgeStyle style_;
  std::vector<bool> seen_;  // placeholders of the turn at hand
};

}  // namespace

JudgeStyle JudgeStyle::load(const std::filesystem::path& file) { return StyleReader(file).read(); }

bool JudgeStyle::has_principles() const {
  return std::any_of(turns.begin(), turns.end(), [](const ChatTurn& turn) {
    return turn.content.find("{" + placeholders[principles_place] + "}") != std::string::npos ||
           turn.content.find("{" + placeholders[cases_place] + "}") != std::string::npos;
  });
}

std::size_t JudgeStyle::constant_turns(bool same_principles) const {
  std::size_t count = 0;
  for (const ChatTurn& turn : turns) {
    bool varies = false;
    walk(
        turn.content, [](std::string_view) {},
        [&](const std::string& name) {
          const bool is_principles = name == placeholders[principles_place] || name == placeholders[cases_place];
          varies = varies || !same_principles || !is_principles;
        });
    if (varies) break;
    ++count;
  }
  return count;
}

std::vector<ChatTurn> JudgeStyle::render(const std::string& principles, const std::string& prompt,
                                         const std::string& first, const std::string& second, const std::string& fence,
                                         const std::string& cases) const {
  const std::array<const std::string*, 6> values{&principles, &cases, &prompt, &first, &second, &fence};
  std::vector<ChatTurn> result;
  for (const ChatTurn& turn : turns) {
    std::string content;
    walk(
        turn.content, [&](std::string_view part) { content += part; },
        [&](const std::string& name) {
          const auto known = std::find(placeholders.begin(), placeholders.end(), name);
          content += *values[static_cast<std::size_t>(known - placeholders.begin())];
        });
    result.push_back({turn.role, std::move(content)});
  }
  return result;
}

}  // namespace rlaif::judge
