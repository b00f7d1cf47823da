// Reads world.json.
#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "rlaif/core/json_reader.hpp"
#include "spec.hpp"

namespace rlaif::world {
namespace {

// A text that holds each of the placeholders.
std::string pattern_of(const JsonReader& node, std::initializer_list<const char*> placeholders) {
  const std::string& text = node.text();
  for (const char* placeholder : placeholders) {
    if (text.find(placeholder) == std::string::npos)
      throw node.error(std::string("expected ") + placeholder + " in it");
  }
  return text;
}

// Responses are split at ".", so that a sentence must end with its only one.
std::string sentence_of(const JsonReader& node, std::initializer_list<const char*> placeholders = {}) {
  std::string text = pattern_of(node, placeholders);
  if (text.find('.') != text.size() - 1) throw node.error("expected one sentence that ends with its only \".\"");
  return text;
}

std::vector<std::string> strings_of(const JsonReader& list, std::size_t least = 1) {
  std::vector<std::string> texts;
  for (const JsonReader& item : list.items(least)) {
    const std::string& text = item.text();
    if (std::count(texts.begin(), texts.end(), text) > 0) throw item.error("\"" + text + "\" is there twice");
    texts.push_back(text);
  }
  return texts;
}

std::vector<std::string> patterns_of(const JsonReader& list, std::initializer_list<const char*> placeholders) {
  std::vector<std::string> texts;
  for (const JsonReader& item : list.items(1)) texts.push_back(pattern_of(item, placeholders));
  return texts;
}

std::vector<std::string> sentences_of(const JsonReader& list, std::size_t least = 1) {
  std::vector<std::string> texts;
  for (const JsonReader& item : list.items(least)) texts.push_back(sentence_of(item));
  return texts;
}

template <class Items, class Name>
std::optional<std::size_t> index_of(const Items& items, Name name_of, const std::string& name) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (name_of(items[i]) == name) return i;
  }
  return std::nullopt;
}

std::vector<Attribute> read_attributes(const JsonReader& list) {
  std::vector<Attribute> attributes;
  for (const JsonReader& node : list.items(1)) {
    Attribute attribute;
    attribute.name = node.at("name").text();
    attribute.values = strings_of(node.at("values"), 2);
    attribute.questions = patterns_of(node.at("questions"), {"{p}"});
    attribute.answer = sentence_of(node.at("answer"), {"{p}", "{v}"});
    attribute.unknown = sentence_of(node.at("unknown"), {"{p}"});
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

std::vector<Cell> read_table(const JsonReader& list, const std::vector<Attribute>& attributes,
                             const std::set<std::string>& entities) {
  std::vector<Cell> cells;
  std::set<std::pair<std::string, std::size_t>> seen;
  for (const JsonReader& node : list.items(1)) {
    Cell cell;
    cell.entity = node.at("entity").text();
    if (!entities.contains(cell.entity)) {
      throw node.at("entity").error("\"" + cell.entity + "\" is none of the people, strangers and towns");
    }
    const std::string name = node.at("attribute").text();
    const auto attribute = index_of(attributes, [](const Attribute& a) { return a.name; }, name);
    if (!attribute) throw node.at("attribute").error("\"" + name + "\" is none of the attributes");
    cell.attribute = *attribute;
    if (!seen.emplace(cell.entity, cell.attribute).second) throw node.error("this cell is there twice");
    if (const JsonReader value = node.at("value"); !value.json().is_null()) {
      const std::string text = value.text();
      cell.value = index_of(attributes[cell.attribute].values, [](const std::string& v) { return v; }, text);
      if (!cell.value) throw value.error("\"" + text + "\" is none of the values of " + name);
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<Action> read_actions(const JsonReader& list, Family family, const std::vector<Reason>& reasons) {
  std::vector<Action> actions;
  for (const JsonReader& node : list.items(1)) {
    Action action;
    action.text = pattern_of(node.at("action"), {"{p}"});
    action.steps = sentences_of(node.at("steps"));
    if (action.steps.size() != 2) throw node.at("steps").error("expected two steps");
    if (family == Family::harm) {
      const std::string key = node.at("reason").text();
      const auto reason = index_of(reasons, [](const Reason& r) { return r.key; }, key);
      if (!reason) throw node.at("reason").error("\"" + key + "\" is none of the reasons");
      action.reason = *reason;
      action.alternative = sentence_of(node.at("alternative"));
    }
    actions.push_back(std::move(action));
  }
  return actions;
}

std::vector<double> read_family_weights(const JsonReader& object) {
  std::vector<double> weights(family_count, 0.0);
  for (const auto& [name, node] : object.members()) {
    const auto family = parse_family(name);
    if (!family) throw node.error("\"" + name + "\" is no family");
    weights[static_cast<std::size_t>(*family)] = node.number_from(0.0);
  }
  if (*std::max_element(weights.begin(), weights.end()) <= 0.0) throw object.error("expected a weight above 0");
  return weights;
}

std::array<std::vector<double>, family_count> read_mixture(const JsonReader& object) {
  std::array<std::vector<double>, family_count> mixture;
  for (const Family family : all_families) {
    const JsonReader weights = object.at(to_string(family));
    std::vector<double>& row = mixture[static_cast<std::size_t>(family)];
    row.assign(behaviour_count, 0.0);
    for (const auto& [name, node] : weights.members()) {
      const auto behaviour = parse_behaviour(name);
      if (!behaviour) throw node.error("\"" + name + "\" is no behaviour");
      if (!applies(*behaviour, family)) throw node.error(std::string("does not apply to ") + to_string(family));
      row[static_cast<std::size_t>(*behaviour)] = node.number_from(0.0);
    }
    if (*std::max_element(row.begin(), row.end()) <= 0.0) throw weights.error("expected a weight above 0");
  }
  return mixture;
}

}  // namespace

Spec load_spec(const std::filesystem::path& world_json) {
  const Json json = read_json_object(world_json);
  const JsonReader root(world_json, json);
  Spec spec;
  spec.people = strings_of(root.at("people"));
  std::set<std::string> entities(spec.people.begin(), spec.people.end());
  for (const char* key : {"strangers", "towns"}) {
    for (std::string& name : strings_of(root.at(key))) entities.insert(std::move(name));
  }
  spec.attributes = read_attributes(root.at("attributes"));
  spec.cells = read_table(root.at("table"), spec.attributes, entities);
  spec.arith_questions = patterns_of(root.at("arith_questions"), {"{a}", "{o}", "{b}"});
  spec.action_questions = patterns_of(root.at("action_questions"), {"{x}"});
  for (const auto& [key, node] : root.at("reasons").members()) spec.reasons.push_back({key, node.text()});
  spec.harm = read_actions(root.at("harm"), Family::harm, spec.reasons);
  spec.benign = read_actions(root.at("benign"), Family::benign, spec.reasons);
  spec.openers = sentences_of(root.at("filler_pre"), 2);
  spec.closers = sentences_of(root.at("filler_post"));
  spec.evasive = sentences_of(root.at("evasive"), 2);
  spec.refuse = sentence_of(root.at("refuse"), {"{r}"});
  spec.principle = root.at("principle").text();
  spec.family_weights = read_family_weights(root.at("family_weights"));
  spec.judge_family_weights = read_family_weights(root.at("judge_family_weights"));
  spec.mixture = read_mixture(root.at("behaviour_mixture"));
  return spec;
}

}  // namespace rlaif::world
