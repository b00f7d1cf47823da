// JSON files that people and other programs write, read with complaints that name the file, the place, what stands there and
// what was expected.
//   const Json json = read_json_object(file);
//   const JsonReader root(file, json);
//   root.allow_only({"name", "rules"});
//   for (const JsonReader& rule : root.at("rules").items(1)) weights.push_back(rule.at("weight").number_above(0.0));
// throws "rules.json: key 'rules[2].weight' is \"1\"; expected a number above 0".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif {

// One whole JSON text, within the bounds of json_parse.hpp; an IndexedJson may have any number of members. An object with
// a key twice is refused, where JSON itself would keep one in silence. Throws Error(input) naming file and line.
template <class J = Json>
J parse_json(const std::filesystem::path& file, std::string_view bytes);
// The same of a file, which must hold an object.
Json read_json_object(const std::filesystem::path& file);

// A value of a file and the way to it ("rules[2].max_words"). It lives no longer than file and value. All getters throw
// Error(input).
template <class J>
class BasicJsonReader {
 public:
  // `line` is that of a JSON Lines file, where the value is one line of it.
  BasicJsonReader(const std::filesystem::path& file, const J& json, std::size_t line = 0)
      : file_(&file), json_(&json), line_(line) {}

  // Of an object. A member that is not there may be asked for: what is read from it complains that it is missing.
  BasicJsonReader at(const std::string& key) const;
  std::optional<BasicJsonReader> find(const std::string& key) const;   // nothing where it is absent
  std::optional<BasicJsonReader> given(const std::string& key) const;  // nothing where it is absent or null
  std::vector<std::pair<std::string, BasicJsonReader>> members() const;
  void allow_only(const std::vector<std::string>& known) const;
  // Of a list of at least so many.
  std::vector<BasicJsonReader> items(std::size_t least = 0) const;

  const J& json() const;    // whatever it is
  const J& object() const;  // whose members are not asked for one by one
  const std::string& string() const;
  const std::string& text() const;  // not empty
  const std::string& date() const;  // "2025-01-31"
  const std::string& one_of(const std::vector<std::string>& known) const;
  bool boolean() const;
  std::int64_t integer() const;
  std::uint64_t count(std::uint64_t least = 0, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const;
  double number() const;
  double number(double least, double most) const;
  double number_from(double least) const;
  double number_above(double bound) const;
  // Of a member, where it is given.
  std::string string_or(const std::string& key, const std::string& otherwise) const;
  bool boolean_or(const std::string& key, bool otherwise) const;

  const std::string& path() const { return path_; }
  [[nodiscard]] Error error(const std::string& message) const;        // "FILE: key 'PATH': MESSAGE"
  [[nodiscard]] Error unexpected(const std::string& expected) const;  // "FILE: key 'PATH' is FOUND; expected EXPECTED"

 private:
  BasicJsonReader(const BasicJsonReader& parent, const J* json, std::string path)
      : file_(parent.file_), json_(json), line_(parent.line_), path_(std::move(path)) {}
  std::string path_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  Error fail(const std::string& message) const;
  std::optional<double> finite() const;  // nothing: no number

  const std::filesystem::path* file_;
  const J* json_;  // null where the member is missing
  std::size_t line_;
  std::string path_;
};

using JsonReader = BasicJsonReader<Json>;
using IndexedJsonReader = BasicJsonReader<IndexedJson>;

}  // namespace rlaif
