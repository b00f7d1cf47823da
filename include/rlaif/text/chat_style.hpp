// How models write conversations: the formats, and which of them a model's own template is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace rlaif::text {

enum class ChatFormat { plain, chatml, llama2, llama3, zephyr };
ChatFormat parse_chat_format(std::string_view name);  // throws Error(usage) naming the known formats
const char* to_string(ChatFormat format);             // "plain", "chatml", "llama-2", "llama-3", "zephyr"

// A format and what one model's template makes of it.
struct ChatStyle {
  ChatFormat format = ChatFormat::plain;
  std::string system;                  // the template's own system text, for conversations that bring none
  bool begins = false;                 // the begin token comes first
  bool trims = false;                  // contents lose the white space at both ends
  std::string begin_token, end_token;  // empty: those of the format's first models
};

ChatStyle chat_style(ChatFormat format);  // as the format's first models write it

// The style of the template in a model's folder (chat_template.jinja, or chat_template of tokenizer_config.json: a text,
// or a list of which "default" counts); nothing where there is none. A template is recognised by its control texts.
// Throws Error(input) with file and the template's name where it is of another kind or differs in what it would write.
std::optional<ChatStyle> read_chat_style(const std::filesystem::path& folder);
// The same for a template's text; file stands in errors, the tokens are the model's own ("" where it has none).
ChatStyle recognise_chat_style(const std::string& chat_template, const std::filesystem::path& file,
                               const std::string& begin_token, const std::string& end_token);

}  // namespace rlaif::text
