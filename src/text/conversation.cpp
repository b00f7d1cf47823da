#include "rlaif/text/conversation.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/text/blanks.hpp"

namespace rlaif::text {
namespace {

using Style = Conversation::Style;
using Wrap = Conversation::Wrap;

// A place, by its name and the text that stands there. Two names may be of one place.
struct NamedPlace {
  std::string_view name;
  std::string ShownTexts::* text;
};
constexpr std::array places{NamedPlace{"principle", &ShownTexts::principles},
                            NamedPlace{"principles", &ShownTexts::principles},
                            NamedPlace{"cases", &ShownTexts::cases},
                            NamedPlace{"prompt", &ShownTexts::prompt},
                            NamedPlace{"first", &ShownTexts::first},
                            NamedPlace{"second", &ShownTexts::second},
                            NamedPlace{"fence", &ShownTexts::fence},
                            NamedPlace{"response", &ShownTexts::response},
                            NamedPlace{"critique", &ShownTexts::critique},
                            NamedPlace{"critique_request", &ShownTexts::critique_request},
                            NamedPlace{"revision_request", &ShownTexts::revision_request}};

const NamedPlace* place_named(std::string_view name) {
  const auto* found =
      std::find_if(places.begin(), places.end(), [&](const NamedPlace& one) { return one.name == name; });
  return found == places.end() ? nullptr : found;
}

// Of a text that is judged; which of them there are follows from whether responses are compared or scored.
bool is_compared(std::string_view name) { return name == "first" || name == "second" || name == "cases"; }
bool is_scored(std::string_view name) { return name == "response"; }

bool is_of_principles(std::string_view name) { return name == "principle" || name == "principles" || name == "cases"; }

// What a file that asks for a verdict may have.
const std::vector<std::string> judged_places{"principle", "principles", "cases", "prompt",
                                             "first",     "second",     "fence", "response"};

// Calls text(part) and name(name) for the parts of `content` in order; {name} of lower-case letters, words parted by '_', names a
// place.
template <class Text, class Name>
void walk(std::string_view content, const Text& text, const Name& name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  std::size_t begin = 0;
  for (std::size_t open = content.find('{'); open != std::string_view::npos; open = content.find('{', open + 1)) {
    std::size_t end = open + 1;
    while (end < content.size() && is_letter(content[end])) ++end;
    if (end == open + 1 || end >= content.size() || content[end] != '}') continue;
    text(content.substr(begin, open - begin));
    name(content.substr(open + 1, end - open - 1));
    begin = end + 1;
    open = end;
  }
  text(content.substr(begin));
}

bool has_place(const std::vector<Message>& turns, bool (*is_wanted)(std::string_view name)) {
  bool found = false;
  for (const Message& turn : turns) {
    walk(turn.content, [](std::string_view) {}, [&](std::string_view name) { found = found || is_wanted(name); });
  }
  return found;
}

bool is_role(const std::string& word) { return word == "system" || word == "user" || word == "assistant"; }

// Reads a file line by line: settings, then turns.
class Reader {
 public:
  // `rules`: of a file that asks for a text; nullptr: it asks for a verdict.
  explicit Reader(const std::filesystem::path& file, const PlaceRules* rules = nullptr)
      : file_(file), bytes_(read_file(file)), rules_(rules) {}

  Conversation read() {
    while (is_directive() && !is_role(directive())) {
      setting(directive());
      next_line();
    }
    has_marks_ = is_directive() || has_mark_behind_text();
    if (has_marks_) {
      result_.style = style_.value_or(Style::rationale_first);
      if (is_wrap_said_ && result_.wrap == Wrap::raw)
        throw input_error(file_, "'%% wrap: raw' is for a text without marks of turns");
      result_.wrap = Wrap::chat;
      read_turns();
    } else {
      result_.style = style_.value_or(Style::verdict_first);
      read_text();
    }
    check_places();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw input_error(file_, line_, message); }

  bool at_end() const { return begin_ >= bytes_.size(); }
  bool is_directive() const { return bytes_.compare(begin_, 2, "%%") == 0; }
  std::string_view line() const {
    return std::string_view(bytes_).substr(begin_, std::min(bytes_.find('\n', begin_), bytes_.size()) - begin_);
  }
  std::string directive() const { return trimmed(line().substr(2)); }
  void next_line() {
    begin_ = std::min(begin_ + line().size() + 1, bytes_.size());
    ++line_;
  }
  // A turn is begun only behind text that is in none.
  bool has_mark_behind_text() const {
    std::istringstream lines(bytes_.substr(begin_));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("%%") && is_role(trimmed(line.substr(2)))) return true;
    return false;
  }

