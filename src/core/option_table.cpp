#include "rlaif/core/option_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <sstream>
#include <system_error>
#include <type_traits>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif {
namespace {

namespace fs = std::filesystem;

// Shortest text that reads back to the same number.
std::string number_text(double value) {
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, result.ptr);
}

template <class T>
T parse_number(const std::string& key, const std::string& text, const std::string& expected) {
  T value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) OptionTable::fail(key, text, expected);
  return value;
}

// Says where a number of the type's own size ends only to who has passed it.
template <class T>
T parse_integer(const std::string& key, const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec == std::errc::result_out_of_range && result.ptr == end) {
    OptionTable::fail(key, text,
                      "an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                          std::to_string(std::numeric_limits<T>::max()));
  }
  return parse_number<T>(key, text, std::is_signed_v<T> ? "an integer" : "an integer of at least 0");
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

double parse_finite(const std::string& key, const std::string& text, const char* expected) {
  const double value = parse_number<double>(key, text, expected);
  if (!std::isfinite(value)) OptionTable::fail(key, text, "a finite number");
  return value;
}

}  // namespace

bool ValueRange::holds(double value) const {
  return !(least && value < *least) && !(above && value <= *above) && !(most && value > *most) &&
         !(below && value >= *below);
}

std::string ValueRange::text() const {
  const auto number = [](const std::optional<double>& value) {
    return *value == std::floor(*value) && std::fabs(*value) < 1e15 ? std::to_string(static_cast<std::int64_t>(*value))
                                                                    : number_text(*value);
  };
  if (least && most) return "from " + number(least) + " to " + number(most);
  std::string text = least ? "at least " + number(least) : above ? "above " + number(above) : "";
  if (most) text += (text.empty() ? "up to " : " up to ") + number(most);
  if (below) text += (text.empty() ? "below " : " and below ") + number(below);
  return text;
}

fs::path inputs_folder() {
  if (const char* folder = std::getenv("RLAIF_INPUTS")) return folder;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / "share/rlaif/inputs";
  return !error && fs::is_directory(installed, error) ? installed : fs::path(RLAIF_INPUTS_DIR);
}

void OptionTable::fail(const std::string& key, const std::string& text, const std::string& expected) {
  throw usage_error(key + ": '" + text + "' was given, " + expected + " was expected");
}

std::string OptionTable::join_names(const std::vector<std::string>& names, const std::string& separator) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : separator) + name;
  return text;
}

OptionTable::Entry& OptionTable::add_entry(Entry entry) {
  RLAIF_CHECK(!has(entry.key), "an option registered twice: " + entry.key);
  index_[entry.key] = entries_.size();
  texts_[entry.key] = entry.default_text;
  entries_.push_back(std::move(entry));
  return entries_.back();
}

OptionTable::Entry& OptionTable::add(const std::string& key, std::string* field, const std::string& unit,
                                     const std::string& meaning) {
  Entry& entry = add_entry({key, unit, meaning, *field, true, false, [field](const std::string& text, Origin) {
                              *field = text;
                              return std::nullopt;
                            }});
  entry.kind = Kind::text;
  return entry;
}

template <class T>
OptionTable::Entry& OptionTable::add_integer(const std::string& key, T* field, const std::string& unit,
                                             const std::string& meaning) {
  Entry& entry =
      add_entry({key, unit, meaning, std::to_string(*field), true, false, [=](const std::string& text, Origin) {
                   *field = parse_integer<T>(key, text);
                   return std::optional<double>(static_cast<double>(*field));
                 }});
  entry.is_integer = true;
  return entry;
}

OptionTable::Entry& OptionTable::add(const std::string& key, int* field, const std::string& unit,
                                     const std::string& meaning) {
  return add_integer(key, field, unit, meaning);
}

OptionTable::Entry& OptionTable::add(const std::string& key, std::int64_t* field, const std::string& unit,
                                     const std::string& meaning) {
  return add_integer(key, field, unit, meaning);
}

