#include "json_section.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::judge {

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return value.empty() ? "an empty list" : "a list";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parse_json(const std::filesystem::path& file, std::string_view bytes, const std::string& expected) {
  std::vector<std::vector<std::string>> open;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (std::find(open.back().begin(), open.back().end(), key) != open.back().end())
        throw input_error(file, "the key '" + key + "' stands twice in one object; expected each key once");
      open.back().push_back(key);
    }
    return true;
  };
  try {
    check_json_bounds(bytes);
    return Json::parse(bytes, watch);
  } catch (const Json::parse_error& failure) {
    const std::string_view before = bytes.substr(0, std::min(failure.byte, bytes.size()));
    const auto line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    throw input_error(file, line, "not valid JSON here; expected " + expected);
  } catch (const Json::exception& failure) {
    throw input_error(file, std::string("not readable as JSON: ") + failure.what());
  }
}

JsonSection::JsonSection(const std::filesystem::path& file, const Json& json, std::string place)
    : file_(&file), json_(&json), place_(std::move(place)) {
  if (!json.is_object()) throw error("expected an object, not " + shown(json));
}

Error JsonSection::error(const std::string& message) const {
  return input_error(*file_, place_.empty() ? message : place_ + ": " + message);
}

Error JsonSection::unexpected(const char* key, const Json& value, const std::string& expected) const {
  std::string message = "'";
  message.append(key).append("' holds ").append(shown(value)).append("; expected ").append(expected);
  return error(message);
}

const Json* JsonSection::find(const char* key) const {
  const auto found = json_->find(key);
  return found == json_->end() ? nullptr : &*found;
}

const Json& JsonSection::at(const char* key, const std::string& expected) const {
  const Json* value = find(key);
  if (value) return *value;
  std::string message = "the key '";
  throw error(message.append(key).append("' is missing; expected ").append(expected));
}

void JsonSection::allow_only(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : json_->items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) throw error(unknown_name_message("key", key, known));
  }
}

std::string JsonSection::text(const char* key) const {
  const Json& value = at(key, "a text");
  if (!value.is_string() || value.get_ref<const std::string&>().empty())
    throw unexpected(key, value, "a text, not empty");
  return value.get<std::string>();
}

double JsonSection::above_zero(const char* key) const {
  const Json& value = at(key, "a number above 0");
  const double number = value.is_number() ? value.get<double>() : -1.0;
  if (!(number > 0.0) || !std::isfinite(number)) throw unexpected(key, value, "a number above 0");
  return number;
}

std::size_t JsonSection::count(const char* key, std::size_t least, std::size_t most) const {
  const std::string expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const Json& value = at(key, expected);
  const bool whole = value.is_number_unsigned() && value.get<std::uint64_t>() <= most;
  if (!whole || value.get<std::size_t>() < least) throw unexpected(key, value, expected);
  return value.get<std::size_t>();
}

std::size_t JsonSection::count_or(const char* key, std::size_t least, std::size_t otherwise, std::size_t most) const {
  return find(key) ? count(key, least, most) : otherwise;
}

}  // namespace rlaif::judge