  void setting(const std::string& text) {
    if (rules_)
      fail("expected '%% system', '%% user' or '%% assistant': settings such as '%% " + text +
           "' are of conversations that ask for a verdict");
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos)
      fail("expected '%% key: value', or '%% system', '%% user' or '%% assistant' for a turn, not '%% " + text + "'");
    const std::string key = trimmed(text.substr(0, colon)), value = trimmed(text.substr(colon + 1));
    if (key == "style") {
      style_ = one_of(key, value, "verdict_first", "rationale_first") ? Style::verdict_first : Style::rationale_first;
    } else if (key == "answer") {
      style_ = one_of(key, value, "letter", "reasoned") ? Style::verdict_first : Style::rationale_first;
    } else if (key == "wrap") {
      result_.wrap = one_of(key, value, "raw", "chat") ? Wrap::raw : Wrap::chat;
      is_wrap_said_ = true;
    } else if (key == "principles") {
      wants_principles_ = one_of(key, value, "given", "none");
    } else if (key == "verdicts") {
      verdicts(value);
    } else if (key == "scores") {
      scores(value);
    } else if (key == "verdict_cue" || key == "rationale_cue") {
      if (value.empty()) fail(key + ": expected a text");
      (key == "verdict_cue" ? result_.verdict_cue : result_.rationale_cue) = unescaped(value);
    } else {
      fail(unknown_name_message(
          "key", key, {"style", "answer", "wrap", "verdicts", "scores", "verdict_cue", "rationale_cue", "principles"}));
    }
  }

  // Whether `value` is the first of two names.
  bool one_of(const std::string& key, const std::string& value, const std::string& a, const std::string& b) const {
    if (value != a && value != b) fail(key + ": expected " + a + " or " + b + ", not '" + value + "'");
    return value == a;
  }

  void verdicts(const std::string& value) {
    std::istringstream words(value);
    std::string extra;
    if (!(words >> result_.verdict_first >> result_.verdict_second) || (words >> extra) ||
        result_.verdict_first == result_.verdict_second)
      fail("verdicts: expected two different words, as in 'A B', not '" + value + "'");
  }

  void scores(const std::string& value) {
    std::istringstream numbers(value);
    ScoreScale scale;
    std::string extra;
    if (!(numbers >> scale.low >> scale.high) || (numbers >> extra) || scale.low < 0 || scale.high > 100 ||
        scale.low >= scale.high)
      fail("scores: expected two whole numbers from 0 to 100, the least and the greatest, as in '1 10', not '" + value +
           "'");
    result_.scores = scale;
  }

