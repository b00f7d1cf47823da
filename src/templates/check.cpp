// Filters and tests that a template names and nobody knows.
#include "parser.hpp"
#include "rlaif/core/error.hpp"
#include "values/filters.hpp"

namespace rlaif::templates {
namespace {

using Kind = ExpressionKind;

// Filters and tests that nobody knows are refused at once, but where their place may never be reached, when it is: so
// does jinja2, and templates ask for filters that only some programs have.
class NameCheck {
 public:
  explicit NameCheck(const std::filesystem::path& file) : file_(file) {}

  void statements(const Statements& body, bool may_be_skipped) const {
    for (const auto& statement : body) this->statement(*statement, may_be_skipped);
  }

 private:
  void statement(const Statement& statement, bool may_be_skipped) const {
    const bool filters_text =
        statement.kind == StatementKind::filter_block || statement.kind == StatementKind::set_block;
    expression(statement.expression.get(), may_be_skipped);
    expression(statement.test.get(), may_be_skipped && !filters_text);
    for (const auto& value : statement.values) expression(value.get(), may_be_skipped);
    for (const Parameter& parameter : statement.parameters) expression(parameter.fallback.get(), false);
    for (const Branch& branch : statement.branches) {
      expression(branch.test.get(), true);
      statements(branch.body, true);
    }
    statements(statement.body, false);
    statements(statement.other, statement.kind == StatementKind::choice);
  }

  void expression(const Expression* node, bool may_be_skipped) const {
    if (node == nullptr) return;
    may_be_skipped = may_be_skipped || node->kind == Kind::choice;
    if (!may_be_skipped && node->kind == Kind::filter && find_filter(node->name) == nullptr)
      fail(unknown_filter(node->name), node->line);
    if (!may_be_skipped && node->kind == Kind::test && find_test(node->name) == nullptr)
      fail(unknown_test(node->name), node->line);
    for (const auto& item : node->items) expression(item.get(), may_be_skipped);
    if (!node->call) return;
    for (const auto& argument : node->call->positional) expression(argument.get(), may_be_skipped);
    for (const auto& argument : node->call->named) expression(argument.second.get(), may_be_skipped);
    expression(node->call->more_positional.get(), may_be_skipped);
    expression(node->call->more_named.get(), may_be_skipped);
  }

  [[noreturn]] void fail(const std::string& message, std::size_t line) const {
    throw input_error(file_, line, "chat template: " + message);
  }

  const std::filesystem::path& file_;
};

}  // namespace

void check_filters(const Statements& body, const std::filesystem::path& file) {
  NameCheck(file).statements(body, false);
}

}  // namespace rlaif::templates
