// One rendering of a chat template: walks its tree, within bounds on steps, depth and size.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tree.hpp"
#include "values/value.hpp"

namespace rlaif::templates {

// A step is an expression, a statement, or a handful of characters or items that are moved. A conversation of a hundred
// turns takes some ten thousand.
constexpr std::size_t template_steps = 20'000'000;
constexpr std::size_t template_letters = 8'000'000;  // of one text
constexpr int template_recursion = 500;

class TemplateRun {
 public:
  // `hints`: what is said where a variable of that name is missing and used.
  TemplateRun(const TemplateTree& tree, const std::filesystem::path& file, std::map<std::string, Value> variables,
              std::map<std::string, std::string> hints = {});

  Letters render();  // throws Error(input) naming file and line

  // --- for filters, methods and functions; they throw TemplateFault ----------------------------------------------
  void charge(std::size_t steps);
  void charge_text(std::size_t letters);  // a text of that length is about to be made
  Value call(const Value& callee, Arguments& arguments);
  Value attribute(const Value& value, const std::string& name);  // value.name
  Value item(const Value& value, const Value& key);              // value[key]
  Value filter(const std::string& name, const Value& value, Arguments& arguments);
  bool test(const std::string& name, const Value& value, Arguments& arguments);
  Values items_of(const Value& value);           // charged for
  Object* keep(std::unique_ptr<Object> object);  // until the run ends

 private:
  friend class Loop;
  enum class Flow { on, leave, next };
  struct Scope {
    const Scope* around;
    std::vector<std::pair<const std::string*, std::optional<Value>>> names;
  };
  class Deeper;

  Scope& open(const ScopeNames& names, const Scope* around);
  std::optional<Value>* find(const Scope& scope, const std::string& name) const;
  std::optional<Value> resolve(const std::string& name) const;
  Value load(const std::string& name, const Scope& scope) const;
  void assign(const Expression& target, const Value& value, Scope& scope);
  void set_attribute(const Expression& target, const Value& value, const Scope& scope);

  Flow execute(const Statements& body, Scope& scope);
  Flow execute(const Statement& statement, Scope& scope);
  Flow choose(const Statement& statement, Scope& scope);
  void loop(const Statement& statement, const Value& items, const Scope& around, int depth);
  Value function(const Statement& statement, const Scope& around);
  Value call_function(const Statement& statement, const Scope& around, Arguments& arguments);
  void call_block(const Statement& statement, Scope& scope);
  void with(const Statement& statement, Scope& scope, Flow& flow);
  // What the body writes; nothing where a loop around it was left from within.
  std::optional<Letters> captured(const Statements& body, Scope& scope, Flow& flow);
  void write(const Letters& text);
  void write_block(const Value& value);  // of a block that was filtered or called: a text and nothing else

  Value evaluate(const Expression& node, const Scope& scope);
  Value evaluate_call(const Expression& node, const Scope& scope, const Value* caller);
  Value evaluate_filter(const Expression& node, const Scope& scope, const Value& value);
  Value evaluate_slice(const Expression& node, const Scope& scope);
  Value evaluate_comparison(const Expression& node, const Scope& scope);
  Value evaluate_concat(const Expression& node, const Scope& scope);
  Value evaluate_items(const Expression& node, const Scope& scope);
  Arguments evaluate_arguments(const CallArguments& call, const Scope& scope);

  const TemplateTree& tree_;
  const std::filesystem::path& file_;
  std::map<std::string, Value> variables_;
  const std::map<std::string, std::string> hints_;
  std::vector<std::unique_ptr<Object>> objects_;
  std::deque<Scope> scopes_;
  Letters* out_ = nullptr;
  std::size_t steps_ = 0, line_ = 1;
  int depth_ = 0;
};

// What a namespace() holds.
class Namespace final : public Object {
 public:
  explicit Namespace(std::map<std::string, Value> values) : values_(std::move(values)) {}
  std::string type() const override { return "Namespace"; }
  std::optional<Value> attribute(TemplateRun& run, const std::string& name) override;
  void set(const std::string& name, Value value) { values_[name] = std::move(value); }

 private:
  std::map<std::string, Value> values_;
};

// --- operators, as Python has them ---------------------------------------------------------------------------------
Value arithmetic(TemplateRun& run, const std::string& sign, const Value& left, const Value& right);
Value negative(const Value& value);
Value sliced(TemplateRun& run, const Value& value, const Value& start, const Value& stop, const Value& step);
Letters escaped(const Letters& text);                                               // for HTML, as markupsafe does it
Letters printf_text(TemplateRun& run, const Letters& format, const Value& values);  // format % values
Letters format_text(TemplateRun& run, const Letters& format, const Arguments& arguments);  // format.format(...)
Letters json_text(TemplateRun& run, const Value& value, const Letters* indent, bool ascii, bool sorted,
                  const std::optional<std::pair<Letters, Letters>>& separators);

}  // namespace rlaif::templates
