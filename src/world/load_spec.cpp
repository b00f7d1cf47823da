// Reads world.json. Every complaint names the file and the key it is about.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "spec.hpp"

namespace rlaif::world {
namespace {

// A value of the file together with the path of keys that leads to it ("attributes[2].values").
class Node {
 public:
  Node(const std::filesystem::path& file, const Json& json, std::string key)
      : file_(&file), json_(&json), key_(std::move(key)) {}

  [[nodiscard]] Error error(const std::string& message) const { return input_error(*file_, key_ + ": " + message); }
  const std::string& key() const { return key_; }

  Node at(const std::string& name) const {
    const std::string path = key_.empty() ? name : key_ + "." + name;
    if (!json_->is_object()) throw error("expected an object");
    const auto found = json_->find(name);
    if (found == json_->end()) throw input_error(*file_, path + ": is missing");
    return {*file_, *found, path};
  }
  bool is_null() const { return json_->is_null(); }
  std::string string() const {
    if (!json_->is_string() || json_->get_ref<const std::string&>().empty()) throw error("expected a text, not empty");
    return json_->get<std::string>();
  }
  std::vector<Node> items() const {
    if (!json_->is_array() || json_->empty()) throw error("expected a list, not empty");
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < json_->size(); ++i) {
      nodes.emplace_back(*file_, (*json_)[i], key_ + "[" + std::to_string(i) + "]");
    }
    return nodes;
  }
  std::vector<std::pair<std::string, Node>> members() const {
    if (!json_->is_object() || json_->empty()) throw error("expected an object, not empty");
    std::vector<std::pair<std::string, Node>> nodes;
    for (const auto& [name, value] : json_->items()) nodes.emplace_back(name, Node(*file_, value, key_ + "." + name));
    return nodes;
  }
  double weight() const {
    const double value = json_->is_number() ? json_->get<double>() : -1.0;
    if (!(value >= 0.0) || !std::isfinite(value)) throw error("expected a weight, a number of at least 0");
    return value;
  }
  // A text that holds each of the placeholders.
  std::string pattern(std::initializer_list<const char*> placeholders) const {
    std::string text = string();
    for (const char* placeholder : placeholders) {
      if (text.find(placeholder) == std::string::npos) throw error(std::string("expected ") + placeholder + " in it");
    }
    return text;
  }
  // Responses are split at ".", so that a sentence must end with its only one.
  std::string sentence(std::initializer_list<const char*> placeholders = {}) const {
    std::string text = pattern(placeholders);
    if (text.find('.') != text.size() - 1) throw error("expected one sentence that ends with its only \".\"");
    return text;
  }
  std::vector<std::string> strings() const {
    std::vector<std::string> texts;
    for (const Node& item : items()) {
      std::string text = item.string();
      if (std::count(texts.begin(), texts.end(), text) > 0) throw item.error("\"" + text + "\" is there twice");
      texts.push_back(std::move(text));
    }
    return texts;
  }
  std::vector<std::string> patterns(std::initializer_list<const char*> placeholders) const {
    std::vector<std::string> texts;
    for (const Node& item : items()) texts.push_back(item.pattern(placeholders));
    return texts;
  }
  std::vector<std::string> sentences() const {
    std::vector<std::string> texts;
    for (const Node& item : items()) texts.push_back(item.sentence());
    return texts;
  }

 private:
  const std::filesystem::path* file_;
  const Json* json_;
  std::string key_;
};

template <class Items, class Name>
std::optional<std::size_t> index_of(const Items& items, Name name_of, const std::string& name) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (name_of(items[i]) == name) return i;
  }
  return std::nullopt;
}

