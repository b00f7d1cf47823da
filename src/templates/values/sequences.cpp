// Filters of chat templates over lists, dictionaries and whatever else has items.
#include <algorithm>
#include <array>

#include "../arguments.hpp"
#include "../run.hpp"
#include "filters.hpp"
#include "methods.hpp"

namespace rlaif::templates {
namespace {

using R = TemplateRun&;
using V = const Value&;
using A = Arguments&;

// "a.b.0": attributes of attributes, numbers as such.
std::vector<Value> path_of(V attribute) {
  if (attribute.is_none()) return {};
  if (!attribute.text()) return {attribute};
  std::vector<Value> path;
  LettersView rest = attribute.text()->letters;
  while (true) {
    const std::size_t dot = find_text(rest, U".");
    const LettersView part = rest.substr(0, dot);
    const bool number =
        !part.empty() && part.size() < 10 &&
        std::all_of(part.begin(), part.end(), [](char32_t c) { return code_of(c) >= U'0' && code_of(c) <= U'9'; });
    path.push_back(number ? Value(std::int64_t{std::stol(to_utf8(part))}) : Value(Letters(part)));
    if (dot == no_position) return path;
    rest = rest.substr(dot + 1);
  }
}

Value follow(R run, Value value, const std::vector<Value>& path, const Value& fallback = {}) {
  for (const Value& part : path) {
    value = run.item(value, part);
    if (!fallback.is_none() && value.undefined()) value = fallback;
  }
  return value;
}

// Python's generators begin when their first item is asked for, and fail no sooner.
Value generator(std::function<Iterator()> begin) {
  return Iterator{[begin = std::move(begin), begun = std::shared_ptr<Iterator>()]() mutable -> std::optional<Value> {
                    if (!begun) begun = std::make_shared<Iterator>(begin());
                    return begun->next();
                  },
                  "generator"};
}

// Texts in lower case, so that case plays no part.
Value ignoring_case(const Value& value) { return value.text() ? Value(lower(value.text()->letters)) : value; }

// What items are ordered by: attributes, several with commas between them.
class SortKey {
 public:
  SortKey(const Value* attribute, bool case_sensitive) : case_sensitive_(case_sensitive) {
    if (attribute == nullptr || attribute->is_none())
      paths_ = {{}};
    else if (!attribute->text())
      paths_ = {path_of(*attribute)};
    else
      for (LettersView rest = attribute->text()->letters;;) {
        const std::size_t comma = find_text(rest, U",");
        paths_.push_back(path_of(Value(Letters(rest.substr(0, comma)))));
        if (comma == no_position) break;
        rest = rest.substr(comma + 1);
      }
  }

  Value of(R run, V item) const {
    Values keys;
    for (const auto& path : paths_) {
      Value key = follow(run, item, path);
      keys.push_back(case_sensitive_ ? key : ignoring_case(key));
    }
    return Value::list(std::move(keys));
  }

 private:
  std::vector<std::vector<Value>> paths_;
  bool case_sensitive_;
};

// Stable, each comparison a step. An exception from a comparison leaves a merge sort whole.
Values sorted(R run, const Values& items, const std::function<Value(V)>& key_of, bool reverse) {
  std::vector<std::pair<Value, std::size_t>> keys;
  for (std::size_t i = 0; i < items.size(); ++i) keys.emplace_back(key_of(items[i]), i);
  std::stable_sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
    run.charge(1);
    return reverse ? compare(b.first, a.first, "<") == -1 : compare(a.first, b.first, "<") == -1;
  });
  Values out;
  for (const auto& [key, i] : keys) out.push_back(items[i]);
  return out;
}

