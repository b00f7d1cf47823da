// Statements of chat templates.
#include "run.hpp"

#include <algorithm>

#include "loop.hpp"
#include "rlaif/core/error.hpp"
#include "values/filters.hpp"

namespace rlaif::templates {

class TemplateRun::Deeper {
 public:
  explicit Deeper(TemplateRun& run) : run_(run) {
    if (++run_.depth_ > template_recursion)
      throw TemplateFault("the template calls itself more than " + std::to_string(template_recursion) + " levels deep");
  }
  ~Deeper() { --run_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  TemplateRun& run_;
};

TemplateRun::TemplateRun(const TemplateTree& tree, const std::filesystem::path& file,
                         std::map<std::string, Value> variables, std::map<std::string, std::string> hints)
    : tree_(tree), file_(file), variables_(std::move(variables)), hints_(std::move(hints)) {
  for (auto& [name, function] : template_globals()) variables_.try_emplace(name, std::move(function));
}

Letters TemplateRun::render() {
  Letters out;
  out_ = &out;
  try {
    execute(tree_.body, open(tree_.names, nullptr));
  } catch (const TemplateFault& fault) {
    throw input_error(file_, line_, std::string("chat template: ") + fault.what());
  }
  return out;
}

void TemplateRun::charge(std::size_t steps) {
  steps_ += steps;
  if (steps_ > template_steps)
    throw TemplateFault("the template takes more than " + std::to_string(template_steps) + " steps");
}

void TemplateRun::charge_text(std::size_t letters) {
  if (letters > template_letters)
    throw TemplateFault("the template makes a text of more than " + std::to_string(template_letters) + " characters");
  charge(letters / 8);
}

Object* TemplateRun::keep(std::unique_ptr<Object> object) {
  charge(8);
  return objects_.emplace_back(std::move(object)).get();
}

Values TemplateRun::items_of(const Value& value) {
  Values items;
  Iterator iterator = iterate(value);
  while (auto next = iterator.next()) {
    charge(1);
    items.push_back(std::move(*next));
  }
  return items;
}

// --- names ----------------------------------------------------------------------------------------

TemplateRun::Scope& TemplateRun::open(const ScopeNames& names, const Scope* around) {
  charge(4 + names.size());
  Scope scope{around, {}};
  scope.names.reserve(names.size());
  for (const auto& [name, source] : names) {
    std::optional<Value> first;
    if (source == NameSource::resolve) first = resolve(name);
    if (source == NameSource::alias) first = *find(*around, name);
    scope.names.emplace_back(&name, std::move(first));
  }
  return scopes_.emplace_back(std::move(scope));
}

std::optional<Value>* TemplateRun::find(const Scope& scope, const std::string& name) const {
  for (const Scope* next = &scope; next != nullptr; next = next->around) {
    for (const auto& [known, value] : next->names) {
      if (*known == name) return const_cast<std::optional<Value>*>(&value);
    }
  }
  throw TemplateFault("the name '" + name + "' belongs to no scope");
}

std::optional<Value> TemplateRun::resolve(const std::string& name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? std::nullopt : std::optional(found->second);
}

Value TemplateRun::load(const std::string& name, const Scope& scope) const {
  if (const std::optional<Value>& value = *find(scope, name)) return *value;
  const auto hint = hints_.find(name);
  return Value::undefined("'" + name + "' is undefined" + (hint == hints_.end() ? "" : ": " + hint->second));
}

void TemplateRun::set_attribute(const Expression& target, const Value& value, const Scope& scope) {
  auto* space = dynamic_cast<Namespace*>(load(target.items.front()->name, scope).object());
  if (space == nullptr)
    throw TemplateFault("an attribute is assigned to '" + target.items.front()->name + "', which is no namespace");
  if (target.name.starts_with('_'))
    throw TemplateFault("a namespace takes no attribute that begins with '_': '" + target.name + "'");
  space->set(target.name, value);
}

void TemplateRun::assign(const Expression& target, const Value& value, Scope& scope) {
  if (target.kind == ExpressionKind::name) {
    *find(scope, target.name) = value;
  } else if (target.kind == ExpressionKind::space_name) {
    set_attribute(target, value, scope);
  } else {
    const Values items = items_of(value);
    if (items.size() != target.items.size())
      throw TemplateFault(std::to_string(items.size()) + " values are assigned to " +
                          std::to_string(target.items.size()) + " names");
    for (std::size_t i = 0; i < items.size(); ++i) assign(*target.items[i], items[i], scope);
  }
}

// --- statements -----------------------------------------------------------------------------------

void TemplateRun::write(const Letters& text) {
  charge_text(out_->size() + text.size() > template_letters ? template_letters + 1 : text.size());
  *out_ += text;
}

void TemplateRun::write_block(const Value& value) {
  if (!value.text()) throw TemplateFault("a block gives a value of type '" + type_name(value) + "'; expected a text");
  write(value.text()->letters);
}

TemplateRun::Flow TemplateRun::execute(const Statements& body, Scope& scope) {
  const Deeper deeper(*this);
  for (const auto& statement : body) {
    const Flow flow = execute(*statement, scope);
    if (flow != Flow::on) return flow;
  }
  return Flow::on;
}

TemplateRun::Flow TemplateRun::execute(const Statement& statement, Scope& scope) {
  charge(1);
  line_ = statement.line;
  Flow flow = Flow::on;
  switch (statement.kind) {
    case StatementKind::data: write(statement.text); break;
    case StatementKind::print: write(to_text(evaluate(*statement.expression, scope))); break;
    case StatementKind::loop: {
      const Value items = evaluate(*statement.expression, scope);
      loop(statement, items, scope, 0);
      break;
    }
    case StatementKind::choice: return choose(statement, scope);
    case StatementKind::set: assign(*statement.target, evaluate(*statement.expression, scope), scope); break;
    case StatementKind::set_block: {
      Scope& inner = open(statement.names, &scope);
      if (auto text = captured(statement.body, inner, flow)) {
        Value value(std::move(*text));
        if (statement.test) value = evaluate_filter(*statement.test, inner, value);
        assign(*statement.target, value, scope);
      }
      break;
    }
    case StatementKind::macro: *find(scope, statement.name) = function(statement, scope); break;
    case StatementKind::call_block: call_block(statement, scope); break;
    case StatementKind::filter_block: {
      Scope& inner = open(statement.names, &scope);
      if (auto text = captured(statement.body, inner, flow))
        write_block(evaluate_filter(*statement.test, inner, Value(std::move(*text))));
      break;
    }
    case StatementKind::with: with(statement, scope, flow); break;
    case StatementKind::scope: execute(statement.body, open(statement.names, &scope)); break;
    case StatementKind::leave: return Flow::leave;
    case StatementKind::next: return Flow::next;
  }
  return flow;
}

TemplateRun::Flow TemplateRun::choose(const Statement& statement, Scope& scope) {
  for (const Branch& branch : statement.branches) {
    if (truth(evaluate(*branch.test, scope))) return execute(branch.body, scope);
  }
  return execute(statement.other, scope);
}

void TemplateRun::with(const Statement& statement, Scope& scope, Flow& flow) {
  Scope& inner = open(statement.names, &scope);
  for (std::size_t i = 0; i < statement.targets.size(); ++i)
    assign(*statement.targets[i], evaluate(*statement.values[i], scope), inner);
  flow = execute(statement.body, inner);
}

std::optional<Letters> TemplateRun::captured(const Statements& body, Scope& scope, Flow& flow) {
  Letters text;
  Letters* const outer = std::exchange(out_, &text);
  try {
    flow = execute(body, scope);
  } catch (...) {
    out_ = outer;
    throw;
  }
  out_ = outer;
  return flow == Flow::on ? std::optional(std::move(text)) : std::nullopt;
}

void TemplateRun::loop(const Statement& statement, const Value& items, const Scope& around, int depth) {
  Iterator source = iterate(items);
  if (statement.test) {
    // Asked item by item: the test may look at what the body has changed.
    source = {[this, &statement, &around, inner = iterate(items)]() mutable -> std::optional<Value> {
                while (auto next = inner.next()) {
                  Scope& scope = open(statement.test_names, &around);
                  assign(*statement.target, *next, scope);
                  if (truth(evaluate(*statement.test, scope))) return next;
                }
                return std::nullopt;
              },
              "generator"};
  }
  Value kept = Value(keep(std::make_unique<Loop>(statement, around, std::move(source),
                                                 statement.test ? std::nullopt : length_of(items), depth)));
  Loop& loop = static_cast<Loop&>(*kept.object());
  bool any = false;
  while (const auto item = loop.advance()) {
    Scope& scope = open(statement.names, &around);
    any = true;
    *find(scope, "loop") = kept;
    assign(*statement.target, *item, scope);
    if (execute(statement.body, scope) == Flow::leave) break;
  }
  if (!any) execute(statement.other, open(statement.other_names, &around));
}

Value Loop::call(TemplateRun& run, Arguments& arguments) {
  if (!statement_.recursive) throw TemplateFault("a loop is called that is not marked 'recursive'");
  if (arguments.positional.size() != 1 || !arguments.named.empty()) throw TemplateFault("loop() takes one argument");
  const TemplateRun::Deeper deeper(run);
  Letters text;
  Letters* const outer = std::exchange(run.out_, &text);
  try {
    run.loop(statement_, arguments.positional.front(), static_cast<const TemplateRun::Scope&>(around_), depth_ + 1);
  } catch (...) {
    run.out_ = outer;
    throw;
  }
  run.out_ = outer;
  return text;
}

// --- macros ---------------------------------------------------------------------------------------

Value TemplateRun::function(const Statement& statement, const Scope& around) {
  return Callable{statement.name, [&statement, &around](TemplateRun& run, Arguments& arguments) {
                    return run.call_function(statement, around, arguments);
                  }};
}

Value TemplateRun::call_function(const Statement& statement, const Scope& around, Arguments& arguments) {
  const Deeper deeper(*this);
  const std::string name = "macro '" + statement.name + "'";
  const std::size_t count = statement.parameters.size(), given = arguments.positional.size();
  if (given > count && !statement.uses_positional)
    throw TemplateFault(name + " takes at most " + std::to_string(count) + " arguments, not " + std::to_string(given));
  Scope& scope = open(statement.names, &around);
  const auto take_named = [&](const std::string& wanted) -> std::optional<Value> {
    for (auto at = arguments.named.begin(); at != arguments.named.end(); ++at) {
      if (at->first != wanted) continue;
      Value value = std::move(at->second);
      arguments.named.erase(at);
      return value;
    }
    return std::nullopt;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Parameter& parameter = statement.parameters[i];
    *find(scope, parameter.name) = i < given ? std::optional(arguments.positional[i]) : take_named(parameter.name);
  }
  if (statement.uses_caller) {
    const auto caller = take_named("caller");
    *find(scope, "caller") = caller && !caller->is_none() ? *caller : Value::undefined("No caller defined");
  }
  if (statement.uses_named) {
    std::vector<std::pair<Value, Value>> rest;
    for (auto& [key, value] : arguments.named) rest.emplace_back(Value(key), std::move(value));
    *find(scope, "kwargs") = Value::dict(std::move(rest));
  } else if (!arguments.named.empty()) {
    throw TemplateFault(name + " takes no argument named '" + arguments.named.front().first + "'");
  }
  if (statement.uses_positional) {
    const std::size_t taken = std::min(given, count);
    *find(scope, "varargs") = Value::tuple(
        Values(arguments.positional.begin() + static_cast<std::ptrdiff_t>(taken), arguments.positional.end()));
  }
  for (const Parameter& parameter : statement.parameters) {
    std::optional<Value>& value = *find(scope, parameter.name);
    if (value) continue;
    value = parameter.fallback ? evaluate(*parameter.fallback, scope)
                               : Value::undefined("parameter '" + parameter.name + "' was not provided");
  }
  Flow flow = Flow::on;
  return std::move(*captured(statement.body, scope, flow));
}

void TemplateRun::call_block(const Statement& statement, Scope& scope) {
  const Value caller = function(statement, scope);
  write_block(evaluate_call(*statement.expression, scope, &caller));
}

std::optional<Value> Namespace::attribute(TemplateRun&, const std::string& name) {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace rlaif::templates
