// Which scope a name belongs to. Loops, macros, blocks that are set, filtered or called, and `with` open scopes; `if`
// does not.
#include <set>

#include "tree.hpp"

namespace rlaif::templates {
namespace {

// The names that a scope has met so far, and the scopes around it.
class Names {
 public:
  explicit Names(const Names* around) : around_(around) {}

  bool knows(const std::string& name) const { return sources_.contains(name) || (around_ && around_->knows(name)); }

  void load(const std::string& name) {
    if (!knows(name)) sources_[name] = NameSource::resolve;
  }
  void parameter(const std::string& name) {
    stored_.insert(name);
    sources_[name] = NameSource::parameter;
  }
  void store(const std::string& name) {
    stored_.insert(name);
    if (sources_.contains(name)) return;
    sources_[name] = around_ && around_->knows(name) ? NameSource::alias : NameSource::missing;
  }
  // What the branches of a condition met: a name that one of them sets has its earlier value in the others.
  void join(const std::vector<Names>& branches) {
    std::set<std::string> set_in_some;
    for (const Names& branch : branches) {
      for (const std::string& name : branch.stored_) {
        if (!stored_.contains(name)) set_in_some.insert(name);
      }
    }
    for (const Names& branch : branches) {
      for (const auto& [name, source] : branch.sources_) sources_[name] = source;
      stored_.insert(branch.stored_.begin(), branch.stored_.end());
    }
    for (const std::string& name : set_in_some)
      sources_[name] = around_ && around_->knows(name) ? NameSource::alias : NameSource::resolve;
  }
  const ScopeNames& sources() const { return sources_; }

 private:
  const Names* around_;
  ScopeNames sources_;
  std::set<std::string> stored_;
};

void settle(Statements& body, Names& names);

void meet(const Expression* expression, Names& names);

void meet_call(const CallArguments* call, Names& names) {
  if (call == nullptr) return;
  for (const auto& argument : call->positional) meet(argument.get(), names);
  for (const auto& [name, argument] : call->named) meet(argument.get(), names);
  meet(call->more_positional.get(), names);
  meet(call->more_named.get(), names);
}

void meet(const Expression* expression, Names& names) {
  if (expression == nullptr) return;
  if (expression->kind == ExpressionKind::name) names.load(expression->name);
  for (const auto& item : expression->items) meet(item.get(), names);
  meet_call(expression->call.get(), names);
}

void meet_target(const Expression& target, Names& names, bool as_parameter) {
  if (target.kind == ExpressionKind::space_name) return meet(target.items.front().get(), names);
  if (target.kind == ExpressionKind::name)
    return as_parameter ? names.parameter(target.name) : names.store(target.name);
  for (const auto& item : target.items) meet_target(*item, names, as_parameter);
}

// What a statement says in the scope that it stands in. Scopes of its own are settled when that one is known as a
// whole.
void meet_statement(const Statement& statement, Names& names) {
  switch (statement.kind) {
    case StatementKind::data:
    case StatementKind::leave:
    case StatementKind::next:
    case StatementKind::scope: return;
    case StatementKind::print:
    case StatementKind::loop:
    case StatementKind::call_block: return meet(statement.expression.get(), names);
    case StatementKind::filter_block: return meet(statement.test.get(), names);
    case StatementKind::set:
      meet(statement.expression.get(), names);
      return meet_target(*statement.target, names, false);
    case StatementKind::set_block: return meet_target(*statement.target, names, false);
    case StatementKind::macro: return names.store(statement.name);
    case StatementKind::with:
      for (const auto& value : statement.values) meet(value.get(), names);
      return;
    case StatementKind::choice: break;
  }
  // The first test, then the bodies of if, of all elifs with their tests, and of else, side by side.
  meet(statement.branches.front().test.get(), names);
  std::vector<Names> branches(3, names);
  const auto meet_all = [](const Statements& body, Names& into) {
    for (const auto& inner : body) meet_statement(*inner, into);
  };
  meet_all(statement.branches.front().body, branches[0]);
  for (std::size_t i = 1; i < statement.branches.size(); ++i) {
    Names& elifs = branches[1];
    meet(statement.branches[i].test.get(), elifs);
    std::vector<Names> inner(3, elifs);
    meet_all(statement.branches[i].body, inner[0]);
    elifs.join(inner);
  }
  meet_all(statement.other, branches[2]);
  names.join(branches);
}

void meet_body(Statements& body, Names& names) {
  for (const auto& statement : body) meet_statement(*statement, names);
}

void settle_loop(Statement& statement, const Names& around) {
  Names body(&around), other(&around), test(&around);
  body.parameter("loop");
  meet_target(*statement.target, body, true);
  meet_body(statement.body, body);
  settle(statement.body, body);
  statement.names = body.sources();
  meet_body(statement.other, other);
  settle(statement.other, other);
  statement.other_names = other.sources();
  if (statement.test) {
    meet_target(*statement.target, test, true);
    meet(statement.test.get(), test);
    statement.test_names = test.sources();
  }
}

// Settles what opens scopes among the statements of a scope whose own names are known.
void settle(Statements& body, Names& names) {
  for (const auto& statement : body) {
    switch (statement->kind) {
      case StatementKind::loop: settle_loop(*statement, names); break;
      case StatementKind::choice:
        for (Branch& branch : statement->branches) settle(branch.body, names);
        settle(statement->other, names);
        break;
      case StatementKind::set_block:
      case StatementKind::macro:
      case StatementKind::call_block:
      case StatementKind::filter_block:
      case StatementKind::with:
      case StatementKind::scope: {
        Names own(&names);
        for (const Parameter& parameter : statement->parameters) own.parameter(parameter.name);
        if (statement->uses_caller) own.parameter("caller");
        if (statement->uses_named) own.parameter("kwargs");
        if (statement->uses_positional) own.parameter("varargs");
        for (const Parameter& parameter : statement->parameters) meet(parameter.fallback.get(), own);
        if (statement->kind == StatementKind::filter_block || statement->kind == StatementKind::set_block)
          meet(statement->test.get(), own);
        for (const auto& target : statement->targets) meet_target(*target, own, true);
        meet_body(statement->body, own);
        settle(statement->body, own);
        statement->names = own.sources();
        break;
      }
      default: break;
    }
  }
}

}  // namespace

void settle_names(TemplateTree& tree) {
  Names names(nullptr);
  meet_body(tree.body, names);
  settle(tree.body, names);
  tree.names = names.sources();
}

}  // namespace rlaif::templates
