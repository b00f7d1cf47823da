#include "template_parser.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "rlaif/core/error.hpp"
#include "template_filters.hpp"
#include "template_lexer.hpp"

namespace rlaif::text {
namespace {

constexpr int kDeepest = 100;       // statements and bracketed expressions within each other
constexpr int kDeepestTree = 300;   // expressions, with those that stand in a row

using Kind = ExpressionKind;

// Filters and tests that nobody knows are refused at once, but where their place may never be reached, when it is: so does
// jinja2, and templates ask for filters that only some programs have.
class NameCheck {
 public:
  explicit NameCheck(const std::filesystem::path& file) : file_(file) {}

  void statements(const Statements& body, bool may_be_skipped) const {
    for (const auto& statement : body) this->statement(*statement, may_be_skipped);
  }

 private:
  void statement(const Statement& statement, bool may_be_skipped) const {
    const bool filters_text = statement.kind == StatementKind::filter_block || statement.kind == StatementKind::set_block;
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
    if (!may_be_skipped && node->kind == Kind::filter && find_filter(node->name) == nullptr) fail(unknown_filter(node->name), node->line);
    if (!may_be_skipped && node->kind == Kind::test && find_test(node->name) == nullptr) fail(unknown_test(node->name), node->line);
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

class Parser {
 public:
  Parser(std::string_view source, const std::filesystem::path& file) : tokens_(template_tokens(source, file)), file_(file) {}

  TemplateTree tree() {
    TemplateTree tree{statements({}), {}};
    NameCheck(file_).statements(tree.body, false);
    settle_names(tree);
    return tree;
  }

 private:
  // --- tokens -----------------------------------------------------------------------------------
  const TemplateToken& current() const { return tokens_[at_]; }
  const TemplateToken& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const TemplateToken& take() {
    const TemplateToken& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }

  [[noreturn]] void fail(const std::string& message, std::size_t line) const {
    throw input_error(file_, line, "chat template: " + message);
  }

  static std::string shown(const TemplateToken& token) {
    switch (token.kind) {
      case TokenKind::block_end: return "'%}'";
      case TokenKind::print_end: return "'}}'";
      case TokenKind::end: return "the end of the template";
      case TokenKind::string: return "a text";
      default: return "'" + to_utf8(token.text) + "'";
    }
  }

  [[noreturn]] void unexpected(const std::string& expected) const {
    fail(shown(current()) + " is not what was expected: " + expected, current().line);
  }

  bool skip_name(std::string_view word) {
    if (!current().is_name(word)) return false;
    take();
    return true;
  }
  bool skip_sign(std::string_view sign) {
    if (!current().is_sign(sign)) return false;
    take();
    return true;
  }
  void expect_sign(std::string_view sign) {
    if (!skip_sign(sign)) unexpected("'" + std::string(sign) + "'");
  }
  void expect_name(std::string_view word) {
    if (!skip_name(word)) unexpected("'" + std::string(word) + "'");
  }
  std::string expect_any_name() {
    if (current().kind != TokenKind::name) unexpected("a name");
    return to_utf8(take().text);
  }
  void expect_block_end() {
    if (current().kind != TokenKind::block_end) unexpected("'%}'");
    take();
  }

  // Counts what stands within each other, so that no template makes the parser recurse without end.
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kDeepest)
        parser_.fail("more than " + std::to_string(kDeepest) + " levels stand within each other", parser_.current().line);
    }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Parser& parser_;
  };

  // --- statements -------------------------------------------------------------------------------
  std::unique_ptr<Statement> make(StatementKind kind, std::size_t line) const {
    auto statement = std::make_unique<Statement>();
    statement->kind = kind;
    statement->line = line;
    return statement;
  }

