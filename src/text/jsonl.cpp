#include "rlaif/text/jsonl.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"

namespace rlaif::text {
namespace {

std::string kind_of(const Json& value) {
  if (value.is_string()) return "a string";
  if (value.is_number_integer()) return "the integer " + value.dump();
  if (value.is_number()) return "the number " + value.dump();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_array()) return "an array";
  return value.is_null() ? "null" : "an object";
}

Error unexpected(const JsonRecord& record, const char* key, const std::string& expected) {
  const auto found = record.object.find(key);
  const std::string seen = found == record.object.end() ? "is missing" : "is " + kind_of(*found);
  return input_error(record.file, record.line, "key '" + std::string(key) + "' " + seen + "; expected " + expected);
}

const Json* find(const JsonRecord& record, const char* key) {
  const auto found = record.object.find(key);
  return found == record.object.end() ? nullptr : &*found;
}

Json parse_object(const std::filesystem::path& file, std::size_t line, std::string_view text) {
  if (const std::size_t bad = first_invalid_utf8(text); bad < text.size()) {
    throw input_error(file, line, "byte " + std::to_string(bad + 1) + " of the line is not UTF-8; expected UTF-8");
  }
  Json object;
  try {
    object = parse_json_text(text);
  } catch (const Json::parse_error& failure) {
    // No byte: JSON that cannot be held, such as a number that no double holds.
    if (failure.byte == 0) throw input_error(file, line, std::string("not readable as JSON: ") + failure.what());
    throw input_error(file, line, "not valid JSON at byte " + std::to_string(failure.byte) +
                                      " of the line; expected one whole JSON object");
  }
  if (!object.is_object()) throw input_error(file, line, kind_of(object) + "; expected a JSON object");
  return object;
}

std::uint64_t prompt_id(const JsonRecord& record) {
  const Json* id = find(record, "id");
  if (id == nullptr) return record.line - 1;
  if (!id->is_number_unsigned()) throw unexpected(record, "id", "an integer from 0");
  return id->get<std::uint64_t>();
}

}  // namespace

const std::string& JsonRecord::string(const char* key) const {
  const Json* value = find(*this, key);
  if (value == nullptr || !value->is_string()) throw unexpected(*this, key, "a string");
  return value->get_ref<const std::string&>();
}

double JsonRecord::number(const char* key) const {
  const Json* value = find(*this, key);
  if (value == nullptr || !value->is_number()) throw unexpected(*this, key, "a number");
  const double number = value->get<double>();
  if (!std::isfinite(number)) throw unexpected(*this, key, "a finite number");
  return number;
}

bool JsonRecord::boolean(const char* key) const {
  const Json* value = find(*this, key);
  if (value == nullptr || !value->is_boolean()) throw unexpected(*this, key, "true or false");
  return value->get<bool>();
}

bool JsonRecord::has(const char* key) const { return find(*this, key) != nullptr; }

std::string JsonRecord::string_or(const char* key, const std::string& fallback) const {
  return has(key) ? string(key) : fallback;
}

void for_each_json_line(const std::filesystem::path& file, const std::function<void(const JsonRecord&)>& f) {
  const std::string bytes = read_file(file);
  const std::string_view text = bytes;
  JsonRecord record{file, 0, {}};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++record.line;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    record.object = parse_object(file, record.line, line);
    f(record);
  }
}

std::vector<JsonRecord> read_json_lines(const std::filesystem::path& file) {
  std::vector<JsonRecord> records;
  for_each_json_line(file, [&](const JsonRecord& record) { records.push_back(record); });
  return records;
}

std::vector<Prompt> read_prompts(const std::filesystem::path& file) {
  std::vector<Prompt> prompts;
  std::unordered_map<std::uint64_t, std::size_t> line_of_id;
  for_each_json_line(file, [&](const JsonRecord& record) {
    Prompt prompt{prompt_id(record), record.string("prompt"), record.string_or("family", "")};
    if (prompt.text.empty()) throw input_error(file, record.line, "key 'prompt' is empty; expected a text");
    const auto [known, added] = line_of_id.emplace(prompt.id, record.line);
    if (!added) {
      throw input_error(file, record.line, "id " + std::to_string(prompt.id) + " is that of line " +
                                               std::to_string(known->second) +
                                               " already; expected ids that are unique (without the key 'id': the "
                                               "index of the line from 0)");
    }
    prompts.push_back(std::move(prompt));
  });
  if (prompts.empty()) throw input_error(file, "no prompt; expected one JSON object with the key 'prompt' a line");
  return prompts;
}

std::string to_json_line(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rlaif::text
