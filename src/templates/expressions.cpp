#include "expressions.hpp"

#include <array>
#include <stdexcept>

#include "rlaif/core/error.hpp"

namespace rlaif::templates {

namespace {

std::string shown(const TemplateToken& token) {
  switch (token.kind) {
    case TokenKind::block_end: return "'%}'";
    case TokenKind::print_end: return "'}}'";
    case TokenKind::end: return "the end of the template";
    case TokenKind::string: return "a text";
    default: return "'" + to_utf8(token.text) + "'";
  }
}

}  // namespace

ExpressionParser::Deeper::Deeper(ExpressionParser& parser) : parser_(parser) {
  if (++parser_.depth_ > template_nesting)
    parser_.fail("more than " + std::to_string(template_nesting) + " levels stand within each other",
                 parser_.current().line);
}

const TemplateToken& ExpressionParser::take() {
  const TemplateToken& token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

void ExpressionParser::fail(const std::string& message, std::size_t line) const {
  throw input_error(file_, line, "chat template: " + message);
}

void ExpressionParser::unexpected(const std::string& expected) const {
  fail(shown(current()) + " is not what was expected: " + expected, current().line);
}

bool ExpressionParser::skip_name(std::string_view word) {
  if (!current().is_name(word)) return false;
  take();
  return true;
}

bool ExpressionParser::skip_sign(std::string_view sign) {
  if (!current().is_sign(sign)) return false;
  take();
  return true;
}

void ExpressionParser::expect_sign(std::string_view sign) {
  if (!skip_sign(sign)) unexpected("'" + std::string(sign) + "'");
}

void ExpressionParser::expect_name(std::string_view word) {
  if (!skip_name(word)) unexpected("'" + std::string(word) + "'");
}

std::string ExpressionParser::expect_any_name() {
  if (current().kind != TokenKind::name) unexpected("a name");
  return to_utf8(take().text);
}

void ExpressionParser::expect_block_end() {
  if (current().kind != TokenKind::block_end) unexpected("'%}'");
  take();
}

ExpressionPtr ExpressionParser::make(Kind kind, std::size_t line, std::vector<ExpressionPtr> items) const {
  auto expression = std::make_unique<Expression>(Expression{kind, line, {}, {}, std::move(items), {}, nullptr, 1});
  for (const ExpressionPtr& item : expression->items) {
    if (item) expression->depth = std::max(expression->depth, item->depth + 1);
  }
  if (expression->depth > template_row)
    fail("more than " + std::to_string(template_row) + " expressions build on each other", line);
  return expression;
}

ExpressionPtr ExpressionParser::in_a_row(std::initializer_list<const char*> signs,
                                         ExpressionPtr (ExpressionParser::*next)()) {
  const std::size_t line = current().line;
  ExpressionPtr left = (this->*next)();
  while (true) {
    const auto sign =
        std::find_if(signs.begin(), signs.end(), [&](const char* known) { return current().is_sign(known); });
    if (sign == signs.end()) return left;
    take();
    ExpressionPtr right = (this->*next)();
    left = make_of(Kind::binary, line, std::move(left), std::move(right));
    left->name = *sign;
  }
}

ExpressionPtr ExpressionParser::expression(bool with_choice) {
  const Deeper deeper(*this);
  return with_choice ? conditional() : either();
}

ExpressionPtr ExpressionParser::conditional() {
  const std::size_t line = current().line;
  ExpressionPtr first = either();
  while (skip_name("if")) {
    ExpressionPtr test = either();
    ExpressionPtr other = skip_name("else") ? expression() : nullptr;
    first = make_of(Kind::choice, line, std::move(first), std::move(test), std::move(other));
  }
  return first;
}

ExpressionPtr ExpressionParser::either() {
  const std::size_t line = current().line;
  ExpressionPtr left = both();
  while (skip_name("or")) {
    ExpressionPtr right = both();
    left = make_of(Kind::either, line, std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr ExpressionParser::both() {
  const std::size_t line = current().line;
  ExpressionPtr left = negation();
  while (skip_name("and")) {
    ExpressionPtr right = negation();
    left = make_of(Kind::both, line, std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr ExpressionParser::negation() {
  if (!current().is_name("not")) return comparison();
  const Deeper deeper(*this);
  const std::size_t line = take().line;
  return make_of(Kind::negation, line, negation());
}

std::string ExpressionParser::comparison_operator() {
  for (const char* sign : {"==", "!=", "<", "<=", ">", ">="}) {
    if (skip_sign(sign)) return sign;
  }
  if (skip_name("in")) return "in";
  if (current().is_name("not") && following().is_name("in")) {
    take(), take();
    return "not in";
  }
  return "";
}

ExpressionPtr ExpressionParser::comparison() {
  const std::size_t line = current().line;
  std::vector<ExpressionPtr> items;
  std::vector<std::string> operators;
  items.push_back(sum());
  for (std::string sign; !(sign = comparison_operator()).empty();) {
    operators.push_back(std::move(sign));
    items.push_back(sum());
  }
  if (operators.empty()) return std::move(items.front());
  ExpressionPtr result = make(Kind::comparison, line, std::move(items));
  result->operators = std::move(operators);
  return result;
}

ExpressionPtr ExpressionParser::sum() { return in_a_row({"+", "-"}, &ExpressionParser::concatenation); }

ExpressionPtr ExpressionParser::concatenation() {
  const std::size_t line = current().line;
  std::vector<ExpressionPtr> items;
  do items.push_back(product());
  while (skip_sign("~"));
  return items.size() == 1 ? std::move(items.front()) : make(Kind::concat, line, std::move(items));
}

ExpressionPtr ExpressionParser::product() { return in_a_row({"*", "/", "//", "%"}, &ExpressionParser::power); }

ExpressionPtr ExpressionParser::power() { return in_a_row({"**"}, &ExpressionParser::filtered_unary); }

ExpressionPtr ExpressionParser::unary(bool with_filter) {
  const Deeper deeper(*this);
  const std::size_t line = current().line;
  ExpressionPtr node;
  if (skip_sign("-"))
    node = make_of(Kind::minus, line, unary(false));
  else if (skip_sign("+"))
    node = make_of(Kind::plus, line, unary(false));
  else
    node = primary();
  node = postfix(std::move(node));
  return with_filter ? filtered(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::constant(Value value, std::size_t line) const {
  ExpressionPtr node = make(Kind::constant, line);
  node->value = std::move(value);
  return node;
}

ExpressionPtr ExpressionParser::primary(bool with_space_name) {
  const TemplateToken& token = current();
  switch (token.kind) {
    case TokenKind::name: return name(with_space_name);
    case TokenKind::string: {
      Letters text;
      while (current().kind == TokenKind::string) text += take().text;
      return constant(std::move(text), token.line);
    }
    case TokenKind::integer:
    case TokenKind::real: return number();
    case TokenKind::sign: break;
    default: unexpected("an expression");
  }
  if (skip_sign("(")) {
    ExpressionPtr node = tuple(true, "", true);
    expect_sign(")");
    return node;
  }
  if (skip_sign("[")) return make(Kind::list, token.line, listed("]", false));
  if (skip_sign("{")) return make(Kind::dict, token.line, listed("}", true));
  unexpected("an expression");
}

ExpressionPtr ExpressionParser::name(bool with_space_name) {
  const TemplateToken& token = take();
  for (const char* word : {"true", "True", "false", "False"}) {
    if (token.is_name(word)) return constant(word[0] == 't' || word[0] == 'T', token.line);
  }
  if (token.is_name("none") || token.is_name("None")) return constant({}, token.line);
  ExpressionPtr node = make(Kind::name, token.line);
  node->name = to_utf8(token.text);
  if (!with_space_name || !skip_sign(".")) return node;
  node = make_of(Kind::space_name, token.line, std::move(node));
  node->name = expect_any_name();
  return node;
}

ExpressionPtr ExpressionParser::number() {
  const TemplateToken& token = take();
  const std::string digits = to_utf8(token.text);
  try {
    if (token.kind == TokenKind::real) return constant(std::stod(digits), token.line);
    return constant(static_cast<std::int64_t>(std::stoll(digits)), token.line);
  } catch (const std::out_of_range&) {
    fail("the number " + digits.substr(0, 40) + " is too large; expected one of 64 bits", token.line);
  }
}

// Items up to the closing bracket, as pairs where they are a dictionary's.
std::vector<ExpressionPtr> ExpressionParser::listed(std::string_view close, bool pairs) {
  std::vector<ExpressionPtr> items;
  while (!current().is_sign(close)) {
    if (!items.empty()) expect_sign(",");
    if (current().is_sign(close)) break;
    items.push_back(expression());
    if (!pairs) continue;
    expect_sign(":");
    items.push_back(expression());
  }
  take();
  return items;
}

ExpressionPtr ExpressionParser::tuple(bool with_choice, std::string_view end, bool in_brackets) {
  const std::size_t line = current().line;
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
  while (!tuple_ends(end)) {
    items.push_back(expression(with_choice));
    if (!skip_sign(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return std::move(items.front());
  if (!is_tuple && !in_brackets) unexpected("an expression");
  return make(Kind::tuple, line, std::move(items));
}

bool ExpressionParser::tuple_ends(std::string_view end) const {
  const TokenKind kind = current().kind;
  return kind == TokenKind::print_end || kind == TokenKind::block_end || current().is_sign(")") ||
         (!end.empty() && current().is_name(end));
}

ExpressionPtr ExpressionParser::target(bool with_space_name, std::string_view end) {
  const std::size_t line = current().line;
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
  while (!tuple_ends(end)) {
    items.push_back(primary(with_space_name));
    require_target(*items.back());
    if (!skip_sign(",")) break;
    is_tuple = true;
  }
  if (items.empty()) unexpected("a name to assign to");
  return is_tuple ? make(Kind::tuple, line, std::move(items)) : std::move(items.front());
}

void ExpressionParser::require_target(const Expression& node) const {
  if (node.kind == Kind::name || node.kind == Kind::space_name) {
    if (node.kind == Kind::name && node.name == "loop" && loops_ > 0)
      fail("'loop' cannot be assigned to within a loop", node.line);
    return;
  }
  if (node.kind != Kind::tuple)
    fail("only names, attributes of namespaces and tuples of them can be assigned to", node.line);
  for (const auto& item : node.items) require_target(*item);
}

// A row of attributes, items, calls.
ExpressionPtr ExpressionParser::postfix(ExpressionPtr node) {
  while (true) {
    if (current().is_sign(".") || current().is_sign("["))
      node = subscript(std::move(node));
    else if (current().is_sign("("))
      node = called(std::move(node));
    else
      return node;
  }
}

ExpressionPtr ExpressionParser::called(ExpressionPtr node) {
  const std::size_t line = current().line;
  auto call = arguments();
  node = make_of(Kind::call, line, std::move(node));
  node->call = std::move(call);
  return node;
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr node) {
  const std::size_t line = current().line;
  if (skip_sign(".")) {
    const TemplateToken& token = current();
    if (token.kind == TokenKind::integer) return make_of(Kind::item, line, std::move(node), number());
    node = make_of(Kind::attribute, line, std::move(node));
    node->name = expect_any_name();
    return node;
  }
  take();
  std::vector<ExpressionPtr> parts(3);
  bool sliced = false;
  if (!current().is_sign(":")) parts[0] = expression();
  for (std::size_t i = 1; i < 3 && skip_sign(":"); ++i) {
    sliced = true;
    if (!current().is_sign(":") && !current().is_sign("]")) parts[i] = expression();
  }
  if (current().is_sign(",")) fail("several subscripts in one pair of brackets are not covered", line);
  expect_sign("]");
  if (!sliced) return make_of(Kind::item, line, std::move(node), std::move(parts[0]));
  return make_of(Kind::slice, line, std::move(node), std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
}

std::unique_ptr<CallArguments> ExpressionParser::arguments() {
  auto call = std::make_unique<CallArguments>();
  const std::size_t line = current().line;
  expect_sign("(");
  for (bool first = true; !current().is_sign(")"); first = false) {
    if (!first) expect_sign(",");
    if (current().is_sign(")")) break;
    const bool plain = !call->more_positional && !call->more_named;
    if (skip_sign("*")) {
      if (!plain) fail("a call has arguments in an order that is not valid", line);
      call->more_positional = expression();
    } else if (skip_sign("**")) {
      if (call->more_named) fail("a call has arguments in an order that is not valid", line);
      call->more_named = expression();
    } else if (current().kind == TokenKind::name && following().is_sign("=")) {
      std::string name = to_utf8(take().text);
      take();
      if (call->more_named) fail("a call has arguments in an order that is not valid", line);
      call->named.emplace_back(std::move(name), expression());
    } else {
      if (!plain || !call->named.empty()) fail("a call has arguments in an order that is not valid", line);
      call->positional.push_back(expression());
    }
  }
  take();
  return call;
}

// A row of filters, tests and calls.
ExpressionPtr ExpressionParser::filtered(ExpressionPtr node) {
  while (true) {
    if (current().is_sign("|"))
      node = filters(std::move(node), false);
    else if (current().is_name("is"))
      node = test(std::move(node));
    else if (current().is_sign("("))
      node = called(std::move(node));
    else
      return node;
  }
}

std::string ExpressionParser::dotted_name() {
  std::string name = expect_any_name();
  while (skip_sign(".")) name += "." + expect_any_name();
  return name;
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr node, bool begun) {
  while (begun || skip_sign("|")) {
    begun = false;
    const std::size_t line = current().line;
    const std::string name = dotted_name();
    auto call = current().is_sign("(") ? arguments() : std::make_unique<CallArguments>();
    node = make_of(Kind::filter, line, std::move(node));
    node->name = name;
    node->call = std::move(call);
  }
  return node;
}

bool ExpressionParser::begins_argument() const {
  const TemplateToken& token = current();
  if (token.kind == TokenKind::name) return !token.is_name("else") && !token.is_name("or") && !token.is_name("and");
  const bool literal =
      token.kind == TokenKind::string || token.kind == TokenKind::integer || token.kind == TokenKind::real;
  return literal || token.is_sign("[") || token.is_sign("{");
}

ExpressionPtr ExpressionParser::test(ExpressionPtr node) {
  const std::size_t line = take().line;
  const bool negated = skip_name("not");
  const std::string name = dotted_name();
  auto call = std::make_unique<CallArguments>();
  if (current().is_sign("(")) {
    call = arguments();
  } else if (begins_argument()) {
    if (current().is_name("is")) fail("tests cannot be chained by 'is'", current().line);
    call->positional.push_back(postfix(primary()));
  }
  node = make_of(Kind::test, line, std::move(node));
  node->name = name;
  node->call = std::move(call);
  return negated ? make_of(Kind::negation, line, std::move(node)) : std::move(node);
}

}  // namespace rlaif::templates
