#include "rlaif/run/deck_file.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::run {
namespace {

constexpr std::string_view blanks = " \t", byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(char c) { return blanks.find(c) != std::string_view::npos; }
// Those that JSON escapes; the rest can stand as they are.
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
  const std::size_t end = text.find_last_not_of(blanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

// Where a comment begins after a value: white space or the beginning, one '#', white space or the end. npos: nowhere.
std::size_t find_comment(std::string_view text) {
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    if ((at == 0 || is_blank(text[at - 1])) && (at + 1 == text.size() || is_blank(text[at + 1]))) return at;
  }
  return std::string_view::npos;
}

// The quotation mark that ends the JSON string at the beginning of `text`; npos: there is none.
std::size_t find_closing_mark(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at;
    }
  }
  return std::string_view::npos;
}

class DeckReader {
 public:
  // `outer`: the decks that include this one, outermost first.
  explicit DeckReader(const std::filesystem::path& file, std::vector<std::filesystem::path> outer = {})
      : outer_(std::move(outer)) {
    deck_.file = file;
  }

  DeckFile read() {
    const std::string bytes = read_file(deck_.file);
    std::string_view rest = bytes;
    if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      ++line_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      read_line(line);
    }
    for (auto& [key, value] : included_) deck_.values.emplace(key, std::move(value));  // this deck's own beat them
    return std::move(deck_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw usage_error(deck_.file.string() + ":" + std::to_string(line_) + ": " + message);
  }

  void read_line(std::string_view line) {
    if (const std::size_t bad = first_invalid_utf8(line); bad < line.size()) {
      fail("byte " + std::to_string(bad + 1) + " of the line is not UTF-8; UTF-8 was expected");
    }
    if (std::any_of(line.begin(), line.end(), is_control)) fail("holds a control character; text was expected");
    line = trimmed(line);
    if (line.empty() || line.front() == '#') return;
    if (line.front() == '[') return read_section(line);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      fail("'" + std::string(line) + "': a line '[section]', 'key = value' or '# comment' was expected");
    if (section_.empty() && trimmed(line.substr(0, equals)) == "include")
      return include(trimmed(line.substr(equals + 1)));
    const std::string key = section_ + std::string(trimmed(line.substr(0, equals)));
    if (equals == 0 || key == section_) fail("a key was expected before '='");
    const DeckValue value = read_value(key, trimmed(line.substr(equals + 1)));
    const auto [known, is_new] = deck_.values.emplace(key, value);
    if (!is_new) fail("the key '" + key + "' stands twice, first in line " + std::to_string(known->second.line));
  }

  // Keys of another deck, whose values this one's own beat. Of two includes the later one holds.
  void include(std::string_view text) {
    const DeckValue value = read_value("include", text);
    const std::filesystem::path file = deck_.file.parent_path() / value.text;
    if (value.text.empty() || !std::filesystem::is_regular_file(file))
      fail("include = " + value.text + ": there is no deck " + file.string());
    std::vector<std::filesystem::path> outer = outer_;
    outer.push_back(deck_.file);
    for (const auto& other : outer) {
      if (std::filesystem::equivalent(other, file)) fail("include = " + value.text + ": the deck includes itself");
    }
    for (auto& [key, included] : DeckReader(file, outer).read().values) included_[key] = std::move(included);
  }

  void read_section(std::string_view line) {
    if (const std::size_t comment = find_comment(line); comment != std::string_view::npos)
      line = trimmed(line.substr(0, comment));
    const std::string_view name = line.size() < 2 ? std::string_view() : trimmed(line.substr(1, line.size() - 2));
    if (!line.ends_with(']') || name.empty() || name.find_first_of("[]=") != std::string_view::npos) {
      fail("'" + std::string(line) + "': a section '[name]' was expected");
    }
    section_ = std::string(name) + ".";
  }

  DeckValue read_value(const std::string& key, std::string_view text) const {
    DeckValue value;
    value.file = deck_.file;
    value.line = line_;
    value.is_quoted = text.starts_with('"');
    if (!value.is_quoted) {
      const std::size_t comment = find_comment(text);
      if (comment != std::string_view::npos) value.comment = text.substr(comment);
      value.text = trimmed(text.substr(0, comment));
      return value;
    }
    const std::size_t mark = find_closing_mark(text);
    const std::string_view after = mark == std::string_view::npos ? text : trimmed(text.substr(mark + 1));
    const Json json = mark == std::string_view::npos ? Json() : try_parse_json(text.substr(0, mark + 1));
    if (!json.is_string() || !(after.empty() || after.front() == '#')) {
      fail(key +
           ": a value that begins with a quotation mark is one JSON string (\"...\", with \\\" for a mark in it), and "
           "only a comment "
           "may follow it; to begin a text with a mark, write it as \"\\\"...\"");
    }
    value.comment = after;
    value.text = json.get<std::string>();
    return value;
  }

  DeckFile deck_;
  std::vector<std::filesystem::path> outer_;
  std::map<std::string, DeckValue> included_;
  std::size_t line_ = 0;
  std::string section_;  // with its dot
};

}  // namespace

DeckFile read_deck_file(const std::filesystem::path& file) { return DeckReader(file).read(); }

std::string deck_value(const std::string& text) {
  const bool plain = !text.starts_with('"') && trimmed(text) == text &&
                     std::none_of(text.begin(), text.end(), is_control) && find_comment(text) == std::string_view::npos;
  return plain ? text : Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rlaif::run
