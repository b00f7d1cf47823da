// Walking a JSON document with errors that name the file and the path of the key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::text {

// Keys are looked up by the ten thousand: the sorted map of plain json, not the ordered list of rlaif::Json.
using IndexedJson = nlohmann::json;

// Parses; refuses malformed JSON (with its line) and an object that has a key twice.
IndexedJson parse_indexed_json(std::string_view text, const std::string& name);

// A value and the way to it ("model.merges[3]"). It lives no longer than the document and the name.
class JsonField {
 public:
  JsonField(const IndexedJson& value, const std::string& name) : value_(&value), name_(&name) {}

  const IndexedJson& value() const { return *value_; }
  const std::string& path() const { return path_; }

  JsonField at(const char* key) const;                   // throws where it is absent
  std::optional<JsonField> find(const char* key) const;  // nothing where it is absent or null
  std::vector<JsonField> items() const;                  // of an array

  const std::string& string() const;
  bool boolean() const;
  std::int64_t integer() const;
  bool boolean_or(const char* key, bool fallback) const;
  std::string string_or(const char* key, const std::string& fallback) const;

  // "FILE: 'PATH' is FOUND; expected EXPECTED"
  [[nodiscard]] Error unexpected(const std::string& expected) const;
  [[nodiscard]] Error error(const std::string& message) const;

 private:
  const IndexedJson* value_;
  const std::string* name_;
  std::string path_;
};

}  // namespace rlaif::text
