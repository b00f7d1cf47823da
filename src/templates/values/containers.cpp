// What values have under a name by themselves: the methods of Python's dict and list that do not change them, and of
// its str.
#include <algorithm>
#include <initializer_list>
#include <map>

#include "../arguments.hpp"
#include "../run.hpp"
#include "methods.hpp"

namespace rlaif::templates {
namespace {

std::optional<Value> dict_method(const Value& value, const std::string& name) {
  const Dict* dict = value.dict();
  if (name == "get") {
    return Value(Callable{name, [value, dict](TemplateRun&, Arguments& arguments) {
                            const Bound bound("get", arguments, {"key", "default"}, 1);
                            require_hashable(*bound.at(0));
                            const Value* found = lookup(*dict, *bound.at(0));
                            return found ? *found : bound.or_else(1, {});
                          }});
  }
  static const std::map<std::string, Sequence> views{
      {"items", Sequence::items}, {"keys", Sequence::keys}, {"values", Sequence::values}};
  if (const auto view = views.find(name); view != views.end()) {
    return Value(Callable{
        name, [value, dict, kind = view->second](TemplateRun& run, Arguments&) {
          run.charge(dict->entries.size());
          Values items;
          for (const auto& [key, held] : dict->entries)
            items.push_back(kind == Sequence::keys ? key : kind == Sequence::values ? held : Value::tuple({key, held}));
          return Value::list(std::move(items), kind);
        }});
  }
  if (name == "copy") return Value(Callable{name, [value](TemplateRun&, Arguments&) { return value; }});
  return std::nullopt;
}

std::optional<Value> list_method(const Value& value, const std::string& name) {
  const List* list = value.list();
  if (name == "index" || name == "count") {
    return Value(Callable{name, [value, list, name](TemplateRun& run, Arguments& arguments) {
                            const Bound bound(name, arguments, {"value"}, 1);
                            run.charge(list->items.size());
                            std::int64_t count = 0;
                            for (std::size_t i = 0; i < list->items.size(); ++i) {
                              if (!equal(list->items[i], *bound.at(0))) continue;
                              if (name == "index") return Value(static_cast<std::int64_t>(i));
                              ++count;
                            }
                            if (name == "index") throw TemplateFault("the value is not in the list");
                            return Value(count);
                          }});
  }
  if (name == "copy" && list->kind == Sequence::list)
    return Value(Callable{name, [value](TemplateRun&, Arguments&) { return value; }});
  return std::nullopt;
}

// Python has it, templates may not use it: what they use then fails, as in jinja2's sandbox.
Value unsafe(const Value& value, const std::string& name) {
  return Value::undefined("access to attribute '" + name + "' of '" + type_name(value) + "' object is unsafe");
}

[[noreturn]] void not_covered(const Value& value, const std::string& name) {
  throw TemplateFault("the attribute '" + name + "' of a value of type '" + type_name(value) + "' is not covered");
}

}  // namespace

std::optional<Value> method_of(const Value& value, const std::string& name) {
  if (value.text()) return text_method(value, name);
  if (value.dict()) {
    if (is_among(name, {"clear", "pop", "popitem", "setdefault", "update"})) return unsafe(value, name);
    if (name == "fromkeys") not_covered(value, name);
    return dict_method(value, name);
  }
  if (const List* list = value.list()) {
    const bool mutable_kind = list->kind == Sequence::list;
    if (mutable_kind && is_among(name, {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"}))
      return unsafe(value, name);
    if (list->kind == Sequence::range && is_among(name, {"start", "stop", "step"}))
      return Value(name == "start" ? list->start : name == "stop" ? list->stop : list->step);
    if (list->kind == Sequence::keys || list->kind == Sequence::values || list->kind == Sequence::items) {
      if (is_among(name, {"mapping", "isdisjoint"})) not_covered(value, name);
      return std::nullopt;
    }
    return list_method(value, name);
  }
  if (value.number() &&
      is_among(name, {"real", "imag", "numerator", "denominator", "conjugate", "bit_length", "bit_count", "to_bytes",
                      "from_bytes", "as_integer_ratio", "is_integer", "hex", "fromhex"}))
    not_covered(value, name);
  return std::nullopt;
}

}  // namespace rlaif::templates
