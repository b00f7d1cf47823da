#include "json_field.hpp"
#include "rlaif/core/json_parse.hpp"

#include <algorithm>
#include <unordered_set>

namespace rlaif::text {
namespace {

constexpr std::size_t kShownCharacters = 60;

std::string shown(const IndexedJson& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  const std::string text = value.dump(-1, ' ', false, IndexedJson::error_handler_t::replace);
  return text.size() <= kShownCharacters ? text : text.substr(0, kShownCharacters) + "...";
}

}  // namespace

IndexedJson parse_indexed_json(std::string_view text, const std::string& name) {
  std::vector<std::unordered_set<std::string>> open;  // keys seen in each object that is being read
  const auto watch = [&](int, IndexedJson::parse_event_t event, IndexedJson& parsed) {
    if (event == IndexedJson::parse_event_t::object_start) open.emplace_back();
    if (event == IndexedJson::parse_event_t::object_end) open.pop_back();
    if (event == IndexedJson::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second) {
      throw input_error(name, "the key " + shown(parsed) + " stands twice in one object; expected each key once");
    }
    return true;
  };
  try {
    check_json_bounds(text, text.size());
    return IndexedJson::parse(text, watch);
  } catch (const IndexedJson::parse_error& failure) {
    const std::size_t end = std::min(failure.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    throw input_error(name, static_cast<std::size_t>(line),
                      "not valid JSON at byte " + std::to_string(failure.byte) + " of " + std::to_string(text.size()) +
                          "; expected one whole JSON document");
  } catch (const IndexedJson::exception& failure) {
    throw input_error(name, std::string("not readable as JSON: ") + failure.what());
  }
}

JsonField JsonField::at(const char* key) const {
  if (!value_->is_object()) throw unexpected("an object");
  const auto found = value_->find(key);
  if (found == value_->end()) {
    throw error((path_.empty() ? "the document" : "'" + path_ + "'") + " lacks the key '" + key + "'");
  }
  JsonField field(*found, *name_);
  field.path_ = path_.empty() ? key : path_ + "." + key;
  return field;
}

std::optional<JsonField> JsonField::find(const char* key) const {
  if (!value_->is_object()) throw unexpected("an object");
  const auto found = value_->find(key);
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return at(key);
}

std::vector<JsonField> JsonField::items() const {
  if (!value_->is_array()) throw unexpected("an array");
  std::vector<JsonField> fields;
  fields.reserve(value_->size());
  for (const IndexedJson& item : *value_) {
    JsonField& field = fields.emplace_back(item, *name_);
    field.path_ = path_ + "[" + std::to_string(fields.size() - 1) + "]";
  }
  return fields;
}

const std::string& JsonField::string() const {
  if (!value_->is_string()) throw unexpected("a string");
  return value_->get_ref<const std::string&>();
}

bool JsonField::boolean() const {
  if (!value_->is_boolean()) throw unexpected("true or false");
  return value_->get<bool>();
}

std::int64_t JsonField::integer() const {
  if (!value_->is_number_integer()) throw unexpected("an integer");
  return value_->get<std::int64_t>();
}

bool JsonField::boolean_or(const char* key, bool fallback) const {
  const auto field = find(key);
  return field ? field->boolean() : fallback;
}

std::string JsonField::string_or(const char* key, const std::string& fallback) const {
  const auto field = find(key);
  return field ? field->string() : fallback;
}

Error JsonField::unexpected(const std::string& expected) const {
  return error((path_.empty() ? "the document" : "'" + path_ + "'") + " is " + shown(*value_) + "; expected " +
               expected);
}

Error JsonField::error(const std::string& message) const { return input_error(*name_, message); }

}  // namespace rlaif::text
