#include "answer_text.hpp"

#include "rlaif/core/json_parse.hpp"

namespace rlaif::judge {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::optional<std::string_view> take_cue(Cursor& cursor, std::span<const std::string_view> nouns) {
  constexpr std::array<std::string_view, 6> adjectives{"final", "my", "the", "overall", "our", "so"};
  cursor.skip("*_#`\"' \t-[(");
  while (is_one_of(cursor.word(), adjectives)) {
    cursor.at += cursor.word().size();
    cursor.skip(" \t,");
  }
  const std::string_view noun = cursor.word();
  if (std::find(nouns.begin(), nouns.end(), noun) == nouns.end()) return std::nullopt;
  cursor.at += noun.size();
  cursor.skip("*_`\"' \t])");
  const std::size_t before = cursor.at;
  if (cursor.take("is")) cursor.skip_spaces();
  cursor.skip(":=");
  if (cursor.at == before) return std::nullopt;
  return noun;
}

bool is_in_quoted_line(std::string_view text, std::size_t at) {
  const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  const std::size_t mark = text.find_first_not_of(" \t", begin);
  return mark != std::string_view::npos && text[mark] == '>';
}

std::optional<JsonAtEnd> json_at_end(std::string_view text, const char* key) {
  // Objects are flat or nearly so: an end far away is prose.
  constexpr std::size_t longest = 4096;
  const std::size_t close = text.find_last_not_of(" \t\r\n`");
  if (close == std::string_view::npos || text[close] != '}') return std::nullopt;
  for (std::size_t open = text.rfind('{', close); open != std::string_view::npos;
       open = open == 0 ? std::string_view::npos : text.rfind('{', open - 1)) {
    if (close - open > longest) return std::nullopt;
    const Json object = try_parse_json(std::string(text.substr(open, close + 1 - open)));
    if (object.is_discarded() || !object.is_object()) continue;
    const auto found = object.find(key);
    if (found == object.end()) return std::nullopt;
    return JsonAtEnd{*found, open, close};
  }
  return std::nullopt;
}

}  // namespace rlaif::judge
