#include "lexer.hpp"

#include <algorithm>
#include <array>

#include "rlaif/core/error.hpp"

namespace rlaif::templates {
namespace {

constexpr std::array<std::string_view, 26> kSigns{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                  "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                  ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};

bool is_digit(char32_t code) { return code >= U'0' && code <= U'9'; }
bool starts_name(char32_t code) {
  return (code >= U'a' && code <= U'z') || (code >= U'A' && code <= U'Z') || code == U'_' ||
         (code >= 0x80 && is_letter(code));
}

// Every line break becomes "\n", and one at the very end goes.
Letters normalized(const Letters& source) {
  Letters out;
  for (std::size_t at = 0; at < source.size(); ++at) {
    if (source[at] == U'\r' && at + 1 < source.size() && source[at + 1] == U'\n') continue;
    out += source[at] == U'\r' ? U'\n' : source[at];
  }
  if (!out.empty() && out.back() == U'\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  Lexer(std::string_view source, const std::filesystem::path& file)
      : source_(normalized(to_letters(source))), file_(file) {}

  std::vector<TemplateToken> tokens() {
    while (at_ < source_.size()) root();
    push(TokenKind::end, {});
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw input_error(file_, line_, "chat template: " + message);
  }

  bool at(std::u32string_view text, std::size_t where) const { return source_.compare(where, text.size(), text) == 0; }
  bool at(std::u32string_view text) const { return at(text, at_); }
  char32_t peek(std::size_t where) const { return where < source_.size() ? source_[where] : 0; }

  // Takes everything up to `end`, counting lines.
  Letters take(std::size_t end) {
    Letters text = source_.substr(at_, end - at_);
    line_ += static_cast<std::size_t>(std::count(text.begin(), text.end(), U'\n'));
    line_starts_ = !text.empty() && text.back() == U'\n';
    at_ = end;
    return text;
  }

  void push(TokenKind kind, Letters text) { tokens_.push_back({kind, std::move(text), line_}); }

  std::size_t after_spaces(std::size_t where) const {
    while (where < source_.size() && is_python_space(source_[where])) ++where;
    return where;
  }

  // What stands before a tag: less its white space for "-", less what indents the tag where that is all of the line.
  void push_data(Letters text, std::size_t line, char32_t sign, bool is_print) {
    if (sign == U'-') {
      text = Letters(strip(text, false, true, is_python_space));
    } else if (sign != U'+' && !is_print) {
      const std::size_t line_begin = text.rfind(U'\n') + 1;  // 0 where there is none
      if (line_begin > 0 || data_line_starts_) {
        const LettersView indent = LettersView(text).substr(line_begin);
        if (std::all_of(indent.begin(), indent.end(), is_python_space)) text.resize(line_begin);
      }
    }
    if (!text.empty()) tokens_.push_back({TokenKind::data, std::move(text), line});
  }

  void root() {
    std::size_t tag = at_;
    while (tag < source_.size() &&
           !(source_[tag] == U'{' && (peek(tag + 1) == U'{' || peek(tag + 1) == U'%' || peek(tag + 1) == U'#')))
      ++tag;
    data_line_starts_ = line_starts_;
    const std::size_t line = line_;
    Letters data = take(tag);
    if (tag == source_.size()) {
      if (!data.empty()) tokens_.push_back({TokenKind::data, std::move(data), line});
      return;
    }
    const char32_t kind = source_[tag + 1], mark = peek(tag + 2), sign = mark == U'-' || mark == U'+' ? mark : 0;
    push_data(std::move(data), line, sign, kind == U'{');
    const std::size_t inside = tag + (sign ? 3 : 2);
    if (kind == U'#') return comment(inside);
    if (kind == U'%') {
      if (const std::size_t end = raw_begin(inside); end > 0) return raw(end);
    }
    take(inside);
    push(kind == U'%' ? TokenKind::block_begin : TokenKind::print_begin, {});
    inside_tag(kind == U'%');
  }

  // Where a tag ends that could end here: "-%}" takes white space with it, "%}" one line end. 0: none ends here.
  std::size_t tag_end(std::u32string_view end, std::size_t where, bool trims_line) const {
    if (source_[where] == U'-' && at(end, where + 1)) return after_spaces(where + 1 + end.size());
    if (trims_line && source_[where] == U'+' && at(end, where + 1)) return where + 1 + end.size();
    if (!at(end, where)) return 0;
    const std::size_t after = where + end.size();
    return trims_line && peek(after) == U'\n' ? after + 1 : after;
  }

  void comment(std::size_t inside) {
    for (std::size_t where = inside; where < source_.size(); ++where) {
      if (const std::size_t end = tag_end(U"#}", where, true); end > 0) {
        take(end);
        return;
      }
    }
    fail("a comment that begins with '{#' has no '#}'");
  }

  // "raw %}" or "raw -%}" behind the sign of a tag: where its contents begin, else 0.
  std::size_t raw_begin(std::size_t where) const {
    where = after_spaces(where);
    if (!at(U"raw", where)) return 0;
    where = after_spaces(where + 3);
    if (at(U"-%}", where)) return after_spaces(where + 3);
    return at(U"%}", where) ? where + 2 : 0;
  }

  void raw(std::size_t begin) {
    take(begin);
    data_line_starts_ = line_starts_;
    for (std::size_t where = begin; where < source_.size(); ++where) {
      if (!at(U"{%", where)) continue;
      const char32_t mark = peek(where + 2), sign = mark == U'-' || mark == U'+' ? mark : 0;
      const std::size_t word = after_spaces(where + (sign ? 3 : 2));
      if (!at(U"endraw", word)) continue;
      const std::size_t close = after_spaces(word + 6), end = close < source_.size() ? tag_end(U"%}", close, true) : 0;
      if (end == 0) continue;
      const std::size_t line = line_;
      push_data(take(where), line, sign, false);
      take(end);
      return;
    }
    fail("'{% raw %}' has no '{% endraw %}'");
  }

  void inside_tag(bool block) {
    const std::size_t open_line = line_;
    while (at_ < source_.size()) {
      if (open_.empty()) {
        if (const std::size_t end = tag_end(block ? U"%}" : U"}}", at_, block); end > 0) {
          push(block ? TokenKind::block_end : TokenKind::print_end, {});
          take(end);
          return;
        }
      }
      if (const std::size_t end = after_spaces(at_); end > at_)
        take(end);
      else
        word();
    }
    line_ = open_line;
    fail(std::string("a tag that begins with '") + (block ? "{%" : "{{") + "' has no end");
  }

  void word() {
    const char32_t code = source_[at_];
    if (is_digit(code)) return number();
    if (starts_name(code)) {
      std::size_t end = at_ + 1;
      while (end < source_.size() &&
             (is_digit(source_[end]) || starts_name(source_[end]) || (source_[end] >= 0x80 && is_word(source_[end]))))
        ++end;
      const std::size_t line = line_;
      tokens_.push_back({TokenKind::name, take(end), line});
      return;
    }
    if (code == U'\'' || code == U'"') return string(code);
    sign();
  }

  // Digits, single "_" between them.
  std::size_t after_digits(std::size_t where) const {
    if (!is_digit(peek(where))) return where;
    ++where;
    while (is_digit(peek(where)) || (peek(where) == U'_' && is_digit(peek(where + 1)))) ++where;
    return where;
  }

  std::size_t after_exponent(std::size_t where) const {
    if (peek(where) != U'e' && peek(where) != U'E') return where;
    const std::size_t sign = peek(where + 1) == U'+' || peek(where + 1) == U'-' ? 1 : 0;
    const std::size_t end = after_digits(where + 1 + sign);
    return end > where + 1 + sign ? end : where;
  }

  void number() {
    const std::size_t whole = after_digits(at_);
    std::size_t end = whole;
    const bool after_dot = at_ > 0 && source_[at_ - 1] == U'.';
    if (!after_dot) {
      if (peek(end) == U'.' && is_digit(peek(end + 1))) end = after_digits(end + 1);
      end = after_exponent(end);
    }
    TokenKind kind = end > whole ? TokenKind::real : TokenKind::integer;
    if (kind == TokenKind::integer && source_[at_] == U'0') {
      const char32_t base = peek(at_ + 1) | 0x20;
      if (base == U'x' || base == U'o' || base == U'b') fail("numbers written as 0x, 0o or 0b are not covered");
      if (std::any_of(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                      source_.begin() + static_cast<std::ptrdiff_t>(end),
                      [](char32_t digit) { return digit != U'0' && digit != U'_'; }))
        fail("a number begins with 0; expected none in front of other digits");
    }
    Letters text = take(end);
    std::erase(text, U'_');
    push(kind, std::move(text));
  }

  void string(char32_t quote) {
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == U'\\' ? 2 : 1;
    if (end >= source_.size()) fail("a text has no end; expected " + std::string(1, static_cast<char>(quote)));
    const std::size_t line = line_;
    Letters text = take(end + 1);
    tokens_.push_back({TokenKind::string, unescaped(LettersView(text).substr(1, text.size() - 2)), line});
  }

  // As Python decodes "unicode-escape" after characters beyond ASCII became escapes themselves.
  Letters unescaped(LettersView text) const {
    Letters out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != U'\\') {
        out += text[i];
        continue;
      }
      const char32_t next = text[++i];
      if (next >= 0x80) {  // its own escape's backslash was taken
        static const char* const digits = "0123456789abcdef";
        const int width = next <= 0xFF ? 2 : next <= 0xFFFF ? 4 : 8;
        out += width == 2 ? U"\\x" : width == 4 ? U"\\u" : U"\\U";
        for (int shift = 4 * (width - 1); shift >= 0; shift -= 4)
          out += static_cast<char32_t>(digits[(next >> shift) & 15]);
        continue;
      }
      static constexpr std::u32string_view simple = U"\\'\"abfnrtv", meaning = U"\\'\"\a\b\f\n\r\t\v";
      if (const std::size_t known = simple.find(next); known != no_position)
        out += meaning[known];
      else if (next == U'x' || next == U'u' || next == U'U')
        out += hexadecimal(text, i, next == U'x' ? 2 : next == U'u' ? 4 : 8);
      else if (next >= U'0' && next <= U'7')
        out += octal(text, i);
      else if (next == U'N')
        fail("the escape '\\N' in a text is not covered");
      else if (next != U'\n')
        out += {U'\\', next};
    }
    return out;
  }

  char32_t hexadecimal(LettersView text, std::size_t& i, std::size_t digits) const {
    char32_t code = 0;
    for (std::size_t k = 0; k < digits; ++k) {
      const char32_t digit = ++i < text.size() ? text[i] : 0;
      const bool letter = (digit | 0x20) >= U'a' && (digit | 0x20) <= U'f';
      if (!is_digit(digit) && !letter) fail("an escape in a text is cut off; expected hexadecimal digits");
      code = code * 16 + (letter ? (digit | 0x20) - U'a' + 10 : digit - U'0');
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) fail("an escape in a text names no character");
    return code;
  }

  static char32_t octal(LettersView text, std::size_t& i) {
    char32_t code = 0;
    for (int k = 0; k < 3 && i < text.size() && text[i] >= U'0' && text[i] <= U'7'; ++k, ++i)
      code = code * 8 + (text[i] - U'0');
    --i;
    return code;
  }

  void sign() {
    for (const std::string_view known : kSigns) {
      if (!same_text(LettersView(source_).substr(at_, known.size()), known)) continue;
      balance(known);
      const std::size_t line = line_;
      tokens_.push_back({TokenKind::sign, take(at_ + known.size()), line});
      return;
    }
    fail("the character '" + to_utf8(LettersView(source_).substr(at_, 1)) + "' has no meaning in a tag");
  }

  void balance(std::string_view sign) {
    static constexpr std::string_view opening = "([{", closing = ")]}";
    if (sign.size() != 1) return;
    if (const auto kind = opening.find(sign[0]); kind != std::string_view::npos) open_ += closing[kind];
    if (closing.find(sign[0]) == std::string_view::npos) return;
    if (open_.empty() || open_.back() != sign[0]) fail("'" + std::string(sign) + "' closes nothing that is open");
    open_.pop_back();
  }

  const Letters source_;
  const std::filesystem::path& file_;
  std::vector<TemplateToken> tokens_;
  std::string open_;  // what closes the brackets that are open
  std::size_t at_ = 0, line_ = 1;
  bool line_starts_ = true, data_line_starts_ = true;
};

}  // namespace

std::vector<TemplateToken> template_tokens(std::string_view source, const std::filesystem::path& file) {
  return Lexer(source, file).tokens();
}

}  // namespace rlaif::templates
