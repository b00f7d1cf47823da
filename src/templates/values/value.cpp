#include "value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace rlaif::templates {
namespace {

int depth_of(const Value& value) {
  if (const List* list = value.list()) return list->depth;
  if (const Dict* dict = value.dict()) return dict->depth;
  return 0;
}

int deeper(int depth) {
  if (depth >= template_value_depth)
    throw TemplateFault("lists and dictionaries stand more than " + std::to_string(template_value_depth) +
                        " deep within each other");
  return depth + 1;
}

// Python compares lists with lists and tuples with tuples alone.
bool equal_lists(const List& a, const List& b) {
  if (a.kind != b.kind || a.kind == Sequence::values) return false;
  return a.items.size() == b.items.size() && std::equal(a.items.begin(), a.items.end(), b.items.begin(),
                                                        [](const Value& x, const Value& y) { return equal(x, y); });
}

bool equal_dicts(const Dict& a, const Dict& b) {
  return a.entries.size() == b.entries.size() &&
         std::all_of(a.entries.begin(), a.entries.end(), [&](const auto& entry) {
           const Value* other = lookup(b, entry.first);
           return other != nullptr && equal(entry.second, *other);
         });
}

void append_escape(Letters& out, char32_t letter) {
  const char32_t code = code_of(letter);
  static const char* const digits = "0123456789abcdef";
  const int width = code <= 0xFF ? 2 : code <= 0xFFFF ? 4 : 8;
  out += {like(U'\\', letter), like(width == 2 ? U'x' : width == 4 ? U'u' : U'U', letter)};
  for (int shift = 4 * (width - 1); shift >= 0; shift -= 4)
    out += like(static_cast<char32_t>(digits[(code >> shift) & 15]), letter);
}

Letters text_repr(const Letters& letters) {
  const bool has_single = find_text(letters, U"'") != no_position,
             has_double = find_text(letters, U"\"") != no_position;
  const char32_t quote = has_single && !has_double ? U'"' : U'\'';
  Letters out(1, quote);
  for (const char32_t letter : letters) {
    const char32_t code = code_of(letter);
    if (code == quote || code == U'\\')
      out += {like(U'\\', letter), letter};
    else if (code == U'\n' || code == U'\r' || code == U'\t')
      out += {like(U'\\', letter), like(code == U'\n' ? U'n' : code == U'\r' ? U'r' : U't', letter)};
    else if (is_printable(letter))
      out += letter;
    else
      append_escape(out, letter);
  }
  return out + quote;
}

Letters list_repr(const List& list) {
  if (list.kind == Sequence::range) {
    const std::string step = list.step == 1 ? "" : ", " + std::to_string(list.step);
    return to_letters("range(" + std::to_string(list.start) + ", " + std::to_string(list.stop) + step + ")");
  }
  const bool tuple = list.kind == Sequence::tuple;
  Letters out;
  for (const Value& item : list.items) out += (out.empty() ? U"" : U", ") + to_repr(item);
  if (tuple) return U"(" + out + (list.items.size() == 1 ? U",)" : U")");
  out = U"[" + out + U"]";
  if (list.kind == Sequence::keys) return U"dict_keys(" + out + U")";
  if (list.kind == Sequence::values) return U"dict_values(" + out + U")";
  return list.kind == Sequence::items ? U"dict_items(" + out + U")" : out;
}

const char* sequence_name(Sequence kind) {
  switch (kind) {
    case Sequence::list: return "list";
    case Sequence::tuple: return "tuple";
    case Sequence::range: return "range";
    case Sequence::keys: return "dict_keys";
    case Sequence::values: return "dict_values";
    case Sequence::items: return "dict_items";
  }
  return "list";
}

}  // namespace

Value Object::call(TemplateRun&, Arguments&) { throw TemplateFault("'" + type() + "' object is not callable"); }

Value Value::list(Values items, Sequence kind) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, depth_of(item));
  Value value;
  value.data_ = std::make_shared<const List>(List{kind, std::move(items), 0, 0, 1, deeper(depth)});
  return value;
}

Value Value::range(std::int64_t start, std::int64_t stop, std::int64_t step) {
  List list{Sequence::range, {}, start, stop, step, 1};
  for (std::int64_t next = start; step > 0 ? next < stop : next > stop;) {
    list.items.push_back(next);
    if (__builtin_add_overflow(next, step, &next)) break;
  }
  Value value;
  value.data_ = std::make_shared<const List>(std::move(list));
  return value;
}