Value sort(R run, V value, A arguments) {
  const Bound bound("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  const SortKey key(bound.at(2), bound.flag(1));
  return Value::list(sorted(run, run.items_of(value), [&](V item) { return key.of(run, item); }, bound.flag(0)));
}

Value dictsort(R run, V value, A arguments) {
  const Bound bound("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const std::string by = bound.at(1) ? to_utf8(bound.text(1)) : "key";
  if (by != "key" && by != "value") throw TemplateFault("dictsort sorts by 'key' or 'value'");
  if (!value.dict())
    throw TemplateFault("dictsort expects a dictionary, not a value of type '" + type_name(value) + "'");
  Values pairs;
  for (const auto& [key, held] : value.dict()->entries) pairs.push_back(Value::tuple({key, held}));
  const auto key_of = [&](V pair) {
    const Value& part = pair.list()->items[by == "key" ? 0 : 1];
    return bound.flag(0) ? part : ignoring_case(part);
  };
  return Value::list(sorted(run, pairs, key_of, bound.flag(2)));
}

Value unique(R run, V value, A arguments) {
  const Bound bound("unique", arguments, {"case_sensitive", "attribute"});
  const std::vector<Value> path = bound.at(1) ? path_of(*bound.at(1)) : std::vector<Value>();
  return generator([&run, value, path, exact = bound.flag(0)] {
    return Iterator{[&run, items = iterate(value), path, exact, seen = Values()]() mutable -> std::optional<Value> {
      while (auto next = items.next()) {
        Value key = follow(run, *next, path);
        if (!exact) key = ignoring_case(key);
        require_hashable(key);
        run.charge(1 + seen.size());
        if (std::any_of(seen.begin(), seen.end(), [&](V known) { return equal(known, key); })) continue;
        seen.push_back(std::move(key));
        return next;
      }
      return std::nullopt;
    }};
  });
}

Value extreme(R run, V value, A arguments, bool least) {
  const Bound bound(least ? "min" : "max", arguments, {"case_sensitive", "attribute"});
  const std::vector<Value> path = bound.at(1) ? path_of(*bound.at(1)) : std::vector<Value>();
  const Values items = run.items_of(value);
  if (items.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  const auto key_of = [&](V item) {
    const Value key = follow(run, item, path);
    return bound.flag(0) ? key : ignoring_case(key);
  };
  std::size_t best = 0;
  Value best_key = key_of(items[0]);
  for (std::size_t i = 1; i < items.size(); ++i) {
    Value key = key_of(items[i]);
    if (compare(key, best_key, least ? "<" : ">") != (least ? -1 : 1)) continue;
    best = i;
    best_key = std::move(key);
  }
  return items[best];
}

Value sum(R run, V value, A arguments) {
  const Bound bound("sum", arguments, {"attribute", "start"});
  const std::vector<Value> path = bound.at(0) ? path_of(*bound.at(0)) : std::vector<Value>();
  Value total = bound.or_else(1, std::int64_t{0});
  if (total.text()) throw TemplateFault("sum cannot add texts");
  for (const Value& item : run.items_of(value)) total = arithmetic(run, "+", total, follow(run, item, path));
  return total;
}

Value join(R run, V value, A arguments) {
  const Bound bound("join", arguments, {"d", "attribute"});
  Values parts = run.items_of(value);
  if (bound.given(1)) {
    const std::vector<Value> path = path_of(*bound.at(1));
    for (Value& part : parts) part = follow(run, part, path);
  }
  return joined_text(run, bound.at(0) ? to_text(*bound.at(0)) : Letters(), parts);
}

Value first(R, V value, A arguments) {
  const Bound bound("first", arguments, {});
  const auto item = iterate(value).next();
  return item ? *item : Value::undefined("No first item, sequence was empty.");
}

Value last(R, V value, A arguments) {
  const Bound bound("last", arguments, {});
  if (value.iterator() && value.iterator()->type == "generator")
    throw TemplateFault("'generator' object is not reversible");
  const auto size = length_of(value);
  if (!size) throw TemplateFault("'" + type_name(value) + "' object is not reversible");
  if (*size == 0) return Value::undefined("No last item, sequence was empty.");
  if (const Text* text = value.text()) return Letters(1, text->letters.back());
  return value.list() ? value.list()->items.back() : value.dict()->entries.back().first;
}

Value length(R, V value, A arguments) {
  const Bound bound("length", arguments, {});
  if (const auto size = length_of(value)) return static_cast<std::int64_t>(*size);
  throw TemplateFault("object of type '" + type_name(value) + "' has no len()");
}

Value reverse(R run, V value, A arguments) {
  const Bound bound("reverse", arguments, {});
  if (const Text* text = value.text()) return Value(Letters(text->letters.rbegin(), text->letters.rend()), text->safe);
  Values items = run.items_of(value);
  std::reverse(items.begin(), items.end());
  if (value.iterator()) return Value::list(std::move(items));
  return Iterator{iterate(Value::list(std::move(items))).next, "list_reverseiterator"};
}

Value items(R run, V value, A arguments) {
  const Bound bound("items", arguments, {});
  return generator([&run, value] {
    if (!value.undefined() && !value.dict()) throw TemplateFault("Can only get item pairs from a mapping.");
    Values pairs;
    if (value.dict()) {
      run.charge(value.dict()->entries.size());
      for (const auto& [key, held] : value.dict()->entries) pairs.push_back(Value::tuple({key, held}));
    }
    return iterate(Value::list(std::move(pairs)));
  });
}

Values batches(R run, V value, std::int64_t count, V fill) {
  if (count > static_cast<std::int64_t>(template_letters))
    throw TemplateFault("batch: the number of items is beyond what is possible");
  Values rows, row;
  for (Value& item : run.items_of(value)) {
    if (static_cast<std::int64_t>(row.size()) == count) rows.push_back(Value::list(std::exchange(row, {})));
    row.push_back(std::move(item));
  }
  if (row.empty()) return rows;
  for (; !fill.is_none() && static_cast<std::int64_t>(row.size()) < count; run.charge(1)) row.push_back(fill);
  rows.push_back(Value::list(std::move(row)));
  return rows;
}

Values slices(R run, V value, std::int64_t count, V fill) {
  const Values all = run.items_of(value);
  if (count == 0) throw TemplateFault("slice: the number of slices is zero");
  const auto size = static_cast<std::int64_t>(all.size());
  Values rows;
  std::int64_t begin = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    run.charge(4);
    const std::int64_t longer = i < size % count ? 1 : 0, length = size / count + longer;
    Values row(all.begin() + begin, all.begin() + begin + length);
    if (!fill.is_none() && longer == 0) row.push_back(fill);
    rows.push_back(Value::list(std::move(row)));
    begin += length;
  }
  return rows;
}

template <Values (*Make)(R, V, std::int64_t, V)>
Value rows(R run, V value, A arguments, const char* filter, const char* number) {
  const Bound bound(filter, arguments, {number, "fill_with"}, 1);
  return generator([&run, value, count = bound.integer(0, 1), fill = bound.or_else(1, {})] {
    return iterate(Value::list(Make(run, value, count, fill)));
  });
}

Value groupby(R run, V value, A arguments) {
  const Bound bound("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  const std::vector<Value> path = path_of(*bound.at(0));
  const Value fallback = bound.or_else(1, {});
  const auto key_of = [&](V item) {
    const Value key = follow(run, item, path, fallback);
    return bound.flag(2) ? key : ignoring_case(key);
  };
  Values groups, group;
  const auto finish = [&] {
    if (!group.empty())
      groups.push_back(Value::tuple({follow(run, group.front(), path, fallback), Value::list(group)}));
    group.clear();
  };
  for (const Value& item : sorted(run, run.items_of(value), key_of, false)) {
    if (!group.empty() && !equal(key_of(group.front()), key_of(item))) finish();
    group.push_back(item);
  }
  finish();
  return Value::list(std::move(groups));
}

// --- map, select and their kin ---------------------------------------------------------------------

// What `change` makes of each item, less what it drops.
Iterator mapped(V value, std::function<std::optional<Value>(const Value&)> change) {
  return {[items = iterate(value), change = std::move(change)]() mutable -> std::optional<Value> {
    while (const auto next = items.next()) {
      if (auto result = change(*next)) return result;
    }
    return std::nullopt;
  }};
}

std::string name_in(const Arguments& arguments, std::size_t i, const char* filter) {
  if (i < arguments.positional.size() && arguments.positional[i].text())
    return to_utf8(arguments.positional[i].text()->letters);
  throw TemplateFault(std::string(filter) + " expects the name of a filter, a test or an attribute");
}

Arguments without_first(const Arguments& arguments, std::size_t count) {
  Arguments rest = arguments;
  rest.positional.erase(rest.positional.begin(), rest.positional.begin() + static_cast<std::ptrdiff_t>(count));
  return rest;
}

Iterator map(R run, V value, A arguments) {
  if (arguments.positional.empty()) {
    const Bound bound("map", arguments, {"attribute", "default"}, 1);
    return mapped(value, [&run, path = path_of(*bound.at(0)), fallback = bound.or_else(1, {})](V item) {
      return std::optional(follow(run, item, path, fallback));
    });
  }
  return mapped(value, [&run, name = name_in(arguments, 0, "map"), rest = without_first(arguments, 1)](V item) {
    Arguments own = rest;
    return std::optional(run.filter(name, item, own));
  });
}

template <bool wanted, bool by_attribute>
Iterator select(R run, V value, A arguments) {
  const std::size_t named = by_attribute ? 1 : 0;
  if (by_attribute && arguments.positional.empty()) throw TemplateFault("Missing parameter for attribute name");
  const std::vector<Value> path = by_attribute ? path_of(arguments.positional.front()) : std::vector<Value>();
  const bool tested = arguments.positional.size() > named;
  const std::string test = tested ? name_in(arguments, named, "select") : "";
  const Arguments rest = tested ? without_first(arguments, named + 1) : Arguments();
  return mapped(value, [&run, path, tested, test, rest](V item) -> std::optional<Value> {
    const Value subject = follow(run, item, path);
    Arguments own = rest;
    const bool holds = tested ? run.test(test, subject, own) : truth(subject);
    return holds == wanted ? std::optional(item) : std::nullopt;
  });
}

// None of these looks at its arguments where there is nothing to look at.
template <Iterator (*Begin)(R, V, A)>
Value over_items(R run, V value, A arguments) {
  return generator([&run, value, arguments]() mutable {
    return truth(value) ? Begin(run, value, arguments) : iterate(Value::list({}));
  });
}

}  // namespace

const FunctionTable& sequence_filters() {
  static const FunctionTable filters{
      {"attr",
       [](R r, V v, A a) {
         const Bound bound("attr", a, {"name"}, 1);
         if (v.dict() && !method_of(v, to_utf8(bound.text(0))))
           return Value::undefined("'dict object' has no attribute '" + to_utf8(bound.text(0)) + "'");
         return r.attribute(v, to_utf8(bound.text(0)));
       }},
      {"batch", [](R r, V v, A a) { return rows<&batches>(r, v, a, "batch", "linecount"); }},
      {"count", &length},
      {"dictsort", &dictsort},
      {"first", &first},
      {"groupby", &groupby},
      {"items", &items},
      {"join", &join},
      {"last", &last},
      {"length", &length},
      {"list",
       [](R r, V v, A a) {
         const Bound bound("list", a, {});
         return Value::list(r.items_of(v));
       }},
      {"map", &over_items<&map>},
      {"max", [](R r, V v, A a) { return extreme(r, v, a, false); }},
      {"min", [](R r, V v, A a) { return extreme(r, v, a, true); }},
      {"reject", &over_items<&select<false, false>>},
      {"rejectattr", &over_items<&select<false, true>>},
      {"reverse", &reverse},
      {"select", &over_items<&select<true, false>>},
      {"selectattr", &over_items<&select<true, true>>},
      {"slice", [](R r, V v, A a) { return rows<&slices>(r, v, a, "slice", "slices"); }},
      {"sort", &sort},
      {"sum", &sum},
      {"unique", &unique}};
  return filters;
}

}  // namespace rlaif::templates
