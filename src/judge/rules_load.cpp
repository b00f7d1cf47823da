// Reads a file of rules. Every complaint names the file, and the rule by its number and kind.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/core/names.hpp"
#include "rules_check.hpp"

namespace rlaif::judge {
namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return value.empty() ? "an empty list" : "a list";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// An object of the file, and what it is called in complaints: "" for the whole, else "rule 3 (max_words)".
class Section {
 public:
  Section(const std::filesystem::path& file, const Json& json, std::string place)
      : file_(&file), json_(&json), place_(std::move(place)) {
    if (!json.is_object()) throw error("expected an object, not " + shown(json));
  }

  [[nodiscard]] Error error(const std::string& message) const {
    return input_error(*file_, place_.empty() ? message : place_ + ": " + message);
  }

  const Json* find(const char* key) const {
    const auto found = json_->find(key);
    return found == json_->end() ? nullptr : &*found;
  }

  const Json& at(const char* key, const std::string& expected) const {
    const Json* value = find(key);
    if (!value) throw error("the key '" + std::string(key) + "' is missing; expected " + expected);
    return *value;
  }

  void allow_only(const std::vector<std::string>& known) const {
    for (const auto& [key, value] : json_->items()) {
      if (std::find(known.begin(), known.end(), key) == known.end())
        throw error(unknown_name_message("key", key, known));
    }
  }

  std::string text(const char* key) const {
    const Json& value = at(key, "a text");
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
      throw unexpected(key, value, "a text, not empty");
    return value.get<std::string>();
  }

  double above_zero(const char* key) const {
    const Json& value = at(key, "a number above 0");
    const double number = value.is_number() ? value.get<double>() : -1.0;
    if (!(number > 0.0) || !std::isfinite(number)) throw unexpected(key, value, "a number above 0");
    return number;
  }

  std::size_t count(const char* key, std::size_t least) const {
    const std::string expected =
        "a whole number from " + std::to_string(least) + " to " + std::to_string(largest_count);
    const Json& value = at(key, expected);
    const bool whole = value.is_number_unsigned() && value.get<std::uint64_t>() <= largest_count;
    if (!whole || value.get<std::size_t>() < least) throw unexpected(key, value, expected);
    return value.get<std::size_t>();
  }

  std::size_t count_or(const char* key, std::size_t least, std::size_t otherwise) const {
    return find(key) ? count(key, least) : otherwise;
  }

  std::vector<Phrase> phrases(const char* key) const {
    const std::string expected = "a list of texts, each with a word";
    const Json& list = at(key, expected);
    if (!list.is_array() || list.empty()) throw unexpected(key, list, expected);
    std::vector<Phrase> result;
    for (const Json& item : list) {
      if (item.is_string()) result.push_back(words(item.get_ref<const std::string&>()));
      if (!item.is_string() || result.back().empty()) throw unexpected(key, item, expected);
    }
    return result;
  }

  [[nodiscard]] Error unexpected(const char* key, const Json& value, const std::string& expected) const {
    return error("'" + std::string(key) + "' holds " + shown(value) + "; expected " + expected);
  }