Value Value::dict(std::vector<std::pair<Value, Value>> entries) {
  Dict dict;
  int depth = 0;
  for (auto& [key, value] : entries) {
    require_hashable(key);
    depth = std::max({depth, depth_of(key), depth_of(value)});
    if (const Value* known = lookup(dict, key))
      const_cast<Value&>(*known) = std::move(value);
    else
      dict.entries.emplace_back(std::move(key), std::move(value));
  }
  dict.depth = deeper(depth);
  Value value;
  value.data_ = std::make_shared<const Dict>(std::move(dict));
  return value;
}

Value Value::undefined(std::string message) {
  return Undefined{std::make_shared<const std::string>(std::move(message))};
}

std::optional<std::int64_t> Value::integer() const {
  if (const bool* truth = boolean()) return *truth ? 1 : 0;
  if (const auto* number = std::get_if<std::int64_t>(&data_)) return *number;
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const double* real_number = real()) return *real_number;
  if (const auto whole = integer()) return static_cast<double>(*whole);
  return std::nullopt;
}

Iterator* Value::iterator() const {
  const auto* held = std::get_if<std::shared_ptr<Iterator>>(&data_);
  return held ? held->get() : nullptr;
}

Object* Value::object() const {
  const auto* held = std::get_if<Object*>(&data_);
  return held ? *held : nullptr;
}

bool Value::is(const Value& other) const {
  if (data_.index() != other.data_.index()) return false;
  return std::visit(
      [&](const auto& mine) {
        using T = std::decay_t<decltype(mine)>;
        if constexpr (std::is_same_v<T, Undefined>)
          return mine.message == other.undefined()->message;
        else
          return mine == std::get<T>(other.data_);
      },
      data_);
}

bool truth(const Value& value) {
  if (value.is_none() || value.undefined()) return false;
  if (const double* real = value.real()) return *real != 0;
  if (const auto whole = value.integer()) return *whole != 0;
  if (const Text* text = value.text()) return !text->letters.empty();
  if (const List* list = value.list()) return !list->items.empty();
  if (const Dict* dict = value.dict()) return !dict->entries.empty();
  return true;
}

bool equal(const Value& a, const Value& b) {
  if (a.undefined() || b.undefined()) return a.undefined() && b.undefined();
  if (a.integer() && b.integer()) return *a.integer() == *b.integer();
  if (a.number() && b.number()) return *a.number() == *b.number();
  if (a.text() && b.text()) return same_text(a.text()->letters, b.text()->letters);
  if (a.list() && b.list()) return equal_lists(*a.list(), *b.list());
  if (a.dict() && b.dict()) return equal_dicts(*a.dict(), *b.dict());
  return a.is(b);
}

int compare(const Value& a, const Value& b, const char* operation) {
  for (const Value* side : {&a, &b}) {
    if (const Undefined* undefined = side->undefined()) throw TemplateFault(*undefined->message);
  }
  if (a.integer() && b.integer()) return *a.integer() == *b.integer() ? 0 : *a.integer() < *b.integer() ? -1 : 1;
  if (a.number() && b.number()) {
    const double x = *a.number(), y = *b.number();
    if (std::isnan(x) || std::isnan(y)) return 2;  // neither below nor above nor equal
    return x == y ? 0 : x < y ? -1 : 1;
  }
  if (a.text() && b.text()) return compare_text(a.text()->letters, b.text()->letters);
  const List *x = a.list(), *y = b.list();
  if (x && y && x->kind == y->kind && (x->kind == Sequence::list || x->kind == Sequence::tuple)) {
    for (std::size_t i = 0; i < std::min(x->items.size(), y->items.size()); ++i) {
      if (!equal(x->items[i], y->items[i])) return compare(x->items[i], y->items[i], operation);
    }
    return x->items.size() == y->items.size() ? 0 : x->items.size() < y->items.size() ? -1 : 1;
  }
  throw TemplateFault("'" + std::string(operation) + "' not supported between instances of '" + type_name(a) +
                      "' and '" + type_name(b) + "'");
}