OptionTable::Entry& OptionTable::add(const std::string& key, std::uint64_t* field, const std::string& unit,
                                     const std::string& meaning) {
  return add_integer(key, field, unit, meaning).at_least(0);
}

OptionTable::Entry& OptionTable::add(const std::string& key, double* field, const std::string& unit,
                                     const std::string& meaning) {
  return add_entry({key, unit, meaning, number_text(*field), true, false, [=](const std::string& text, Origin) {
                      *field = parse_finite(key, text, "a number");
                      return std::optional<double>(*field);
                    }});
}

OptionTable::Entry& OptionTable::add(const std::string& key, std::optional<double>* field, const std::string& unit,
                                     const std::string& meaning) {
  const std::string current = *field ? number_text(**field) : "";
  return add_entry({key, unit, meaning, current, true, false, [=](const std::string& text, Origin) {
                      *field = text.empty() ? std::optional<double>() : parse_finite(key, text, "a number or nothing");
                      return *field;
                    }});
}

OptionTable::Entry& OptionTable::add(const std::string& key, std::vector<std::string>* field, const std::string& unit,
                                     const std::string& meaning) {
  Entry& entry = add_entry(
      {key, unit, meaning, join_names(*field, " "), true, false, [key, field](const std::string& text, Origin) {
         *field = words_of(text);
         for (auto word = field->begin(); word != field->end(); ++word)
           if (std::find(field->begin(), word, *word) != word)
             throw usage_error(key + ": '" + *word + "' stands twice");
         return std::optional<double>();
       }});
  entry.kind = Kind::text;
  return entry;
}

OptionTable::Entry& OptionTable::add(const std::string& key, std::vector<double>* field, const std::string& unit,
                                     const std::string& meaning) {
  std::vector<std::string> current;
  for (const double value : *field) current.push_back(number_text(value));
  return add_entry(
      {key, unit, meaning, join_names(current, " "), true, false, [=, this](const std::string& text, Origin) {
         const ValueRange& range = find(key)->range;
         field->clear();
         for (const std::string& word : words_of(text)) {
           const double value = parse_finite(key, word, "numbers parted by white space");
           if (!range.holds(value)) fail(key, word, "numbers " + range.text());
           field->push_back(value);
         }
         return std::optional<double>();
       }});
}

OptionTable::Entry& OptionTable::add(const std::string& key, bool* field, const std::string& unit,
                                     const std::string& meaning) {
  return add_entry({key, unit, meaning, *field ? "true" : "false", true, false, [=](const std::string& text, Origin) {
                      if (text == "true" || text == "yes" || text == "1") {
                        *field = true;
                      } else if (text == "false" || text == "no" || text == "0") {
                        *field = false;
                      } else {
                        fail(key, text, "true or false");
                      }
                      return std::optional<double>();
                    }});
}

fs::path OptionTable::resolve_path(const std::string& text, Origin origin) const {
  if (text.empty()) return {};
  const fs::path path = text;
  if (path.is_absolute() || origin == Origin::command_line) return path;
  return (origin == Origin::deck ? deck_folder_ : inputs_folder()) / path;
}

OptionTable::Entry& OptionTable::add_input(const std::string& key, fs::path* field, const std::string& default_name,
                                           const std::string& meaning) {
  *field = resolve_path(default_name, Origin::program);
  input_fields_[key] = field;
  Entry& entry =
      add_entry({key, "path", meaning, default_name, true, true, [this, field](const std::string& text, Origin origin) {
                   *field = resolve_path(text, origin);
                   return std::nullopt;
                 }});
  entry.kind = Kind::text;
  return entry;
}

OptionTable::Entry& OptionTable::add_place(const std::string& key, fs::path* field, const std::string& meaning) {
  Entry& entry =
      add_entry({key, "path", meaning, field->string(), false, false, [field](const std::string& text, Origin) {
                   *field = text;
                   return std::nullopt;
                 }});
  entry.kind = Kind::text;
  return entry;
}

