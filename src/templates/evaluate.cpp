// Expressions of chat templates.
#include <algorithm>

#include "run.hpp"
#include "values/filters.hpp"

namespace rlaif::templates {
namespace {

using Kind = ExpressionKind;

[[noreturn]] void fail_undefined(const Value& value) { throw TemplateFault(*value.undefined()->message); }

// "'dict object' has no attribute 'x'", as jinja2 says it.
Value no_attribute(const Value& value, const Value& key) {
  const std::string whose = value.is_none() ? "None" : type_name(value) + " object";
  if (key.text()) return Value::undefined("'" + whose + "' has no attribute " + to_utf8(to_repr(key)));
  return Value::undefined(whose + " has no element " +
                          (key.number() ? to_utf8(to_repr(key)) : "of type '" + type_name(key) + "'"));
}

std::optional<Value> element(const Value& value, const Value& key) {
  if (const Dict* dict = value.dict()) {
    const Value* found = lookup(*dict, key);
    return found ? std::optional(*found) : std::nullopt;
  }
  const auto index = key.integer();
  const List* list = value.list();
  const bool indexed = value.text() || (list && list->kind != Sequence::keys && list->kind != Sequence::values &&
                                        list->kind != Sequence::items);
  if (!index || !indexed) return std::nullopt;
  const auto size = static_cast<std::int64_t>(*length_of(value));
  const std::int64_t at = *index < 0 ? *index + size : *index;
  if (at < 0 || at >= size) return std::nullopt;
  if (list) return list->items[static_cast<std::size_t>(at)];
  return Value(Letters(1, value.text()->letters[static_cast<std::size_t>(at)]), value.text()->safe);
}

// What the value has under that name by itself; nothing where Python finds no attribute.
std::optional<Value> own_attribute(TemplateRun& run, const Value& value, const std::string& name) {
  if (Object* object = value.object()) return object->attribute(run, name);
  if (name.starts_with("__"))
    return Value::undefined("access to attribute '" + name + "' of '" + type_name(value) + "' object is unsafe");
  if (value.callable()) return name == "name" ? std::optional(Value(value.callable()->name)) : std::nullopt;
  return method_of(value, name);
}

}  // namespace

Value TemplateRun::attribute(const Value& value, const std::string& name) {
  if (value.undefined()) fail_undefined(value);
  if (value.dict() && name.starts_with("__")) {
    if (const auto found = element(value, Value(name))) return *found;
  }
  if (const auto found = own_attribute(*this, value, name)) return *found;
  if (value.dict()) {
    if (const auto found = element(value, Value(name))) return *found;
  }
  return no_attribute(value, Value(name));
}

Value TemplateRun::item(const Value& value, const Value& key) {
  if (value.undefined()) fail_undefined(value);
  if (const auto found = element(value, key)) return *found;
  if (key.text()) {
    if (const auto found = own_attribute(*this, value, to_utf8(key.text()->letters))) return *found;
  }
  return no_attribute(value, key);
}

Value TemplateRun::call(const Value& callee, Arguments& arguments) {
  if (callee.undefined()) fail_undefined(callee);
  if (Object* object = callee.object()) return object->call(*this, arguments);
  if (callee.callable()) return callee.callable()->function(*this, arguments);
  throw TemplateFault("'" + type_name(callee) + "' object is not callable");
}

Value TemplateRun::filter(const std::string& name, const Value& value, Arguments& arguments) {
  charge(1);
  const TemplateFunction function = find_filter(name);
  if (function == nullptr) throw TemplateFault(unknown_filter(name));
  return function(*this, value, arguments);
}

bool TemplateRun::test(const std::string& name, const Value& value, Arguments& arguments) {
  charge(1);
  const TemplateFunction function = find_test(name);
  if (function == nullptr) throw TemplateFault(unknown_test(name));
  return truth(function(*this, value, arguments));
}

Arguments TemplateRun::evaluate_arguments(const CallArguments& call, const Scope& scope) {
  Arguments arguments;
  for (const auto& argument : call.positional) arguments.positional.push_back(evaluate(*argument, scope));
  if (call.more_positional) {
    for (Value& value : items_of(evaluate(*call.more_positional, scope)))
      arguments.positional.push_back(std::move(value));
  }
  for (const auto& [name, argument] : call.named) arguments.named.emplace_back(name, evaluate(*argument, scope));
  if (!call.more_named) return arguments;
  const Value more = evaluate(*call.more_named, scope);
  if (!more.dict()) throw TemplateFault("what follows ** is of type '" + type_name(more) + "'; expected a dictionary");
  for (const auto& [key, value] : more.dict()->entries) {
    if (!key.text()) throw TemplateFault("names of arguments must be texts");
    arguments.named.emplace_back(to_utf8(key.text()->letters), value);
  }
  return arguments;
}

Value TemplateRun::evaluate_call(const Expression& node, const Scope& scope, const Value* caller) {
  const Value callee = evaluate(*node.items.front(), scope);
  Arguments arguments = evaluate_arguments(*node.call, scope);
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  line_ = node.line;
  return call(callee, arguments);
}

Value TemplateRun::evaluate_filter(const Expression& node, const Scope& scope, const Value& value) {
  // Filters of a block stand in a row, the first of them over nothing.
  const Value subject = node.items.front() ? evaluate_filter(*node.items.front(), scope, value) : value;
  Arguments arguments = evaluate_arguments(*node.call, scope);
  line_ = node.line;
  return filter(node.name, subject, arguments);
}

Value TemplateRun::evaluate_slice(const Expression& node, const Scope& scope) {
  const Value value = evaluate(*node.items[0], scope);
  Value parts[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (node.items[i + 1]) parts[i] = evaluate(*node.items[i + 1], scope);
  }
  line_ = node.line;
  if (value.undefined()) fail_undefined(value);
  return sliced(*this, value, parts[0], parts[1], parts[2]);
}

Value TemplateRun::evaluate_comparison(const Expression& node, const Scope& scope) {
  Value left = evaluate(*node.items[0], scope);
  for (std::size_t i = 0; i < node.operators.size(); ++i) {
    Value right = evaluate(*node.items[i + 1], scope);
    const std::string& sign = node.operators[i];
    line_ = node.line;
    for (const Value* side : {&left, &right})
      charge((side->text() || side->list() || side->dict() ? *length_of(*side) : 0) / 8);
    bool holds = false;
    if (sign == "==" || sign == "!=") {
      holds = equal(left, right) == (sign == "==");
    } else if (sign == "in" || sign == "not in") {
      holds = contains(right, left) == (sign == "in");
    } else {
      const int order = compare(left, right, sign.c_str());
      holds = sign == "<"    ? order == -1
              : sign == "<=" ? order == -1 || order == 0
              : sign == ">"  ? order == 1
                             : order == 1 || order == 0;
    }
    if (!holds) return false;
    left = std::move(right);
  }
  return true;
}

Value TemplateRun::evaluate_concat(const Expression& node, const Scope& scope) {
  Letters text;
  Values parts;
  for (const auto& item : node.items) parts.push_back(evaluate(*item, scope));
  line_ = node.line;
  for (const Value& part : parts) {
    text += to_text(part);
    charge_text(text.size());
  }
  return text;
}

Value TemplateRun::evaluate_items(const Expression& node, const Scope& scope) {
  Values items;
  for (const auto& item : node.items) items.push_back(evaluate(*item, scope));
  line_ = node.line;
  if (node.kind != Kind::dict)
    return Value::list(std::move(items), node.kind == Kind::tuple ? Sequence::tuple : Sequence::list);
  std::vector<std::pair<Value, Value>> entries;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    entries.emplace_back(std::move(items[i]), std::move(items[i + 1]));
  return Value::dict(std::move(entries));
}

Value TemplateRun::evaluate(const Expression& node, const Scope& scope) {
  charge(1);
  if (++depth_ > template_recursion)
    throw TemplateFault("the template calls itself more than " + std::to_string(template_recursion) + " levels deep");
  struct Shallower {
    int& depth;
    ~Shallower() { --depth; }
  } shallower{depth_};
  line_ = node.line;
  const auto part = [&](std::size_t i) { return evaluate(*node.items[i], scope); };
  switch (node.kind) {
    case Kind::constant: return node.value;
    case Kind::name: return load(node.name, scope);
    case Kind::space_name: return attribute(part(0), node.name);
    case Kind::list:
    case Kind::tuple:
    case Kind::dict: return evaluate_items(node, scope);
    case Kind::attribute: {
      const Value whose = part(0);
      line_ = node.line;
      return attribute(whose, node.name);
    }
    case Kind::item: {
      const Value whose = part(0), key = part(1);
      line_ = node.line;
      return item(whose, key);
    }
    case Kind::slice: return evaluate_slice(node, scope);
    case Kind::call: return evaluate_call(node, scope, nullptr);
    case Kind::filter:
    case Kind::test: {
      const Value subject = part(0);
      Arguments arguments = evaluate_arguments(*node.call, scope);
      line_ = node.line;
      return node.kind == Kind::filter ? filter(node.name, subject, arguments)
                                       : Value(test(node.name, subject, arguments));
    }
    case Kind::negation: return !truth(part(0));
    case Kind::minus: return negative(part(0));
    case Kind::plus: return negative(negative(part(0)));
    case Kind::binary: {
      const Value left = part(0), right = part(1);
      line_ = node.line;
      return arithmetic(*this, node.name, left, right);
    }
    case Kind::concat: return evaluate_concat(node, scope);
    case Kind::comparison: return evaluate_comparison(node, scope);
    case Kind::both: {
      Value left = part(0);
      return truth(left) ? part(1) : left;
    }
    case Kind::either: {
      Value left = part(0);
      return truth(left) ? left : part(1);
    }
    case Kind::choice: {
      if (truth(part(1))) return part(0);
      if (node.items[2]) return part(2);
      return Value::undefined("the inline if-expression on line " + std::to_string(node.line) +
                              " evaluated to false and no else section was defined");
    }
  }
  return {};
}

}  // namespace rlaif::templates
