// Objects of a JSON file that people write, read with complaints that name the file, the place and the key.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::judge {

// A value as complaints show it.
std::string shown(const Json& value);

// One JSON text; an object that has a key twice is refused, where JSON itself would keep one in silence. `expected` says
// what the file should hold. Throws Error(input) naming file and line.
Json parse_json(const std::filesystem::path& file, std::string_view bytes, const std::string& expected);

// An object of a file, and what it is called in complaints: "" for the whole, else "rule 3 (max_words)". Getters throw
// Error(input).
class JsonSection {
 public:
  JsonSection(const std::filesystem::path& file, const Json& json, std::string place);

  [[nodiscard]] Error error(const std::string& message) const;
  [[nodiscard]] Error unexpected(const char* key, const Json& value, const std::string& expected) const;

  const Json* find(const char* key) const;  // null where the key is not there
  const Json& at(const char* key, const std::string& expected) const;
  void allow_only(const std::vector<std::string>& known) const;

  std::string text(const char* key) const;  // not empty
  double above_zero(const char* key) const;
  std::size_t count(const char* key, std::size_t least, std::size_t most = 1000000) const;
  std::size_t count_or(const char* key, std::size_t least, std::size_t otherwise, std::size_t most = 1000000) const;

 private:
  const std::filesystem::path* file_;
  const Json* json_;
  std::string place_;
};

}  // namespace rlaif::judge
