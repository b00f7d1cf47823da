#include <array>
#include <string_view>

#include "annotator_keys.hpp"
#include "remote_prompt.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/text/utf8.hpp"

namespace rlaif::judge {
namespace {

constexpr std::array<std::string_view, 14> control_tokens{
    "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>", "<start_of_turn>",
    "<end_of_turn>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"};

bool is_hidden(char32_t code) {
  if (code < 0x20) return code != '\t' && code != '\n' && code != '\r';
  return code == 0x7F || (code >= 0x80 && code < 0xA0) || (code >= 0x200B && code <= 0x200C) || code == 0x200E ||
         code == 0x200F || (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x2069) || code == 0xFEFF ||
         (code >= 0xFFF9 && code <= 0xFFFB) || (code >= 0xE0000 && code <= 0xE007F);
}

std::string without_hidden_characters(const std::string& text) {
  std::string result;
  const std::string valid = text::replace_invalid_utf8(text);
  for (std::string_view rest = valid; !rest.empty();) {
    const text::Utf8Step step = text::decode_utf8(rest);
    if (!is_hidden(step.code)) result += rest.substr(0, step.length);
    rest.remove_prefix(step.length);
  }
  return result;
}

// Length of the control token at the front; 0: none.
std::size_t control_token_at(std::string_view text) {
  for (const std::string_view token : control_tokens)
    if (text.starts_with(token)) return token.size();
  // <|...|>, and the full-width bars of some families.
  for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"<|", "|>"}, {"<\uFF5C", "\uFF5C>"}}) {
    if (!text.starts_with(open)) continue;
    const std::size_t end = text.substr(0, 80).find(close, open.size());
    if (end != std::string_view::npos && text.substr(0, end).find('\n') == std::string_view::npos) return end + close.size();
  }
  return 0;
}

}  // namespace

std::string without_control_tokens(const std::string& text) {
  // What is left may join to a new one: "<<|x|>|y|>". Taken from the end of the result again after each removal.
  std::string result = without_hidden_characters(text);
  for (std::size_t at = 0; at < result.size();) {
    const char c = result[at];
    const std::size_t length = c == '<' || c == '[' ? control_token_at(std::string_view(result).substr(at)) : 0;
    if (length == 0) {
      ++at;
      continue;
    }
    result.erase(at, length);
    at = at > 80 ? at - 80 : 0;
  }
  return result;
}

std::string fence_of(const Comparison& comparison, std::uint64_t seed) {
  Rng rng(seed, Stream::annotator, {fence_key, comparison.id});
  while (true) {
    const std::string fence = hex(rng.next_u64()).substr(0, 12);
    bool is_new = true;
    for (const std::string* text : {&comparison.prompt.text, &comparison.first.text, &comparison.second.text})
      is_new = is_new && text->find(fence) == std::string::npos;
    if (is_new) return fence;
  }
}

}  // namespace rlaif::judge