 private:
  static constexpr std::size_t largest_count = 1000000;
  const std::filesystem::path* file_;
  const Json* json_;
  std::string place_;
};

struct Kind {
  std::string name;
  std::vector<std::string> keys;
  Check (*make)(const Section&);
};

template <Measure measure>
Check at_most(const Section& rule) {
  return count_between(measure, 0, rule.count("limit", 1));
}

template <Measure measure>
Check at_least(const Section& rule) {
  return count_between(measure, rule.count("limit", 1), no_limit);
}

template <Measure measure>
Check between(const Section& rule) {
  const std::size_t low = rule.count("low", 0);
  return count_between(measure, low, rule.count("high", std::max<std::size_t>(low, 1)));
}

Match match_of(const Section& rule) {
  const Json* match = rule.find("match");
  if (!match || *match == "any") return Match::any;
  if (*match == "all") return Match::all;
  throw rule.unexpected("match", *match, "\"any\" or \"all\"");
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"max_words", {"limit"}, at_most<Measure::words>},
      {"min_words", {"limit"}, at_least<Measure::words>},
      {"words_between", {"low", "high"}, between<Measure::words>},
      {"max_sentences", {"limit"}, at_most<Measure::sentences>},
      {"min_sentences", {"limit"}, at_least<Measure::sentences>},
      {"sentences_between", {"low", "high"}, between<Measure::sentences>},
      {"max_characters", {"limit"}, at_most<Measure::characters>},
      {"min_characters", {"limit"}, at_least<Measure::characters>},
      {"characters_between", {"low", "high"}, between<Measure::characters>},
      {"complete", {}, [](const Section&) { return complete(); }},
      {"no_repetition", {"n"}, [](const Section& rule) { return no_repetition(rule.count_or("n", 1, 4)); }},
      {"no_banned_opener", {"openers"}, [](const Section& rule) { return no_banned_opener(rule.phrases("openers")); }},
      {"required_words",
       {"words", "match"},
       [](const Section& rule) { return required_words(rule.phrases("words"), match_of(rule)); }},
      {"no_banned_words", {"words"}, [](const Section& rule) { return no_banned_words(rule.phrases("words")); }},
      {"shares_content_stem",
       {"at_least"},
       [](const Section& rule) { return shares_content_stem(rule.count_or("at_least", 1, 1)); }},
      {"plain_text", {}, [](const Section&) { return plain_text(); }}};
  return all;
}

const Kind& kind_of(const Section& rule) {
  const std::string name = rule.text("rule");
  std::vector<std::string> known;
  for (const Kind& kind : kinds()) {
    if (kind.name == name) return kind;
    known.push_back(kind.name);
  }
  throw rule.error(unknown_name_message("rule", name, known));
}

RuleBook::Rule read_rule(const std::filesystem::path& file, const Json& json, std::size_t number) {
  const std::string place = "rule " + std::to_string(number);
  const Kind& kind = kind_of(Section(file, json, place));
  const Section rule(file, json, place + " (" + kind.name + ")");
  std::vector<std::string> keys = {"rule", "weight", "name"};
  keys.insert(keys.end(), kind.keys.begin(), kind.keys.end());
  rule.allow_only(keys);
  return {rule.find("name") ? rule.text("name") : kind.name, rule.above_zero("weight"), kind.make(rule)};
}

// Refuses an object that has a key twice: JSON itself would keep one in silence.
Json parse(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
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
    return Json::parse(bytes, watch);
  } catch (const Json::parse_error& failure) {
    const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(std::min(failure.byte, bytes.size()));
    const auto line = 1 + std::count(bytes.begin(), end, '\n');
    throw input_error(file, static_cast<std::size_t>(line),
                      "not valid JSON here; expected one object with the key 'rules'");
  } catch (const Json::exception& failure) {
    throw input_error(file, std::string("not readable as JSON: ") + failure.what());
  }
}

}  // namespace

RuleBook RuleBook::load(const std::filesystem::path& file) {
  const Json json = parse(file);
  const Section root(file, json, "");
  root.allow_only({"name", "scale", "rules"});
  RuleBook book;
  book.name_ = root.text("name");
  if (root.find("scale")) book.scale_ = root.above_zero("scale");
  const Json& rules = root.at("rules", "a list of rules");
  if (!rules.is_array() || rules.empty()) throw root.unexpected("rules", rules, "a list with at least one rule");
  for (const Json& rule : rules) {
    const std::size_t number = book.rules_.size() + 1;
    Rule read = read_rule(file, rule, number);
    const auto same = std::find_if(book.rules_.begin(), book.rules_.end(),
                                   [&](const Rule& other) { return other.name == read.name; });
    if (same != book.rules_.end()) {
      throw input_error(file, "rule " + std::to_string(number) + ": the name '" + read.name + "' is that of rule " +
                                  std::to_string(same - book.rules_.begin() + 1) +
                                  "; expected names that are unique (without the key 'name': the rule's kind)");
    }
    book.rules_.push_back(std::move(read));
  }
  if (!std::isfinite(book.total_weight() / book.scale_))
    throw input_error(
        file, "the weights' sum divided by 'scale' is no finite number; expected weights and scale nearer to 1");
  return book;
}

}  // namespace rlaif::judge
