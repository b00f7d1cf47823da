// The keys of a deck: each bound to a field of an options struct, with its default, unit, meaning and range. A value out of its
// range is refused when it is set, before anything starts.
//
//   table.add("ppo.steps", &options.steps, "steps", "of rolling out and updating").at_least(1);
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/resolved_deck.hpp"

namespace rlaif {

// Where a value came from; paths are relative to that place (the deck's folder, the working directory, or the
// program's own inputs for defaults).
enum class Origin { program, deck, command_line };

struct OptionValue {
  std::string text;
  Origin origin = Origin::program;
};

// The values that a number may take, its ends included or not.
struct ValueRange {
  std::optional<double> least, above, most, below;
  bool holds(double value) const;
  std::string text() const;  // "at least 1", "above 0", "from 0 to 1", "above 0 up to 1"; empty: any
};

class OptionTable {
 public:
  // What a value is made of, and so what a '#' in a line of a deck can be.
  enum class Kind {
    number,  // or true, false and other names from a list: there is no '#' in it
    text,    // a name, a path, an address: a comment may follow
    prose,   // sentences: '#' is as likely part of them as not
  };
  struct Entry {
    std::string key;   // "ppo.steps"
    std::string unit;  // "steps", "tokens", "" where there is none
    std::string meaning;
    std::string default_text;
    bool results = true;   // false: does not change results (progress, threads, where files go)
    bool is_path = false;  // an input file whose contents decide results
    // Throws Error(usage) naming the key. Returns the number that was set, where it is one.
    std::function<std::optional<double>(const std::string& text, Origin origin)> set;
    Kind kind = Kind::number;
    bool is_integer = false;
    ValueRange range = {};
    bool only_where_set = false;  // listed in the resolved deck only where a deck or the command line sets it
    std::string base = {};        // the key whose value it has where it is not set itself; empty: none

    Entry& at_least(double value) { return range.least = value, *this; }
    Entry& above(double value) { return range.above = value, *this; }
    Entry& at_most(double value) { return range.most = value, *this; }
    Entry& below(double value) { return range.below = value, *this; }
    Entry& prose() { return kind = Kind::prose, *this; }
    Entry& no_result() { return results = false, *this; }
    // For keys that came later: where nobody sets them, decks are what they were before.
    Entry& listed_where_set() { return only_where_set = true, *this; }
  };

  // Bindings. The field's value at the time of the call is the default.
  Entry& add(const std::string& key, std::string* field, const std::string& unit, const std::string& meaning);
  Entry& add(const std::string& key, int* field, const std::string& unit, const std::string& meaning);
  Entry& add(const std::string& key, std::int64_t* field, const std::string& unit, const std::string& meaning);
  Entry& add(const std::string& key, std::uint64_t* field, const std::string& unit, const std::string& meaning);
  Entry& add(const std::string& key, double* field, const std::string& unit, const std::string& meaning);
  Entry& add(const std::string& key, bool* field, const std::string& unit, const std::string& meaning);
  // A number or nothing.
  Entry& add(const std::string& key, std::optional<double>* field, const std::string& unit, const std::string& meaning);
  // Words, each once, or numbers, parted by white space. A range is that of each number.
  Entry& add(const std::string& key, std::vector<std::string>* field, const std::string& unit,
             const std::string& meaning);
  Entry& add(const std::string& key, std::vector<double>* field, const std::string& unit, const std::string& meaning);
  // A file or folder to read. `default_name` is a file of the program's own inputs; empty: none.
  Entry& add_input(const std::string& key, std::filesystem::path* field, const std::string& default_name,
                   const std::string& meaning);
  // A place to write to, relative to the working directory always.
  Entry& add_place(const std::string& key, std::filesystem::path* field, const std::string& meaning);
  // A key that was read before the table was made: listed, and set to nothing more.
  void add_listed(const std::string& key, const std::string& value, const std::string& meaning) {
    Entry& entry =
        add_entry({key, "", meaning, value, true, false, [](const std::string&, Origin) { return std::nullopt; }});
    entry.kind = Kind::text;
  }
  // One of several names.
  template <class E>
  Entry& add_choice(const std::string& key, E* field, const std::vector<std::pair<std::string, E>>& choices,
                    const std::string& meaning) {
    std::string current;
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) {
      names.push_back(name);
      if (value == *field) current = name;
    }
    return add_entry(
        {key, join_names(names, "|"), meaning, current, true, false, [=, this](const std::string& text, Origin) {
           for (const auto& [name, value] : choices) {
             if (name != text) continue;
             *field = value;
             return std::optional<double>();
           }
           fail(key, text, "one of " + join_names(names, ", "));
         }});
  }
  void does_not_decide_results(const std::string& key);

  // The keys of `section` are listed only where they are set: those of what a study does not use.
  void list_only_where_set(const std::string& section);
  // Every key of `section` that `base` has too takes its value from there where it is not set itself. `why`: what decides that
  // the section has these keys ("algorithm = dpo"), for who sets another one.
  void put_over(const std::string& section, const std::string& base, const std::string& why);
  // What decides that a section has its keys, for who sets another one ("maker = file", "kind = local").
  void keys_are_of(const std::string& section, const std::string& why) { why_[section] = why; }
  // Once all is set: gives keys the values of their bases.
  void inherit();

  // Sets by key; an unknown key throws Error(usage) naming the nearest known one.
  void set(const std::string& key, const OptionValue& value);
  const std::deque<Entry>& entries() const { return entries_; }
  bool has(const std::string& key) const { return index_.count(key) > 0; }
  const Entry* find(const std::string& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &entries_[found->second];
  }
  // The file or folder that a key of add_input names; empty for other keys, and where it names none.
  std::filesystem::path input_file(const std::string& key) const {
    const auto found = input_fields_.find(key);
    return found == input_fields_.end() ? std::filesystem::path() : *found->second;
  }
  void set_deck_folder(const std::filesystem::path& folder) { deck_folder_ = folder; }

  // All keys with the texts in force, and checksums of the input files they name. A file that is not there is an Error(usage),
  // or where `plan_only`, listed as missing.
  ResolvedDeck resolve(bool plan_only = false) const;

  [[noreturn]] static void fail(const std::string& key, const std::string& text, const std::string& expected);

 private:
  Entry& add_entry(Entry entry);
  template <class T>
  Entry& add_integer(const std::string& key, T* field, const std::string& unit, const std::string& meaning);
  std::filesystem::path resolve_path(const std::string& text, Origin origin) const;
  static std::string join_names(const std::vector<std::string>& names, const std::string& separator);

  std::deque<Entry> entries_;  // they stay where they are: add hands them out
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, OptionValue> set_;                // by a deck or the command line
  std::map<std::string, std::filesystem::path> folders_;  // of the decks that set them
  std::map<std::string, std::string> why_;                // a section has its keys
  std::map<std::string, std::filesystem::path*> input_fields_;
  std::filesystem::path deck_folder_;
};

// Folder of the program's own inputs: $RLAIF_INPUTS, or share/rlaif/inputs of the prefix that the program is installed in, or the
// one it was built with.
std::filesystem::path inputs_folder();

}  // namespace rlaif
