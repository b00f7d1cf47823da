#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/judge/local.hpp"

namespace rlaif::judge {
namespace {

constexpr std::array<std::string_view, 6> placeholders{"principle", "cases", "prompt", "first", "second", "fence"};
constexpr bool is_of_principles(std::string_view name) { return name == "principle" || name == "cases"; }
constexpr bool is_optional(std::string_view name) { return name == "cases" || name == "fence"; }

// Where an error stands.
struct Place {
  const std::filesystem::path& file;
  std::size_t line;
};

std::string trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

// The name of the placeholder that begins at text[at] == '{': lower-case letters and underscores up to '}'.
std::optional<std::string_view> placeholder_at(std::string_view text, std::size_t at) {
  const std::size_t close = text.find('}', at);
  if (close == std::string_view::npos || close == at + 1) return std::nullopt;
  const std::string_view name = text.substr(at + 1, close - at - 1);
  const auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  if (!std::all_of(name.begin(), name.end(), is_name)) return std::nullopt;
  return name;
}

std::string unescaped(const std::string& value, const Place& place) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      text += value[i];
      continue;
    }
    const char next = i + 1 < value.size() ? value[++i] : ' ';
    if (next == 'n')
      text += '\n';
    else if (next == '\\')
      text += '\\';
    else
      throw input_error(place.file, place.line, "expected \\n or \\\\ after a backslash in '" + value + "'");
  }
  return text;
}

void set_verdicts(JudgeTemplate& result, const std::string& value, const Place& place) {
  std::istringstream words(value);
  std::string extra;
  if (!(words >> result.verdict_first >> result.verdict_second) || (words >> extra) ||
      result.verdict_first == result.verdict_second)
    throw input_error(place.file, place.line,
                      "verdicts: expected two different words, as in 'A B', not '" + value + "'");
}

void set_key(JudgeTemplate& result, const std::string& key, const std::string& value, const Place& place) {
  using Style = JudgeTemplate::Style;
  using Wrap = JudgeTemplate::Wrap;
  if (key == "style") {
    if (value != "verdict_first" && value != "rationale_first")
      throw input_error(place.file, place.line,
                        "style: expected verdict_first or rationale_first, not '" + value + "'");
    result.style = value == "verdict_first" ? Style::verdict_first : Style::rationale_first;
  } else if (key == "wrap") {
    if (value != "raw" && value != "chat")
      throw input_error(place.file, place.line, "wrap: expected raw or chat, not '" + value + "'");
    result.wrap = value == "raw" ? Wrap::raw : Wrap::chat;
  } else if (key == "principles") {
    if (value != "given" && value != "none")
      throw input_error(place.file, place.line, "principles: expected given or none, not '" + value + "'");
    result.has_principles = value == "given";
  } else if (key == "verdicts") {
    set_verdicts(result, value, place);
  } else if (key == "verdict_cue" || key == "rationale_cue") {
    if (value.empty()) throw input_error(place.file, place.line, key + ": expected a text");
    (key == "verdict_cue" ? result.verdict_cue : result.rationale_cue) = unescaped(value, place);
  } else {
    throw input_error(
        place.file, place.line,
        unknown_name_message("key", key, {"style", "wrap", "verdicts", "verdict_cue", "rationale_cue", "principles"}));
  }
}

void check_placeholders(const JudgeTemplate& prompt, const std::filesystem::path& file, std::size_t first_line) {
  const std::string& text = prompt.text;
  std::array<bool, placeholders.size()> seen{};
  std::size_t line = first_line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ++line;
    if (text[i] != '{') continue;
    const auto name = placeholder_at(text, i);
    if (!name) continue;
    const auto known = std::find(placeholders.begin(), placeholders.end(), *name);
    if (known == placeholders.end())
      throw input_error(
          file, line,
          unknown_name_message("placeholder", std::string(*name), {placeholders.begin(), placeholders.end()}));
    if (!prompt.has_principles && is_of_principles(*name))
      throw input_error(file, line,
                        "{" + std::string(*name) + "} has no place in a template with '%% principles: none'");
    seen[known - placeholders.begin()] = true;
  }
  for (std::size_t k = 0; k < seen.size(); ++k) {
    const bool needed = !is_optional(placeholders[k]) && (prompt.has_principles || !is_of_principles(placeholders[k]));
    if (!seen[k] && needed)
      throw input_error(file, line, "the placeholder {" + std::string(placeholders[k]) + "} is missing");
  }
}

}  // namespace

JudgeTemplate JudgeTemplate::load(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  JudgeTemplate result;
  std::size_t begin = 0, line = 1;
  while (bytes.compare(begin, 2, "%%") == 0) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    const std::string setting = bytes.substr(begin + 2, end - begin - 2);
    const std::size_t colon = setting.find(':');
    if (colon == std::string::npos) throw input_error(file, line, "expected '%% key: value', not '%%" + setting + "'");
    set_key(result, trimmed(setting.substr(0, colon)), trimmed(setting.substr(colon + 1)), {file, line});
    begin = std::min(end + 1, bytes.size());
    ++line;
  }
  result.text = bytes.substr(begin);
  if (!result.text.empty() && result.text.back() == '\n') result.text.pop_back();
  check_placeholders(result, file, line);
  return result;
}

std::string JudgeTemplate::render(const std::string& principle, const std::string& prompt, const std::string& first,
                                  const std::string& second, const std::string& cases, const std::string& fence) const {
  const std::array<const std::string*, placeholders.size()> values{&principle, &cases,  &prompt,
                                                                   &first,     &second, &fence};
  std::string rendered;
  for (std::size_t i = 0; i < text.size();) {
    const auto name = text[i] == '{' ? placeholder_at(text, i) : std::nullopt;
    const auto known = name ? std::find(placeholders.begin(), placeholders.end(), *name) : placeholders.end();
    if (known == placeholders.end()) {
      rendered += text[i++];
      continue;
    }
    rendered += *values[known - placeholders.begin()];
    i += name->size() + 2;
  }
  return rendered;
}

bool JudgeTemplate::has_fence() const { return text.find("{fence}") != std::string::npos; }

}  // namespace rlaif::judge
