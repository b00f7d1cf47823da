// A chat template taken apart: expressions, statements, and which names each scope holds.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "values/value.hpp"

namespace rlaif::templates {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Statements = std::vector<std::unique_ptr<Statement>>;

enum class ExpressionKind {
  constant,    // value
  name,        // name
  space_name,  // items[0] is a name, name its attribute: what {% set a.b = ... %} assigns to
  list,
  tuple,      // items
  dict,       // items: key, value, key, value, ...
  attribute,  // items[0].name
  item,       // items[0][items[1]]
  slice,      // items[0][items[1] : items[2] : items[3]], of which the last three may be null
  call,       // items[0](call)
  filter,     // items[0] | name(call); items[0] is null where a block's text is filtered
  test,       // items[0] is name(call)
  negation,   // not items[0]
  minus,
  plus,        // one operand
  binary,      // items[0] name items[1], arithmetic
  concat,      // items joined as texts
  comparison,  // items[0] operators[0] items[1] operators[1] items[2] ...
  both,
  either,  // and, or
  choice,  // items[0] if items[1] else items[2], which may be null
};

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_positional, more_named;  // *a and **b
};

struct Expression {
  ExpressionKind kind;
  std::size_t line;
  std::string name;
  Value value;
  std::vector<ExpressionPtr> items;
  std::vector<std::string> operators;
  std::unique_ptr<CallArguments> call;
  int depth = 1;  // of expressions within each other
};

// How a name that a scope holds gets its first value there.
enum class NameSource {
  parameter,  // by whoever opens the scope
  resolve,    // from the variables of the rendering, or undefined
  alias,      // from the scope around
  missing,    // undefined until it is set
};
using ScopeNames = std::map<std::string, NameSource>;

enum class StatementKind {
  data,          // text
  print,         // expression
  loop,          // for target in expression if test: body, else other
  choice,        // branches, then other
  set,           // target = expression
  set_block,     // target = body, through filter
  macro,         // name(parameters): body
  call_block,    // expression called with body as its caller
  filter_block,  // body through filter
  with,          // targets = values: body
  scope,         // body alone ({% generation %})
  leave,
  next,  // break, continue
};

struct Parameter {
  std::string name;
  ExpressionPtr fallback;  // null: none
};

struct Branch {
  ExpressionPtr test;
  Statements body;
};

struct Statement {
  StatementKind kind;
  std::size_t line;
  Letters text;
  std::string name;
  ExpressionPtr target, expression, test;  // test: of a loop; the filter of a block
  Statements body, other;
  std::vector<Branch> branches;
  std::vector<Parameter> parameters;
  std::vector<ExpressionPtr> targets, values;
  bool recursive = false;
  bool uses_caller = false, uses_named = false, uses_positional = false;  // of a macro: caller, kwargs, varargs
  ScopeNames names, other_names, test_names;                              // of body, other and test
};

struct TemplateTree {
  Statements body;
  ScopeNames names;
};

// Says for every scope of the tree which names it holds, as jinja2's compiler settles it before a template runs: a name
// that is set anywhere in a scope belongs to it from its beginning.
void settle_names(TemplateTree& tree);

}  // namespace rlaif::templates