void OptionTable::does_not_decide_results(const std::string& key) { entries_[index_.at(key)].results = false; }

namespace {

bool is_in(const std::string& key, const std::string& section) {
  return key.size() > section.size() && key.starts_with(section) && key[section.size()] == '.' &&
         key.find('.', section.size() + 1) == std::string::npos;
}

}  // namespace

void OptionTable::list_only_where_set(const std::string& section) {
  for (Entry& entry : entries_) {
    if (is_in(entry.key, section)) entry.only_where_set = true;
  }
}

void OptionTable::put_over(const std::string& section, const std::string& base, const std::string& why) {
  keys_are_of(section, why);
  for (Entry& entry : entries_) {
    if (!is_in(entry.key, section)) continue;
    const std::string below = base + entry.key.substr(section.size());
    if (!has(below)) continue;
    entry.base = below;
    entry.only_where_set = true;
  }
}

void OptionTable::inherit() {
  const std::filesystem::path own = deck_folder_;
  for (const Entry& entry : entries_) {
    if (entry.base.empty() || set_.contains(entry.key) || !set_.contains(entry.base)) continue;
    deck_folder_ = folders_.at(entry.base);
    const OptionValue& value = set_.at(entry.base);
    entry.set(value.text, value.origin);
  }
  deck_folder_ = own;
}

void OptionTable::set(const std::string& key, const OptionValue& value) {
  const auto found = index_.find(key);
  if (found == index_.end()) {
    std::vector<std::string> known;
    for (const auto& [section, why] : why_) {
      if (!is_in(key, section)) continue;
      std::vector<std::string> words;
      for (const Entry& entry : entries_) {
        if (is_in(entry.key, section)) words.push_back(entry.key.substr(section.size() + 1));
      }
      throw usage_error(key + ": [" + section + "] has " + why + ", and " +
                        unknown_name_message("key", key.substr(section.size() + 1), words) + "; it has " +
                        join_names(words, ", "));
    }
    for (const Entry& entry : entries_) known.push_back(entry.key);
    throw usage_error(unknown_name_message("key", key, known));
  }
  const Entry& entry = entries_[found->second];
  const std::optional<double> number = entry.set(value.text, value.origin);
  if (number && !entry.range.holds(*number)) {
    const std::string range = entry.range.text();
    fail(key, value.text,
         (entry.is_integer ? "an integer " : "a number ") + (range.starts_with("at least") ? "of " + range : range));
  }
  texts_[key] = value.text;
  if (value.origin == Origin::program) return;
  set_[key] = value;
  folders_[key] = deck_folder_;
}

ResolvedDeck OptionTable::resolve(bool plan_only) const {
  ResolvedDeck deck;
  for (const Entry& entry : entries_) {
    if (entry.only_where_set && !set_.contains(entry.key)) continue;
    // A path may be written in many ways; what decides results is the file's contents.
    deck.entries.push_back({entry.key, texts_.at(entry.key), entry.results && !entry.is_path});
    if (!entry.results || !entry.is_path) continue;
    const fs::path& file = *input_fields_.at(entry.key);
    if (file.empty()) continue;
    if (!fs::exists(file)) {
      if (!plan_only) throw usage_error(entry.key + ": no such file or folder: " + file.string());
      deck.missing.emplace_back(entry.key, file);
      continue;
    }
    if (fs::is_directory(file)) {
      std::set<std::string> names;
      for (const auto& inside : fs::directory_iterator(file)) {
        const std::string extension = inside.path().extension();
        if (extension == ".json" || extension == ".safetensors" || extension == ".jinja")
          names.insert(inside.path().filename());
      }
      for (const std::string& name : names)
        deck.inputs.emplace_back(entry.key + "/" + name, file_checksum(file / name));
    } else {
      deck.inputs.emplace_back(entry.key, file_checksum(file));
    }
  }
  return deck;
}

}  // namespace rlaif
