// How models write conversations: formats known by name, and the template in a model's own folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/json.hpp"

namespace rlaif::text {

enum class ChatFormat { plain, chatml, llama2, llama3, zephyr };
ChatFormat parse_chat_format(std::string_view name);  // throws Error(usage) naming the known formats
const char* to_string(ChatFormat format);             // "plain", "chatml", "llama-2", "llama-3", "zephyr"

// A template (see templates::ChatTemplate) and what it is given besides the conversation.
struct ChatStyle {
  std::optional<ChatFormat> format;  // nothing: a model's own template
  std::string chat_template;         // empty: plain, which no template writes
  std::filesystem::path file;        // stands in errors
  Json tokens = Json::object();      // bos_token, eos_token, ...: the model's own, those that it has
  std::string date;                  // the day that the template may write, YYYY-MM-DD; empty: none
  std::vector<std::string>
      control;  // special tokens that the format cannot do without; of a named format, the last ends a turn
  std::vector<std::string> marks;  // what parts the turns of a named format and may be plain text to the tokenizer
};

ChatStyle chat_style(ChatFormat format);  // as the format's first models write it
const char* plain_template();             // what plain writes behind the begin token, for other programs to execute

// The template in a model's folder: chat_template.jinja, or chat_template of tokenizer_config.json (a text, or a list
// of which "default" counts); nothing where there is none. Its tokens are those of tokenizer_config.json, else of
// special_tokens_map.json. Plain's own template, which saved models have, is plain again. Throws Error(input) with file
// and line for a template that cannot be executed.
std::optional<ChatStyle> read_chat_style(const std::filesystem::path& folder);

}  // namespace rlaif::text
