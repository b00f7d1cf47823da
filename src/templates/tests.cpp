// Tests of chat templates: what stands behind `is`.
#include <string>

#include "arguments.hpp"
#include "run.hpp"
#include "values/filters.hpp"

namespace rlaif::templates {
namespace {

const Value& other(Arguments& arguments, const char* test) {
  if (arguments.positional.size() != 1 || !arguments.named.empty())
    throw TemplateFault("the test '" + std::string(test) + "' takes one argument");
  return arguments.positional.front();
}

bool leaves(TemplateRun& run, const Value& value, std::int64_t divisor, std::int64_t rest) {
  return equal(arithmetic(run, "%", value, Value(divisor)), Value(rest));
}

bool in_one_case(const Value& value, bool (*wanted)(char32_t), bool (*other_case)(char32_t)) {
  bool found = false;
  for (const char32_t letter : to_text(value)) {
    if (other_case(letter)) return false;
    found = found || wanted(letter);
  }
  return found;
}

bool names_one_of(const Value& value, TemplateFunction (*find)(const std::string&)) {
  require_hashable(value);
  return value.text() && find(to_utf8(value.text()->letters)) != nullptr;
}

bool is_sequence(const Value& value) {
  const List* list = value.list();
  const bool view =
      list && (list->kind == Sequence::keys || list->kind == Sequence::values || list->kind == Sequence::items);
  return length_of(value).has_value() && !view;
}

enum Order { below = -1, same = 0, above = 1 };
template <Order one, Order another>
Value ordered(TemplateRun&, const Value& value, Arguments& arguments) {
  const int order = compare(value, other(arguments, "of an order"), "<");
  return order == one || order == another;
}

Value is_equal(TemplateRun&, const Value& value, Arguments& arguments) { return equal(value, other(arguments, "eq")); }
Value is_different(TemplateRun&, const Value& value, Arguments& arguments) {
  return !equal(value, other(arguments, "ne"));
}

FunctionTable make_tests() {
  using R = TemplateRun&;
  using V = const Value&;
  using A = Arguments&;
  return {{"odd", [](R r, V v, A) { return Value(leaves(r, v, 2, 1)); }},
          {"even", [](R r, V v, A) { return Value(leaves(r, v, 2, 0)); }},
          {"divisibleby",
           [](R r, V v, A a) {
             return Value(equal(arithmetic(r, "%", v, other(a, "divisibleby")), Value(std::int64_t{0})));
           }},
          {"defined", [](R, V v, A) { return Value(!v.undefined()); }},
          {"undefined", [](R, V v, A) { return Value(v.undefined() != nullptr); }},
          {"filter", [](R, V v, A) { return Value(names_one_of(v, &find_filter)); }},
          {"test", [](R, V v, A) { return Value(names_one_of(v, &find_test)); }},
          {"none", [](R, V v, A) { return Value(v.is_none()); }},
          {"boolean", [](R, V v, A) { return Value(v.boolean() != nullptr); }},
          {"true", [](R, V v, A) { return Value(v.boolean() && *v.boolean()); }},
          {"false", [](R, V v, A) { return Value(v.boolean() && !*v.boolean()); }},
          {"integer", [](R, V v, A) { return Value(v.integer() && !v.boolean()); }},
          {"float", [](R, V v, A) { return Value(v.real() != nullptr); }},
          {"number", [](R, V v, A) { return Value(v.number().has_value()); }},
          {"lower", [](R, V v, A) { return Value(in_one_case(v, &is_lower, &is_upper)); }},
          {"upper", [](R, V v, A) { return Value(in_one_case(v, &is_upper, &is_lower)); }},
          {"string", [](R, V v, A) { return Value(v.text() != nullptr); }},
          {"mapping", [](R, V v, A) { return Value(v.dict() != nullptr); }},
          {"sequence", [](R, V v, A) { return Value(is_sequence(v)); }},
          {"iterable", [](R, V v, A) { return Value(length_of(v).has_value() || v.iterator()); }},
          {"callable",
           [](R, V v, A) {
             return Value(v.callable() || v.undefined() || (v.object() && v.object()->type() != "Namespace"));
           }},
          {"sameas", [](R, V v, A a) { return Value(v.is(other(a, "sameas"))); }},
          {"escaped", [](R, V v, A) { return Value(v.text() && v.text()->safe); }},
          {"in", [](R, V v, A a) { return Value(contains(other(a, "in"), v)); }},
          {"==", &is_equal},
          {"eq", &is_equal},
          {"equalto", &is_equal},
          {"!=", &is_different},
          {"ne", &is_different},
          {">", &ordered<above, above>},
          {"gt", &ordered<above, above>},
          {"greaterthan", &ordered<above, above>},
          {">=", &ordered<above, same>},
          {"ge", &ordered<above, same>},
          {"<", &ordered<below, below>},
          {"lt", &ordered<below, below>},
          {"lessthan", &ordered<below, below>},
          {"<=", &ordered<below, same>},
          {"le", &ordered<below, same>}};
}

}  // namespace

TemplateFunction find_test(const std::string& name) {
  static const FunctionTable tests = make_tests();
  const auto found = tests.find(name);
  return found == tests.end() ? nullptr : found->second;
}

std::string unknown_test(const std::string& name) { return "the test '" + name + "' is not known"; }

}  // namespace rlaif::templates
