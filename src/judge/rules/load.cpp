// Reads a file of rules.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "rlaif/judge/rules/book.hpp"

#include "check.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::judge {
namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

constexpr std::size_t most_counted = 1000000;

std::vector<Phrase> phrases(const JsonReader& list) {
  std::vector<Phrase> result;
  for (const JsonReader& item : list.items(1)) {
    result.push_back(text::words(item.text()));
    if (result.back().empty()) throw item.unexpected("a text with a word");
  }
  return result;
}

// A limit of 1 or more.
std::size_t limit_of(const JsonReader& rule, const char* key) { return rule.at(key).count(1, most_counted); }

std::size_t limit_or(const JsonReader& rule, const char* key, std::size_t otherwise) {
  return rule.find(key) ? limit_of(rule, key) : otherwise;
}

struct Kind {
  std::string name;
  std::vector<std::string> keys;
  Check (*make)(const JsonReader&);
};

template <Measure measure>
Check at_most(const JsonReader& rule) {
  return count_between(measure, 0, limit_of(rule, "limit"));
}

template <Measure measure>
Check at_least(const JsonReader& rule) {
  return count_between(measure, limit_of(rule, "limit"), no_limit);
}

template <Measure measure>
Check between(const JsonReader& rule) {
  const std::size_t low = rule.at("low").count(0, most_counted);
  return count_between(measure, low, rule.at("high").count(std::max<std::size_t>(low, 1), most_counted));
}

Match match_of(const JsonReader& rule) {
  const auto match = rule.find("match");
  return match && match->one_of({"any", "all"}) == "all" ? Match::all : Match::any;
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
      {"complete", {}, [](const JsonReader&) { return complete(); }},
      {"no_repetition", {"n"}, [](const JsonReader& rule) { return no_repetition(limit_or(rule, "n", 4)); }},
      {"no_banned_opener",
       {"openers"},
       [](const JsonReader& rule) { return no_banned_opener(phrases(rule.at("openers"))); }},
      {"required_words",
       {"words", "match"},
       [](const JsonReader& rule) { return required_words(phrases(rule.at("words")), match_of(rule)); }},
      {"no_banned_words", {"words"}, [](const JsonReader& rule) { return no_banned_words(phrases(rule.at("words"))); }},
      {"shares_content_stem",
       {"at_least"},
       [](const JsonReader& rule) { return shares_content_stem(limit_or(rule, "at_least", 1)); }},
      {"plain_text", {}, [](const JsonReader&) { return plain_text(); }}};
  return all;
}

const Kind& kind_of(const JsonReader& rule) {
  const JsonReader name = rule.at("rule");
  std::vector<std::string> known;
  for (const Kind& kind : kinds()) {
    if (kind.name == name.text()) return kind;
    known.push_back(kind.name);
  }
  throw name.error(unknown_name_message("rule", name.text(), known));
}

RuleBook::Rule read_rule(const JsonReader& rule) {
  const Kind& kind = kind_of(rule);
  std::vector<std::string> keys = {"rule", "weight", "name"};
  keys.insert(keys.end(), kind.keys.begin(), kind.keys.end());
  rule.allow_only(keys);
  const auto name = rule.find("name");
  return {name ? name->text() : kind.name, rule.at("weight").number_above(0.0), kind.make(rule)};
}

}  // namespace

RuleBook RuleBook::load(const std::filesystem::path& file) {
  const Json json = read_json_object(file);
  const JsonReader root(file, json);
  root.allow_only({"name", "scale", "rules"});
  RuleBook book;
  book.name_ = root.at("name").text();
  if (const auto scale = root.find("scale")) book.scale_ = scale->number_above(0.0);
  for (const JsonReader& rule : root.at("rules").items(1)) {
    Rule read = read_rule(rule);
    const auto same = std::find_if(book.rules_.begin(), book.rules_.end(),
                                   [&](const Rule& other) { return other.name == read.name; });
    if (same != book.rules_.end()) {
      throw rule.error("the name '" + read.name + "' is that of rules[" + std::to_string(same - book.rules_.begin()) +
                       "]; expected names that are unique (without the key 'name': the rule's kind)");
    }
    book.rules_.push_back(std::move(read));
  }
  if (!std::isfinite(book.total_weight() / book.scale_))
    throw input_error(
        file, "the weights' sum divided by 'scale' is no finite number; expected weights and scale nearer to 1");
  return book;
}

}  // namespace rlaif::judge
