#include "rlaif/text/jsonl.hpp"

#include <algorithm>
#include <optional>

#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/json_parse.hpp"

namespace rlaif::text {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Files that are no text in UTF-8 at all, by what they begin with. Empty: none of them.
std::string other_encoding(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return "the file is in UTF-16; expected UTF-8 (`iconv -f UTF-16 -t UTF-8`)";
  const std::string converted = "; expected JSON Lines (`jobs/convert_dataset.py` writes them)";
  if (text.starts_with("PAR1")) return "the file is in Parquet" + converted;
  if (text.starts_with("ARROW1") || text.starts_with("\xFF\xFF\xFF\xFF")) return "the file is in Arrow" + converted;
  const std::string packed = "; expected JSON Lines as they are, or compressed by gzip or zstd";
  if (text.starts_with("\xFD"
                       "7zXZ"))
    return "the file is compressed by xz" + packed;
  if (text.starts_with("BZh")) return "the file is compressed by bzip2" + packed;
  if (text.starts_with("PK\x03\x04")) return "the file is a zip archive" + packed;
  return "";
}

// A name that Python and others write for a number that JSON has not, outside of strings. Empty: none.
std::string no_number(std::string_view text) {
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') inside = !inside;
    if (inside && text[i] == '\\') ++i;
    if (inside) continue;
    for (const std::string_view name : {"NaN", "Infinity", "nan", "inf"}) {
      if (text.substr(i).starts_with(name)) return std::string(name);
    }
  }
  return "";
}

// Why a line is no JSON, as far as its looks tell.
std::string malformed_text(std::string_view text, std::size_t byte) {
  if (const std::string name = no_number(text); !name.empty())
    return name + " is no JSON; expected a number or null in its place";
  const std::string where = "not valid JSON at byte " + std::to_string(byte) + " of the line; ";
  const std::size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  if (begin == std::string_view::npos) return where + "expected one whole JSON object";
  if (text[begin] == '[' || text[end] == ']')
    return where + "expected one whole JSON object a line, without an array around them (`jq -c '.[]'`)";
  if (text[end] == ',') return where + "expected one whole JSON object, without a comma after it";
  if (text[begin] == '{' && text[end] != '}') return where + "expected one whole JSON object in one line (`jq -c .`)";
  return where + "expected one whole JSON object";
}

Json parse_object(const std::filesystem::path& file, std::size_t line, std::string_view text) {
  if (line == 1) {
    if (const std::string encoding = other_encoding(text); !encoding.empty()) throw input_error(file, line, encoding);
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  }
  if (const std::size_t bad = first_invalid_utf8(text); bad < text.size()) {
    throw input_error(file, line, "byte " + std::to_string(bad + 1) + " of the line is not UTF-8; expected UTF-8");
  }
  Json object;
  try {
    object = parse_json_text(text);
  } catch (const Json::parse_error& failure) {
    // No byte: JSON that cannot be held, such as a number that no double holds.
    if (failure.byte == 0) throw input_error(file, line, std::string("not readable as JSON: ") + failure.what());
    throw input_error(file, line, malformed_text(text, failure.byte));
  }
  if (object.is_array())
    throw input_error(file, line,
                      "an array; expected a JSON object a line, without an array around them (`jq -c '.[]'`)");
  if (!object.is_object()) throw JsonReader(file, object, line).unexpected("a JSON object");
  return object;
}

// A turn's content: a text, or parts that are all texts. nullopt: neither.
std::optional<std::string> content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return std::nullopt;
  std::string text;
  for (const Json& part : content) {
    const auto type = part.is_object() ? part.find("type") : part.end();
    const auto words = part.is_object() ? part.find("text") : part.end();
    if (type == part.end() || *type != "text" || words == part.end() || !words->is_string()) return std::nullopt;
    text += words->get_ref<const std::string&>();
  }
  return text;
}

}  // namespace

const std::string& JsonRecord::string(const char* key) const { return reader().at(key).string(); }
double JsonRecord::number(const char* key) const { return reader().at(key).number(); }
std::uint64_t JsonRecord::number_from_zero(const char* key) const { return reader().at(key).count(); }
bool JsonRecord::boolean(const char* key) const { return reader().at(key).boolean(); }
bool JsonRecord::has(const char* key) const { return object.contains(key); }

std::string JsonRecord::string_or(const char* key, const std::string& fallback) const {
  return has(key) ? string(key) : fallback;
}

void JsonRecord::read_prompt(const char* key, Prompt& prompt) const {
  const auto value = reader().find(key);
  if (!value || !(value->json().is_string() || value->json().is_array()))
    throw reader().at(key).unexpected("a text or a list of turns {\"role\", \"content\"}");
  if (value->json().is_string()) {
    prompt.text = value->text();
    prompt.turns.clear();
    return;
  }
  std::vector<Message> turns = turns_in(*this, key, value->json());
  if (const std::string problem = prompt_problem(turns); !problem.empty()) throw value->error(problem);
  set_turns(prompt, std::move(turns));
}

JsonLineReader::JsonLineReader(const std::filesystem::path& file) : lines_(file), record_{file, 0, {}} {}

bool JsonLineReader::next() {
  for (std::string_view text; lines_.next(text);) {
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    record_.line = lines_.number();
    record_.object = parse_object(record_.file, record_.line, text);
    return true;
  }
  return false;
}

void for_each_json_line(const std::filesystem::path& file, const std::function<void(const JsonRecord&)>& f) {
  for (JsonLineReader lines(file); lines.next();) f(lines.record());
}

std::vector<JsonRecord> read_json_lines(const std::filesystem::path& file) {
  std::vector<JsonRecord> records;
  for_each_json_line(file, [&](const JsonRecord& record) { records.push_back(record); });
  return records;
}

std::vector<Message> turns_in(const JsonRecord& record, const std::string& key, const Json& list) {
  std::vector<Message> turns;
  const auto expected = [&](const std::string& name) {
    return input_error(record.file, record.line,
                       "key '" + key + "': turn " + std::to_string(turns.size() + 1) + " has no text '" + name +
                           "'; expected a text or a list of turns {\"role\", \"content\"}");
  };
  if (!list.is_array()) throw input_error(record.file, record.line, "key '" + key + "': expected a list of turns");
  for (const Json& one : list) {
    const auto member = [&](const char* name) -> const Json& {
      const auto found = one.find(name);
      if (!one.is_object() || found == one.end()) throw expected(name);
      return *found;
    };
    const Json& role = member("role");
    if (!role.is_string()) throw expected("role");
    std::optional<std::string> content = content_text(member("content"));
    if (!content) throw expected("content");
    turns.push_back({role == "developer" ? "system" : role.get<std::string>(), std::move(*content)});
  }
  return turns;
}

Json turns_json(std::span<const Message> turns) {
  Json list = Json::array();
  for (const Message& turn : turns) list.push_back({{"role", turn.role}, {"content", turn.content}});
  return list;
}

Json prompt_json(const Prompt& prompt) { return prompt.turns.empty() ? Json(prompt.text) : turns_json(prompt.turns); }

std::string to_json_line(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace rlaif::text