bool contains(const Value& container, const Value& item) {
  if (const Text* text = container.text()) {
    if (!item.text()) throw TemplateFault("'in <string>' requires string as left operand, not " + type_name(item));
    return find_text(text->letters, item.text()->letters) != no_position;
  }
  if (const Dict* dict = container.dict()) {
    require_hashable(item);
    return lookup(*dict, item) != nullptr;
  }
  if (container.is_none() || container.number() || container.callable() || container.object())
    throw TemplateFault("argument of type '" + type_name(container) + "' is not iterable");
  Iterator items = iterate(container);
  while (const auto next = items.next()) {
    if (next->is(item) || equal(*next, item)) return true;
  }
  return false;
}

const Value* lookup(const Dict& dict, const Value& key) {
  for (const auto& [known, value] : dict.entries) {
    if (equal(known, key)) return &value;
  }
  return nullptr;
}

void require_hashable(const Value& key) {
  if (key.dict() || (key.list() && key.list()->kind != Sequence::tuple && key.list()->kind != Sequence::range))
    throw TemplateFault("unhashable type: '" + type_name(key) + "'");
  if (const List* tuple = key.list()) {
    for (const Value& item : tuple->items) require_hashable(item);
  }
}

std::string type_name(const Value& value) {
  if (value.is_none()) return "NoneType";
  if (value.undefined()) return "Undefined";
  if (value.boolean()) return "bool";
  if (value.real()) return "float";
  if (value.integer()) return "int";
  if (const Text* text = value.text()) return text->safe ? "Markup" : "str";
  if (const List* list = value.list()) return sequence_name(list->kind);
  if (value.dict()) return "dict";
  if (const Iterator* iterator = value.iterator()) return iterator->type;
  return value.callable() ? "function" : value.object()->type();
}

std::string real_repr(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  const std::string shortest(buffer.data(), end);
  const std::size_t mark = shortest.find('e');
  const int exponent = std::stoi(shortest.substr(mark + 1));
  if (exponent >= -4 && exponent < 16) {
    const auto plain_end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed).ptr;
    const std::string plain(buffer.data(), plain_end);
    return plain.find('.') == std::string::npos ? plain + ".0" : plain;
  }
  const std::string digits = std::to_string(std::abs(exponent));
  return shortest.substr(0, mark) + (exponent < 0 ? "e-" : "e+") + (digits.size() < 2 ? "0" : "") + digits;
}

Letters to_text(const Value& value) {
  if (const Text* text = value.text()) return text->letters;
  return value.undefined() ? Letters() : to_repr(value);
}

Letters to_repr(const Value& value) {
  if (value.is_none()) return U"None";
  if (value.undefined()) return U"Undefined";
  if (const bool* truth = value.boolean()) return *truth ? U"True" : U"False";
  if (const double* real = value.real()) return to_letters(real_repr(*real));
  if (const auto whole = value.integer()) return to_letters(std::to_string(*whole));
  if (const Text* text = value.text())
    return text->safe ? U"Markup(" + text_repr(text->letters) + U")" : text_repr(text->letters);
  if (const List* list = value.list()) return list_repr(*list);
  if (const Dict* dict = value.dict()) {
    Letters out;
    for (const auto& [key, held] : dict->entries)
      out += (out.empty() ? U"" : U", ") + to_repr(key) + U": " + to_repr(held);
    return U"{" + out + U"}";
  }
  throw TemplateFault("a '" + type_name(value) + "' object cannot be written as text");
}

std::optional<std::size_t> length_of(const Value& value) {
  if (value.undefined()) return 0;
  if (const Text* text = value.text()) return text->letters.size();
  if (const List* list = value.list()) return list->items.size();
  if (const Dict* dict = value.dict()) return dict->entries.size();
  return std::nullopt;
}

Iterator iterate(const Value& value) {
  if (value.undefined()) return {[]() -> std::optional<Value> { return std::nullopt; }};
  if (const Iterator* iterator = value.iterator())
    return {[value, iterator] { return iterator->next(); }, iterator->type};
  if (!length_of(value)) throw TemplateFault("'" + type_name(value) + "' object is not iterable");
  return {[value, at = std::size_t{0}]() mutable -> std::optional<Value> {
    if (at >= *length_of(value)) return std::nullopt;
    const std::size_t here = at++;
    if (const Text* text = value.text()) return Value(Letters(1, text->letters[here]));
    if (const List* list = value.list()) return list->items[here];
    return value.dict()->entries[here].first;
  }};
}

}  // namespace rlaif::templates
