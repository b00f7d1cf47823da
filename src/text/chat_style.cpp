#include "rlaif/text/chat_style.hpp"

#include <array>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/templates/chat_template.hpp"

namespace rlaif::text {
namespace {

constexpr std::array kFormats{ChatFormat::plain, ChatFormat::chatml, ChatFormat::llama2, ChatFormat::llama3,
                              ChatFormat::zephyr};

constexpr const char* kChatml =
    R"({% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }})"
    R"({% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})";

constexpr const char* kZephyr =
    R"({% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '</s>\n' }}{% endfor %})"
    R"({% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %})";

constexpr const char* kLlama3 =
    R"({{ '<|begin_of_text|>' }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + )"
    R"('<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %})"
    R"({% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %})";

// The system turn stands within the first turn of the user.
constexpr const char* kLlama2 =
    R"({% set has_system = messages[0]['role'] == 'system' %}{% set turns = messages[1:] if has_system else messages %})"
    R"({% if not turns %}{{ raise_exception('a conversation of a system turn alone; chat format llama-2 expects a user turn') }})"
    R"({% endif %}{% for message in turns %}{% set whose = 'user' if loop.index0 % 2 == 0 else 'assistant' %})"
    R"({% if message['role'] != whose %}{{ raise_exception('turn ' ~ (loop.index + (1 if has_system else 0)) ~ )"
    R"(" of a conversation is of role '" ~ message['role'] ~ "'; chat format llama-2 expects user and assistant in alternation") }})"
    R"({% endif %}{% set content = message['content'] %}{% if loop.first and has_system %}{% set content = '<<SYS>>\n' + )"
    R"(messages[0]['content'] + '\n<</SYS>>\n\n' + content %}{% endif %}{% if whose == 'user' %})"
    R"({{ '<s>[INST] ' + content.strip() + ' [/INST]' }}{% else %}{{ ' ' + content.strip() + ' </s>' }}{% endif %}{% endfor %})";

// "<s>", or {"content": "<s>", ...}.
std::string token_text(const IndexedJsonReader& field) {
  return field.json().is_object() ? field.at("content").string() : field.string();
}

// Adds the special tokens that a file names and nobody has named yet.
void add_tokens(const IndexedJsonReader& config, Json& tokens) {
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    if (const auto field = config.given(key); field && !tokens.contains(key)) tokens[key] = token_text(*field);
  }
  const char* const more = "additional_special_tokens";
  if (const auto field = config.given(more); field && !tokens.contains(more)) {
    tokens[more] = Json::array();
    for (const IndexedJsonReader& item : field->items()) tokens[more].push_back(token_text(item));
  }
}

// The template of a configuration; a list of them holds one named "default".
std::optional<std::string> template_of(const IndexedJsonReader& config) {
  const auto field = config.given("chat_template");
  if (!field) return std::nullopt;
  if (!field->json().is_array()) return field->string();
  for (const IndexedJsonReader& item : field->items()) {
    if (item.at("name").string() == "default") return item.at("template").string();
  }
  throw field->unexpected("a list with a template named 'default'");
}

// What a file of the folder says; nothing where there is no such file.
template <class F>
void with_json(const std::filesystem::path& file, F f) {
  if (!std::filesystem::exists(file)) return;
  const IndexedJson root = parse_json<IndexedJson>(file, read_file(file));
  f(IndexedJsonReader(file, root));
}

}  // namespace

ChatFormat parse_chat_format(std::string_view name) {
  for (const ChatFormat format : kFormats) {
    if (name == to_string(format)) return format;
  }
  throw usage_error("unknown chat format '" + std::string(name) +
                    "'; expected plain, chatml, llama-2, llama-3 or zephyr");
}

const char* to_string(ChatFormat format) {
  switch (format) {
    case ChatFormat::plain: return "plain";
    case ChatFormat::chatml: return "chatml";
    case ChatFormat::llama2: return "llama-2";
    case ChatFormat::llama3: return "llama-3";
    case ChatFormat::zephyr: return "zephyr";
  }
  RLAIF_CHECK(false, "a chat format without a name");
}

const char* plain_template() { return R"({% for message in messages %}{{ message['content'] + '\n' }}{% endfor %})"; }

ChatStyle chat_style(ChatFormat format) {
  ChatStyle style;
  style.format = format;
  style.file = std::string("chat format ") + to_string(format);
  switch (format) {
    case ChatFormat::plain: break;
    case ChatFormat::chatml:
      style.chat_template = kChatml;
      style.control = {"<|im_start|>", "<|im_end|>"};
      break;
    case ChatFormat::llama2:
      style.chat_template = kLlama2;
      style.control = {"<s>", "</s>"};
      style.marks = {"[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"};
      break;
    case ChatFormat::llama3:
      style.chat_template = kLlama3;
      style.control = {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"};
      break;
    case ChatFormat::zephyr:
      style.chat_template = kZephyr;
      style.control = {"</s>"};
      style.marks = {"<|system|>", "<|user|>", "<|assistant|>"};
      break;
  }
  return style;
}

std::optional<ChatStyle> read_chat_style(const std::filesystem::path& folder) {
  const std::filesystem::path own_file = folder / "chat_template.jinja";
  ChatStyle style;
  std::optional<std::string> text;
  with_json(folder / "tokenizer_config.json", [&](const IndexedJsonReader& config) {
    add_tokens(config, style.tokens);
    text = template_of(config);
    style.file = folder / "tokenizer_config.json";
  });
  if (std::filesystem::exists(own_file)) {
    text = read_file(own_file);
    style.file = own_file;
  }
  if (!text) return std::nullopt;
  if (text->ends_with(plain_template())) return chat_style(ChatFormat::plain);
  with_json(folder / "special_tokens_map.json", [&](const IndexedJsonReader& map) { add_tokens(map, style.tokens); });
  style.chat_template = *text;
  templates::ChatTemplate::parse(style.chat_template, style.file);
  return style;
}

}  // namespace rlaif::text
