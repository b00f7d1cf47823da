#include "parser.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "expressions.hpp"

namespace rlaif::templates {
namespace {

class StatementParser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  TemplateTree tree() {
    TemplateTree tree{statements({}), {}};
    check_filters(tree.body, file_);
    settle_names(tree);
    return tree;
  }

 private:
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
        if (std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return current().is_name(end); }))
          return body;
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
      fail("the tag '" + tag +
               "' is not known; expected for, if, set, macro, call, filter, with, raw, print, generation, "
               "break or continue, or what ends one that is open",
           line);
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
      if (std::any_of(statement.parameters.begin(), statement.parameters.end(),
                      [&](const Parameter& parameter) { return parameter.name == word; }))
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
};

}  // namespace

TemplateTree parse_template(std::string_view source, const std::filesystem::path& file) {
  return StatementParser(source, file).tree();
}

}  // namespace rlaif::templates