  // Up to a tag that begins with one of the words, which is not taken; none: to the end of the template.
  Statements statements(std::initializer_list<std::string_view> ends) {
    const Deeper deeper(*this);
    Statements body;
    while (true) {
      const TemplateToken& token = current();
      if (token.kind == TokenKind::end) {
        if (ends.size() == 0) return body;
        fail("the template ends within a block; expected '{% " + std::string(*(ends.end() - 1)) + " %}'", token.line);
      }
      if (token.kind == TokenKind::data) {
        body.push_back(make(StatementKind::data, token.line));
        body.back()->text = take().text;
      } else if (token.kind == TokenKind::print_begin) {
        take();
        body.push_back(make(StatementKind::print, token.line));
        body.back()->expression = tuple(true);
        if (current().kind != TokenKind::print_end) unexpected("'}}'");
        take();
      } else {
        take();
        if (std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return current().is_name(end); })) return body;
        statement(body);
        expect_block_end();
      }
    }
  }

  // The body of a block tag, whose own end stands next, up to one of the words.
  Statements block(std::initializer_list<std::string_view> ends) {
    skip_sign(":");
    expect_block_end();
    return statements(ends);
  }

  void statement(Statements& body) {
    const std::size_t line = current().line;
    if (current().kind != TokenKind::name) unexpected("the name of a tag");
    const std::string tag = to_utf8(current().text);
    if (tag == "for") return body.push_back(loop());
    if (tag == "if") return body.push_back(choice());
    if (tag == "set") return body.push_back(set());
    if (tag == "macro") return body.push_back(macro());
    if (tag == "call") return body.push_back(call_block());
    take();
    if (tag == "print") {
      for (bool first = true; current().kind != TokenKind::block_end; first = false) {
        if (!first) expect_sign(",");
        body.push_back(make(StatementKind::print, line));
        body.back()->expression = expression();
      }
    } else if (tag == "filter") {
      body.push_back(make(StatementKind::filter_block, line));
      body.back()->test = filters(nullptr, true);
      body.back()->body = block({"endfilter"});
      take();
    } else if (tag == "with") {
      body.push_back(with(line));
    } else if (tag == "generation") {
      body.push_back(make(StatementKind::scope, line));
      in_scope(*body.back(), "endgeneration");
    } else if (tag == "break" || tag == "continue") {
      if (loops_ == 0) fail("'" + tag + "' stands outside of a loop", line);
      body.push_back(make(tag == "break" ? StatementKind::leave : StatementKind::next, line));
    } else {
      fail("the tag '" + tag + "' is not known; expected for, if, set, macro, call, filter, with, raw, print, generation, "
           "break or continue, or what ends one that is open", line);
    }
  }

  // A function's body: a loop around it cannot be left from within.
  void in_scope(Statement& statement, std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    statement.body = block({end});
    loops_ = loops;
    take();
  }

  std::unique_ptr<Statement> loop() {
    auto loop = make(StatementKind::loop, take().line);
    loop->target = target(false, "in");
    expect_name("in");
    loop->expression = tuple(false, "recursive");
    if (skip_name("if")) loop->test = expression();
    loop->recursive = skip_name("recursive");
    ++loops_;
    loop->body = block({"else", "endfor"});
    --loops_;
    if (skip_name("else")) loop->other = block({"endfor"});
    take();
    return loop;
  }

  std::unique_ptr<Statement> choice() {
    auto choice = make(StatementKind::choice, current().line);
    while (skip_name("if") || skip_name("elif")) {
      ExpressionPtr test = tuple(false);
      choice->branches.push_back({std::move(test), block({"elif", "else", "endif"})});
    }
    if (skip_name("else")) choice->other = block({"endif"});
    expect_name("endif");
    return choice;
  }

  std::unique_ptr<Statement> set() {
    auto set = make(StatementKind::set, take().line);
    set->target = target(true);
    if (skip_sign("=")) {
      set->expression = tuple(true);
      return set;
    }
    set->kind = StatementKind::set_block;
    set->test = filters(nullptr, false);
    set->body = block({"endset"});
    take();
    return set;
  }

  void parameters(Statement& statement) {
    expect_sign("(");
    while (!current().is_sign(")")) {
      if (!statement.parameters.empty()) expect_sign(",");
      Parameter parameter{expect_any_name(), nullptr};
      if (skip_sign("="))
        parameter.fallback = expression();
      else if (!statement.parameters.empty() && statement.parameters.back().fallback)
        fail("the parameter '" + parameter.name + "' without a default follows one with a default", current().line);
      statement.parameters.push_back(std::move(parameter));
    }
    take();
  }

  std::unique_ptr<Statement> macro() {
    auto macro = make(StatementKind::macro, take().line);
    macro->name = expect_any_name();
    parameters(*macro);
    function_body(*macro, "endmacro");
    return macro;
  }

  std::unique_ptr<Statement> call_block() {
    auto call = make(StatementKind::call_block, take().line);
    call->name = "caller";
    if (current().is_sign("(")) parameters(*call);
    call->expression = expression();
    if (call->expression->kind != Kind::call) fail("'call' expects the call of a macro", call->line);
    function_body(*call, "endcall");
    return call;
  }

  // Body of a macro. Whether it names caller, kwargs or varargs decides what it takes.
  void function_body(Statement& statement, std::string_view end) {
    const std::size_t begin = at_;
    in_scope(statement, end);
    const auto names = [&](std::string_view word) {
      if (std::any_of(statement.parameters.begin(), statement.parameters.end(), [&](const Parameter& parameter) { return parameter.name == word; }))
        return false;
      for (std::size_t i = begin; i < at_; ++i) {
        const bool attribute = i > 0 && tokens_[i - 1].is_sign("."), keyword = tokens_[i + 1].is_sign("=");
        if (tokens_[i].is_name(word) && !attribute && !keyword) return true;
      }
      return false;
    };
    statement.uses_caller = names("caller");
    statement.uses_named = names("kwargs");
    statement.uses_positional = names("varargs");
  }

  std::unique_ptr<Statement> with(std::size_t line) {
    auto with = make(StatementKind::with, line);
    while (current().kind != TokenKind::block_end) {
      if (!with->targets.empty()) expect_sign(",");
      with->targets.push_back(target(false));
      expect_sign("=");
      with->values.push_back(expression());
    }
    with->body = block({"endwith"});
    take();
    return with;
  }

  // --- expressions ------------------------------------------------------------------------------
  ExpressionPtr make(Kind kind, std::size_t line, std::vector<ExpressionPtr> items = {}) const {
    auto expression = std::make_unique<Expression>(Expression{kind, line, {}, {}, std::move(items), {}, nullptr, 1});
    for (const ExpressionPtr& item : expression->items) {
      if (item) expression->depth = std::max(expression->depth, item->depth + 1);
    }
    if (expression->depth > kDeepestTree)
      fail("more than " + std::to_string(kDeepestTree) + " expressions build on each other", line);
    return expression;
  }

  template <class... Items>
  ExpressionPtr make_of(Kind kind, std::size_t line, Items... items) const {
    std::vector<ExpressionPtr> all;
    (all.push_back(std::move(items)), ...);
    return make(kind, line, std::move(all));
  }

  ExpressionPtr expression(bool with_choice = true) {
    const Deeper deeper(*this);
    return with_choice ? conditional() : either();
  }

  ExpressionPtr conditional() {
    const std::size_t line = current().line;
    ExpressionPtr first = either();
    while (skip_name("if")) {
      ExpressionPtr test = either();
      ExpressionPtr other = skip_name("else") ? expression() : nullptr;
      first = make_of(Kind::choice, line, std::move(first), std::move(test), std::move(other));
    }
    return first;
  }

  ExpressionPtr either() {
    const std::size_t line = current().line;
    ExpressionPtr left = both();
    while (skip_name("or")) {
      ExpressionPtr right = both();
      left = make_of(Kind::either, line, std::move(left), std::move(right));
    }
    return left;
  }

  ExpressionPtr both() {
    const std::size_t line = current().line;
    ExpressionPtr left = negation();
    while (skip_name("and")) {
      ExpressionPtr right = negation();
      left = make_of(Kind::both, line, std::move(left), std::move(right));
    }
    return left;
  }

  ExpressionPtr negation() {
    if (!current().is_name("not")) return comparison();
    const Deeper deeper(*this);
    const std::size_t line = take().line;
    return make_of(Kind::negation, line, negation());
  }

  std::string comparison_operator() {
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

  ExpressionPtr comparison() {
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

  // Operators of one rank, from left to right.
  template <class Next>
  ExpressionPtr in_a_row(std::initializer_list<const char*> signs, Next next) {
    const std::size_t line = current().line;
    ExpressionPtr left = next();
    while (true) {
      const auto sign = std::find_if(signs.begin(), signs.end(), [&](const char* known) { return current().is_sign(known); });
      if (sign == signs.end()) return left;
      take();
      ExpressionPtr right = next();
      left = make_of(Kind::binary, line, std::move(left), std::move(right));
      left->name = *sign;
    }
  }

  ExpressionPtr sum() {
    return in_a_row({"+", "-"}, [this] { return concatenation(); });
  }

  ExpressionPtr concatenation() {
    const std::size_t line = current().line;
    std::vector<ExpressionPtr> items;
    do items.push_back(product());
    while (skip_sign("~"));
    return items.size() == 1 ? std::move(items.front()) : make(Kind::concat, line, std::move(items));
  }

  ExpressionPtr product() {
    return in_a_row({"*", "/", "//", "%"}, [this] { return power(); });
  }

  ExpressionPtr power() {
    return in_a_row({"**"}, [this] { return unary(true); });
  }

  ExpressionPtr unary(bool with_filter) {
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

  ExpressionPtr constant(Value value, std::size_t line) const {
    ExpressionPtr node = make(Kind::constant, line);
    node->value = std::move(value);
    return node;
  }

  ExpressionPtr primary(bool with_space_name = false) {
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

  ExpressionPtr name(bool with_space_name) {
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

  ExpressionPtr number() {
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
  std::vector<ExpressionPtr> listed(std::string_view close, bool pairs) {
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

  // An expression, or several with commas between them, which are a tuple. `end`: a word that ends it.
  ExpressionPtr tuple(bool with_choice, std::string_view end = "", bool in_brackets = false) {
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

  bool tuple_ends(std::string_view end) const {
    const TokenKind kind = current().kind;
    return kind == TokenKind::print_end || kind == TokenKind::block_end || current().is_sign(")") || (!end.empty() && current().is_name(end));
  }

  // What is assigned to: a name, a namespace's attribute, or a tuple of them.
  ExpressionPtr target(bool with_space_name, std::string_view end = "") {
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

  void require_target(const Expression& node) const {
    if (node.kind == Kind::name || node.kind == Kind::space_name) {
      if (node.kind == Kind::name && node.name == "loop" && loops_ > 0) fail("'loop' cannot be assigned to within a loop", node.line);
      return;
    }
    if (node.kind != Kind::tuple) fail("only names, attributes of namespaces and tuples of them can be assigned to", node.line);
    for (const auto& item : node.items) require_target(*item);
  }

  // A row of attributes, items, calls.
  ExpressionPtr postfix(ExpressionPtr node) {
    while (true) {
      if (current().is_sign(".") || current().is_sign("["))
        node = subscript(std::move(node));
      else if (current().is_sign("("))
        node = called(std::move(node));
      else
        return node;
    }
  }

  ExpressionPtr called(ExpressionPtr node) {
    const std::size_t line = current().line;
    auto call = arguments();
    node = make_of(Kind::call, line, std::move(node));
    node->call = std::move(call);
    return node;
  }

  ExpressionPtr subscript(ExpressionPtr node) {
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

  std::unique_ptr<CallArguments> arguments() {
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
  ExpressionPtr filtered(ExpressionPtr node) {
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

  std::string dotted_name() {
    std::string name = expect_any_name();
    while (skip_sign(".")) name += "." + expect_any_name();
    return name;
  }

  ExpressionPtr filters(ExpressionPtr node, bool begun) {
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

  bool begins_argument() const {
    const TemplateToken& token = current();
    if (token.kind == TokenKind::name) return !token.is_name("else") && !token.is_name("or") && !token.is_name("and");
    const bool literal = token.kind == TokenKind::string || token.kind == TokenKind::integer || token.kind == TokenKind::real;
    return literal || token.is_sign("[") || token.is_sign("{");
  }

  ExpressionPtr test(ExpressionPtr node) {
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

  const std::vector<TemplateToken> tokens_;
  const std::filesystem::path& file_;
  std::size_t at_ = 0;
  int depth_ = 0, loops_ = 0;
};

}  // namespace

TemplateTree parse_template(std::string_view source, const std::filesystem::path& file) {
  return Parser(source, file).tree();
}

}  // namespace rlaif::text