  std::string unescaped(const std::string& value) const {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] != '\\') {
        text += value[i];
        continue;
      }
      const char next = i + 1 < value.size() ? value[++i] : ' ';
      if (next != 'n' && next != '\\') fail("expected \\n or \\\\ after a backslash in '" + value + "'");
      text += next == 'n' ? '\n' : '\\';
    }
    return text;
  }

  void read_text() {
    std::string text = bytes_.substr(begin_);
    if (text.ends_with('\n')) text.pop_back();
    result_.turns.push_back({"user", std::move(text)});
    while (!at_end()) {
      note_places(line());
      next_line();
    }
    line_ = std::max<std::size_t>(line_, 2) - 1;
  }

  void read_turns() {
    for (; !at_end(); next_line()) {
      if (is_directive()) {
        begin_turn(directive());
      } else if (result_.turns.empty()) {
        if (!trimmed(line()).empty()) fail("expected '%% user' or another line of '%%' before the first text");
      } else {
        note_places(line());
        result_.turns.back().content.append(line()) += '\n';
      }
    }
    --line_;
    end_turn();
    if (result_.turns.back().role != "user") throw input_error(file_, "expected a turn of user at the end");
  }

  void begin_turn(const std::string& role) {
    if (!is_role(role))
      fail("expected '%% system', '%% user' or '%% assistant' behind the first turn, not '%% " + role + "'");
    end_turn();
    const std::string last = result_.turns.empty() ? "" : result_.turns.back().role;
    const bool fits = role == "system" ? last.empty() : role == "user" ? last != "user" : last == "user";
    if (!fits)
      fail("a turn of " + role + " cannot " + (last.empty() ? "be the first" : "follow one of " + last) +
           ": expected system, then user and assistant by turns");
    result_.turns.push_back({role, ""});
    in_turn_.clear();
  }

  void end_turn() {
    if (result_.turns.empty()) return;
    Message& turn = result_.turns.back();
    turn.content = trimmed(turn.content);
    if (turn.content.empty()) fail("the turn of " + turn.role + " that ends here is empty");
  }

  void note_places(std::string_view text) {
    walk(
        text, [](std::string_view) {},
        [&](std::string_view name) {
          const std::vector<std::string>& known = rules_ ? rules_->known : judged_places;
          if (std::find(known.begin(), known.end(), name) == known.end())
            fail(unknown_name_message("placeholder", std::string(name), known));
          if (!rules_ && (result_.scores ? is_compared(name) : is_scored(name))) {
            fail("{" + std::string(name) + "} has no place where " +
                 (result_.scores ? "one response is scored ('%% scores'): {response}"
                                 : "two responses are compared: {first} and {second}, or '%% scores' at the head,") +
                 " was expected");
          }
          if (wants_principles_ == false && is_of_principles(name))
            fail("{" + std::string(name) + "} has no place in a file with '%% principles: none'");
          in_turn_.emplace_back(name);
        });
  }

  bool is_in_last_turn(std::string_view name) const {
    return std::find(in_turn_.begin(), in_turn_.end(), name) != in_turn_.end();
  }

  void check_places() const {
    const auto need = [&](bool found, const std::string& name) {
      if (!found) fail("the placeholder {" + name + "} is missing" + (has_marks_ ? " in the last turn" : ""));
    };
    if (rules_) {
      for (const std::string& name : rules_->needed) {
        bool found = false;
        for (const Message& turn : result_.turns)
          walk(turn.content, [](std::string_view) {}, [&](std::string_view other) { found = found || other == name; });
        if (!found) throw input_error(file_, "the placeholder {" + name + "} is missing");
      }
      return;
    }
    const std::vector<std::string> judged = result_.scores ? std::vector<std::string>{"prompt", "response"}
                                                           : std::vector<std::string>{"prompt", "first", "second"};
    for (const std::string& name : judged) need(is_in_last_turn(name), name);
    if (has_marks_) need(is_in_last_turn("fence"), "fence");
    const bool wants = wants_principles_.value_or(!has_marks_);
    const auto is_principles = [](std::string_view name) { return name == "principle" || name == "principles"; };
    if (wants && !has_place(result_.turns, is_principles))
      fail("the placeholder {principle} is missing; '%% principles: none' says that there is to be none");
  }

  std::filesystem::path file_;
  std::string bytes_;
  const PlaceRules* rules_;
  std::size_t begin_ = 0, line_ = 1;
  Conversation result_;
  std::optional<Style> style_;
  std::optional<bool> wants_principles_;
  bool has_marks_ = false, is_wrap_said_ = false;
  std::vector<std::string> in_turn_;  // names of the places in the turn at hand
};

}  // namespace

Conversation Conversation::load(const std::filesystem::path& file) { return Reader(file).read(); }

Conversation Conversation::load(const std::filesystem::path& file, const PlaceRules& places) {
  return Reader(file, &places).read();
}

Conversation Conversation::of_text(std::string text) {
  Conversation conversation;
  conversation.turns.push_back({"user", std::move(text)});
  return conversation;
}

std::vector<std::string> Conversation::answers() const {
  if (!scores) return {verdict_first, verdict_second};
  std::vector<std::string> numbers;
  for (int score = scores->low; score <= scores->high; ++score) numbers.push_back(std::to_string(score));
  return numbers;
}

bool Conversation::has_principles() const { return has_place(turns, is_of_principles); }

bool Conversation::has_fence() const {
  return has_place(turns, [](std::string_view name) { return name == "fence"; });
}

std::size_t Conversation::constant_turns(bool same_principles) const {
  std::size_t count = 0;
  for (const Message& turn : turns) {
    bool varies = false;
    walk(
        turn.content, [](std::string_view) {},
        [&](std::string_view name) { varies = varies || !same_principles || !is_of_principles(name); });
    if (varies) break;
    ++count;
  }
  return count;
}

std::vector<Message> Conversation::render(const ShownTexts& texts) const {
  std::vector<Message> result;
  for (const Message& turn : turns) {
    std::string content;
    walk(
        turn.content, [&](std::string_view part) { content += part; },
        [&](std::string_view name) {
          // What is no place stands as it is: conversations made in memory are not checked.
          if (const NamedPlace* place = place_named(name))
            content += texts.*(place->text);
          else
            content.append("{").append(name) += '}';
        });
    result.push_back({turn.role, std::move(content)});
  }
  return result;
}

std::string Conversation::render_text(const ShownTexts& texts) const {
  std::string text;
  for (Message& turn : render(texts)) text += (text.empty() ? "" : "\n\n") + std::move(turn.content);
  return text;
}

}  // namespace rlaif::text
