// A deck as text. Lines are [section], key = value, or a comment:
//
//   # a comment of its own
//   [task]
//   system = Answer as a C# developer.   # one after a value: white space, '#', white space
//   rules = "folder #1/rules.json"       in quotation marks a value is a JSON string, and holds what it likes
//
// Before the first section stands `include = other.cfg`: the keys of that deck, for those that this one does not set itself; its
// paths are relative to it. What it says of arms, rounds, data sets and judges that this one's lists do not name is set aside.
//
// Any other '#' is part of the value. White space around a value is not. A key stands once. Nothing is changed or left out
// without a word: what is none of these lines is an Error(usage) that names file and line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace rlaif::run {

struct DeckValue {
  std::string text;
  std::size_t line = 0;
  std::string comment;  // that was taken off its end, with its '#'; empty: none
  bool is_quoted = false;
  std::filesystem::path file = {};  // where it stands
};

struct DeckFile {
  std::filesystem::path file;
  std::map<std::string, DeckValue> values;  // by "section.key"
};

DeckFile read_deck_file(const std::filesystem::path& file);

// How a value is written so that it reads back to the same text: as it is where that serves, else in quotation marks.
std::string deck_value(const std::string& text);

}  // namespace rlaif::run
