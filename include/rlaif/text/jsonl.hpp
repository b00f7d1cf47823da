// JSON Lines with errors that name file, line and key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/json_reader.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/text/line_file.hpp"

namespace rlaif::text {

// One object of a JSON Lines file and where it stood. The getters throw Error(input) as JsonReader does.
struct JsonRecord {
  std::filesystem::path file;
  std::size_t line = 0;  // from 1
  Json object;

  JsonReader reader() const { return {file, object, line}; }
  const std::string& string(const char* key) const;
  double number(const char* key) const;                   // finite
  std::uint64_t number_from_zero(const char* key) const;  // an integer
  bool boolean(const char* key) const;
  bool has(const char* key) const;
  std::string string_or(const char* key, const std::string& fallback) const;
  // A text, or a list of turns {"role", "content"} that the user ends; neither is empty. Sets text and turns.
  void read_prompt(const char* key, Prompt& prompt) const;
};

// The lines of a file, one by one, decompressed where need be (line_file.hpp): what is not held in memory at once is read so.
// Empty lines are passed over. A line that is no JSON object is an Error(input) that says why: another encoding, a list around
// the lines, NaN, an object over many lines.
class JsonLineReader {
 public:
  explicit JsonLineReader(const std::filesystem::path& file);
  bool next();                                          // false at the end
  const JsonRecord& record() const { return record_; }  // of the last next()

 private:
  LineFile lines_;
  JsonRecord record_;
};

// Calls f for each non-empty line, as JsonLineReader has it.
void for_each_json_line(const std::filesystem::path& file, const std::function<void(const JsonRecord&)>& f);
std::vector<JsonRecord> read_json_lines(const std::filesystem::path& file);

// As read_prompt reads it: the text, or the turns of a conversation.
Json prompt_json(const Prompt& prompt);

Json turns_json(std::span<const Message> turns);
// The turns of a list that stands under `key`, as others write them: a content may be a list of parts that are texts, and
// the role "developer" is the system's. Whether they are a prompt is not asked. Throws Error(input) naming the turn.
std::vector<Message> turns_in(const JsonRecord& record, const std::string& key, const Json& list);

// One line, keys in the order given, no newline inside, invalid UTF-8 replaced.
std::string to_json_line(const Json& object);

}  // namespace rlaif::text
