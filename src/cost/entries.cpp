#include "entries.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::cost {
namespace {

bool is_date(const std::string& text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  const int month = std::stoi(text.substr(5, 2)), day = std::stoi(text.substr(8, 2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

}  // namespace

Json read_entries(const std::filesystem::path& file, const char* key) {
  Json json;
  try {
    json = parse_json_text(read_file(file));
  } catch (const Json::exception& error) {
    const std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at line ..."
    throw input_error(file, "is not JSON that can be read: " + reason.substr(reason.find("] ") + 2));
  }
  check_keys(file, json, "top level", {key});
  const auto entries = json.find(key);
  if (entries == json.end() || !entries->is_array()) {
    throw input_error(file, "expected a list as '" + std::string(key) + "'");
  }
  return *entries;
}

void check_keys(const std::filesystem::path& file, const Json& object, const std::string& where,
                const std::vector<std::string>& known) {
  if (!object.is_object()) throw input_error(file, where + ": expected an object");
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw input_error(file, where + ": " + unknown_name_message("key", key, known));
    }
  }
}

std::string text_of(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_string() || found->get<std::string>().empty()) {
    throw input_error(file, where + ": expected text as '" + key + "'");
  }
  return found->get<std::string>();
}

std::string date_of(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key) {
  const std::string text = text_of(file, entry, where, key);
  if (!is_date(text)) throw input_error(file, where + ": expected a date like 2025-01-31 as '" + key + "'");
  return text;
}

double amount_of(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key,
                 const std::string& what, double otherwise) {
  const auto found = entry.find(key);
  if (found == entry.end()) return otherwise;
  const double value = found->is_number() ? found->get<double>() : -1.0;
  if (!std::isfinite(value) || value < 0.0) {
    throw input_error(file, where + ": expected " + what + " of at least 0 as '" + key + "', got " +
                                found->dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return value;
}

}  // namespace rlaif::cost
