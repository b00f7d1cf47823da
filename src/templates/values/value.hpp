// The values that chat templates compute with: Python's, as far as a template can meet them. They do not change once
// made (only namespaces do), so that they can be shared; a list that holds itself cannot be written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "letters.hpp"

namespace rlaif::templates {

// What a template does wrong while it runs. The run that catches it adds file and line.
class TemplateFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class TemplateRun;
class Value;
using Values = std::vector<Value>;

// Prints as nothing, is false, has no items; whatever else is asked of it fails with the message.
struct Undefined {
  std::shared_ptr<const std::string> message;
};

struct Text {
  Letters letters;
  bool safe = false;  // Python's Markup: what is added to it is escaped for HTML
};

enum class Sequence { list, tuple, range, keys, values, items };

struct List {
  Sequence kind = Sequence::list;
  Values items;
  std::int64_t start = 0, stop = 0, step = 1;  // of a range
  int depth = 1;                               // of lists and dictionaries within each other
};

struct Dict {
  std::vector<std::pair<Value, Value>> entries;  // in the order of insertion
  int depth = 1;
};

// Gives its items once, one after the other (Python's iterators and generators).
struct Iterator {
  std::function<std::optional<Value>()> next;
  std::string type = "generator";
};

struct Arguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;
};

struct Callable {
  std::string name;
  std::function<Value(TemplateRun&, Arguments&)> function;
};

// What has attributes of its own and may change: a namespace, a loop, a cycler. The run owns it.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string type() const = 0;
  virtual std::optional<Value> attribute(TemplateRun& run, const std::string& name) = 0;
  virtual Value call(TemplateRun& run, Arguments& arguments);
};

class Value {
 public:
  Value() : data_(nullptr) {}  // None
  Value(bool truth) : data_(truth) {}
  Value(std::int64_t number) : data_(number) {}
  Value(double number) : data_(number) {}
  Value(Letters letters, bool safe = false) : data_(std::make_shared<const Text>(Text{std::move(letters), safe})) {}
  Value(std::string_view markup) : Value(to_letters(markup)) {}
  Value(const char* markup) : Value(std::string_view(markup)) {}
  Value(Undefined undefined) : data_(std::move(undefined)) {}
  Value(Iterator iterator) : data_(std::make_shared<Iterator>(std::move(iterator))) {}
  Value(Callable callable) : data_(std::make_shared<const Callable>(std::move(callable))) {}
  Value(Object* object) : data_(object) {}
  static Value list(Values items, Sequence kind = Sequence::list);
  static Value tuple(Values items) { return list(std::move(items), Sequence::tuple); }
  static Value range(std::int64_t start, std::int64_t stop, std::int64_t step);
  static Value dict(std::vector<std::pair<Value, Value>> entries);  // a later entry takes an equal key's place
  static Value undefined(std::string message);

  bool is_none() const { return std::holds_alternative<std::nullptr_t>(data_); }
  const Undefined* undefined() const { return std::get_if<Undefined>(&data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  std::optional<std::int64_t> integer() const;  // of an integer or a truth value
  std::optional<double> number() const;         // of any number
  const Text* text() const { return get<Text>(); }
  const List* list() const { return get<List>(); }
  const Dict* dict() const { return get<Dict>(); }
  Iterator* iterator() const;
  const Callable* callable() const { return get<Callable>(); }
  Object* object() const;
  bool is(const Value& other) const;  // the same object, not an equal one

 private:
  template <class T>
  const T* get() const {
    const auto* held = std::get_if<std::shared_ptr<const T>>(&data_);
    return held ? held->get() : nullptr;
  }

  std::variant<std::nullptr_t, Undefined, bool, std::int64_t, double, std::shared_ptr<const Text>,
               std::shared_ptr<const List>, std::shared_ptr<const Dict>, std::shared_ptr<Iterator>,
               std::shared_ptr<const Callable>, Object*>
      data_;
};

// What may not be nested deeper than this is refused where it would be.
constexpr int template_value_depth = 100;

bool truth(const Value& value);
bool equal(const Value& a, const Value& b);
int compare(const Value& a, const Value& b, const char* operation);  // throws where Python has no order for them
bool contains(const Value& container, const Value& item);
const Value* lookup(const Dict& dict, const Value& key);
void require_hashable(const Value& key);

std::string type_name(const Value& value);  // "str", "NoneType"
Letters to_text(const Value& value);        // Python's str()
Letters to_repr(const Value& value);        // Python's repr()
std::string real_repr(double number);
// All items of what a for loop can walk over; throws where it cannot.
Iterator iterate(const Value& value);
std::optional<std::size_t> length_of(const Value& value);  // nothing where Python's len() has no answer

// The attribute `name` that dictionaries, lists or texts have of themselves: a method, ready to be called. Nothing
// where Python has none; what Python has and this lacks is refused by name.
std::optional<Value> method_of(const Value& value, const std::string& name);

}  // namespace rlaif::templates
