// The expressions of chat templates, from the loosest binding (if, or, and) to the tightest (calls, items).
#pragma once

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lexer.hpp"
#include "tree.hpp"

namespace rlaif::templates {

constexpr int template_nesting = 100;  // statements and bracketed expressions within each other
constexpr int template_row = 300;      // expressions that build on each other, those in a row included

class ExpressionParser {
 public:
  ExpressionParser(std::string_view source, const std::filesystem::path& file)
      : tokens_(template_tokens(source, file)), file_(file) {}

 protected:
  using Kind = ExpressionKind;

  // --- tokens -----------------------------------------------------------------------------------
  const TemplateToken& current() const { return tokens_[at_]; }
  const TemplateToken& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const TemplateToken& take();
  [[noreturn]] void fail(const std::string& message, std::size_t line) const;
  [[noreturn]] void unexpected(const std::string& expected) const;
  bool skip_name(std::string_view word);
  bool skip_sign(std::string_view sign);
  void expect_sign(std::string_view sign);
  void expect_name(std::string_view word);
  std::string expect_any_name();
  void expect_block_end();

  // Counts what stands within each other, so that no template makes the parser recurse without end.
  class Deeper {
   public:
    explicit Deeper(ExpressionParser& parser);
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    ExpressionParser& parser_;
  };

  // --- what statements ask for ------------------------------------------------------------------
  ExpressionPtr expression(bool with_choice = true);  // with_choice: a if b else c may stand here
  // An expression, or several with commas between them, which are a tuple. `end`: a word that ends it.
  ExpressionPtr tuple(bool with_choice, std::string_view end = "", bool in_brackets = false);
  // What is assigned to: a name, a namespace's attribute, or a tuple of them.
  ExpressionPtr target(bool with_space_name, std::string_view end = "");
  // A row of filters. `begun`: the first one's name stands next, without a "|".
  ExpressionPtr filters(ExpressionPtr node, bool begun);

  const std::vector<TemplateToken> tokens_;
  const std::filesystem::path& file_;
  std::size_t at_ = 0;
  int depth_ = 0, loops_ = 0;

 private:
  ExpressionPtr make(Kind kind, std::size_t line, std::vector<ExpressionPtr> items = {}) const;
  template <class... Items>
  ExpressionPtr make_of(Kind kind, std::size_t line, Items... items) const {
    std::vector<ExpressionPtr> all;
    (all.push_back(std::move(items)), ...);
    return make(kind, line, std::move(all));
  }
  ExpressionPtr constant(Value value, std::size_t line) const;

  ExpressionPtr conditional();
  ExpressionPtr either();
  ExpressionPtr both();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  std::string comparison_operator();
  // Operators of one rank, from left to right.
  ExpressionPtr in_a_row(std::initializer_list<const char*> signs, ExpressionPtr (ExpressionParser::*next)());
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr filtered_unary() { return unary(true); }
  ExpressionPtr unary(bool with_filter);
  ExpressionPtr primary(bool with_space_name = false);
  ExpressionPtr name(bool with_space_name);
  ExpressionPtr number();
  std::vector<ExpressionPtr> listed(std::string_view close, bool pairs);
  bool tuple_ends(std::string_view end) const;
  void require_target(const Expression& node) const;
  ExpressionPtr postfix(ExpressionPtr node);
  ExpressionPtr called(ExpressionPtr node);
  ExpressionPtr subscript(ExpressionPtr node);
  std::unique_ptr<CallArguments> arguments();
  ExpressionPtr filtered(ExpressionPtr node);
  ExpressionPtr test(ExpressionPtr node);
  std::string dotted_name();
  bool begins_argument() const;
};

}  // namespace rlaif::templates
