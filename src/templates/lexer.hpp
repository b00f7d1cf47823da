// A chat template's text cut into tokens, white space around tags taken away as its signs and the settings say. The
// rules are those of jinja2 with trim_blocks and lstrip_blocks.
//   "A\n  {% if x -%}\n B" -> data "A\n", block_begin, name "if", name "x", block_end, data "B"
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "values/letters.hpp"

namespace rlaif::templates {

enum class TokenKind { data, block_begin, block_end, print_begin, print_end, name, string, integer, real, sign, end };

struct TemplateToken {
  TokenKind kind = TokenKind::end;
  Letters text;  // of data, names and strings as they mean; of numbers without "_"; the sign itself
  std::size_t line = 1;

  bool is_name(std::string_view word) const { return kind == TokenKind::name && same_text(text, word); }
  bool is_sign(std::string_view sign) const { return kind == TokenKind::sign && same_text(text, sign); }
};

// Throws Error(input) naming file and line. The last token is of kind end.
std::vector<TemplateToken> template_tokens(std::string_view source, const std::filesystem::path& file);

}  // namespace rlaif::templates
