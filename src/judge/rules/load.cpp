// Reads a file of rules. Every complaint names the file, and the rule by its number and kind.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "rlaif/judge/rules/book.hpp"

#include "../json_section.hpp"
#include "check.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::judge {
namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

std::vector<Phrase> phrases(const JsonSection& rule, const char* key) {
  const std::string expected = "a list of texts, each with a word";
  const Json& list = rule.at(key, expected);
  if (!list.is_array() || list.empty()) throw rule.unexpected(key, list, expected);
  std::vector<Phrase> result;
  for (const Json& item : list) {
    if (item.is_string()) result.push_back(text::words(item.get_ref<const std::string&>()));
    if (!item.is_string() || result.back().empty()) throw rule.unexpected(key, item, expected);
  }
  return result;
}

struct Kind {
  std::string name;
  std::vector<std::string> keys;
  Check (*make)(const JsonSection&);
};

template <Measure measure>
Check at_most(const JsonSection& rule) {
  return count_between(measure, 0, rule.count("limit", 1));
}

template <Measure measure>
Check at_least(const JsonSection& rule) {
  return count_between(measure, rule.count("limit", 1), no_limit);
}

template <Measure measure>
Check between(const JsonSection& rule) {
  const std::size_t low = rule.count("low", 0);
  return count_between(measure, low, rule.count("high", std::max<std::size_t>(low, 1)));
}

Match match_of(const JsonSection& rule) {
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
      {"complete", {}, [](const JsonSection&) { return complete(); }},
      {"no_repetition", {"n"}, [](const JsonSection& rule) { return no_repetition(rule.count_or("n", 1, 4)); }},
      {"no_banned_opener",
       {"openers"},
       [](const JsonSection& rule) { return no_banned_opener(phrases(rule, "openers")); }},
      {"required_words",
       {"words", "match"},
       [](const JsonSection& rule) { return required_words(phrases(rule, "words"), match_of(rule)); }},
      {"no_banned_words", {"words"}, [](const JsonSection& rule) { return no_banned_words(phrases(rule, "words")); }},
      {"shares_content_stem",
       {"at_least"},
       [](const JsonSection& rule) { return shares_content_stem(rule.count_or("at_least", 1, 1)); }},
      {"plain_text", {}, [](const JsonSection&) { return plain_text(); }}};
  return all;
}

const Kind& kind_of(const JsonSection& rule) {
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
  const JsonSection unnamed(file, json, place);
  const Kind& kind = kind_of(unnamed);
  const JsonSection rule(file, json, place + " (" + kind.name + ")");
  std::vector<std::string> keys = {"rule", "weight", "name"};
  keys.insert(keys.end(), kind.keys.begin(), kind.keys.end());
  rule.allow_only(keys);
  return {rule.find("name") ? rule.text("name") : kind.name, rule.above_zero("weight"), kind.make(rule)};
}

}  // namespace

RuleBook RuleBook::load(const std::filesystem::path& file) {
  const Json json = parse_json(file, read_file(file), "one object with the key 'rules'");
  const JsonSection root(file, json, "");
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