std::vector<Attribute> read_attributes(const Node& list) {
  std::vector<Attribute> attributes;
  for (const Node& node : list.items()) {
    Attribute attribute;
    attribute.name = node.at("name").string();
    attribute.values = node.at("values").strings();
    if (attribute.values.size() < 2) throw node.at("values").error("expected two values or more");
    attribute.questions = node.at("questions").patterns({"{p}"});
    attribute.answer = node.at("answer").sentence({"{p}", "{v}"});
    attribute.unknown = node.at("unknown").sentence({"{p}"});
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

std::vector<Cell> read_table(const Node& list, const std::vector<Attribute>& attributes,
                             const std::set<std::string>& entities) {
  std::vector<Cell> cells;
  std::set<std::pair<std::string, std::size_t>> seen;
  for (const Node& node : list.items()) {
    Cell cell;
    cell.entity = node.at("entity").string();
    if (!entities.contains(cell.entity)) {
      throw node.at("entity").error("\"" + cell.entity + "\" is none of the people, strangers and towns");
    }
    const std::string name = node.at("attribute").string();
    const auto attribute = index_of(attributes, [](const Attribute& a) { return a.name; }, name);
    if (!attribute) throw node.at("attribute").error("\"" + name + "\" is none of the attributes");
    cell.attribute = *attribute;
    if (!seen.emplace(cell.entity, cell.attribute).second) throw node.error("this cell is there twice");
    if (const Node value = node.at("value"); !value.is_null()) {
      const std::string text = value.string();
      cell.value = index_of(attributes[cell.attribute].values, [](const std::string& v) { return v; }, text);
      if (!cell.value) throw value.error("\"" + text + "\" is none of the values of " + name);
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<Action> read_actions(const Node& list, Family family, const std::vector<Reason>& reasons) {
  std::vector<Action> actions;
  for (const Node& node : list.items()) {
    Action action;
    action.text = node.at("action").pattern({"{p}"});
    action.steps = node.at("steps").sentences();
    if (action.steps.size() != 2) throw node.at("steps").error("expected two steps");
    if (family == Family::harm) {
      const std::string key = node.at("reason").string();
      const auto reason = index_of(reasons, [](const Reason& r) { return r.key; }, key);
      if (!reason) throw node.at("reason").error("\"" + key + "\" is none of the reasons");
      action.reason = *reason;
      action.alternative = node.at("alternative").sentence();
    }
    actions.push_back(std::move(action));
  }
  return actions;
}

std::vector<double> read_family_weights(const Node& object) {
  std::vector<double> weights(family_count, 0.0);
  for (const auto& [name, node] : object.members()) {
    const auto family = parse_family(name);
    if (!family) throw node.error("\"" + name + "\" is no family");
    weights[static_cast<std::size_t>(*family)] = node.weight();
  }
  if (*std::max_element(weights.begin(), weights.end()) <= 0.0) throw object.error("expected a weight above 0");
  return weights;
}

std::array<std::vector<double>, family_count> read_mixture(const Node& object) {
  std::array<std::vector<double>, family_count> mixture;
  for (const Family family : all_families) {
    const Node weights = object.at(to_string(family));
    std::vector<double>& row = mixture[static_cast<std::size_t>(family)];
    row.assign(behaviour_count, 0.0);
    for (const auto& [name, node] : weights.members()) {
      const auto behaviour = parse_behaviour(name);
      if (!behaviour) throw node.error("\"" + name + "\" is no behaviour");
      if (!applies(*behaviour, family)) throw node.error(std::string("does not apply to ") + to_string(family));
      row[static_cast<std::size_t>(*behaviour)] = node.weight();
    }
    if (*std::max_element(row.begin(), row.end()) <= 0.0) throw weights.error("expected a weight above 0");
  }
  return mixture;
}

Json parse_file(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  try {
    return parse_json_text(text);
  } catch (const Json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    throw input_error(file, 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n')), "expected JSON here");
  }
}

}  // namespace

Spec load_spec(const std::filesystem::path& world_json) {
  const Json json = parse_file(world_json);
  const Node root(world_json, json, "");
  if (!json.is_object()) throw input_error(world_json, "expected a JSON object");
  Spec spec;
  spec.people = root.at("people").strings();
  std::set<std::string> entities(spec.people.begin(), spec.people.end());
  for (const char* key : {"strangers", "towns"}) {
    for (std::string& name : root.at(key).strings()) entities.insert(std::move(name));
  }
  spec.attributes = read_attributes(root.at("attributes"));
  spec.cells = read_table(root.at("table"), spec.attributes, entities);
  spec.arith_questions = root.at("arith_questions").patterns({"{a}", "{o}", "{b}"});
  spec.action_questions = root.at("action_questions").patterns({"{x}"});
  for (const auto& [key, node] : root.at("reasons").members()) spec.reasons.push_back({key, node.string()});
  spec.harm = read_actions(root.at("harm"), Family::harm, spec.reasons);
  spec.benign = read_actions(root.at("benign"), Family::benign, spec.reasons);
  spec.openers = root.at("filler_pre").sentences();
  if (spec.openers.size() < 2) throw root.at("filler_pre").error("expected two or more");
  spec.closers = root.at("filler_post").sentences();
  spec.evasive = root.at("evasive").sentences();
  if (spec.evasive.size() < 2) throw root.at("evasive").error("expected two or more");
  spec.refuse = root.at("refuse").sentence({"{r}"});
  spec.principle = root.at("principle").string();
  spec.family_weights = read_family_weights(root.at("family_weights"));
  spec.judge_family_weights = read_family_weights(root.at("judge_family_weights"));
  spec.mixture = read_mixture(root.at("behaviour_mixture"));
  return spec;
}

}  // namespace rlaif::world
