#include "rlaif/text/chat_style.hpp"

#include <array>
#include <vector>

#include "json_field.hpp"
#include "regex.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"

namespace rlaif::text {
namespace {

constexpr std::array kFormats{ChatFormat::plain, ChatFormat::chatml, ChatFormat::llama2, ChatFormat::llama3,
                              ChatFormat::zephyr};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// One spelling for what Jinja lets be written in several: quotes, escapes, white space control, joined literals and the
// two ways to name a field. What a template writes can then be searched for as text.
std::string normalized(std::string text) {
  for (const auto& [from, to] : std::initializer_list<std::pair<const char*, const char*>>{{"\r\n", "\n"},
                                                                                           {"\\n", "\n"},
                                                                                           {"\\\"", "\""},
                                                                                           {"\\'", "'"},
                                                                                           {"\"", "'"},
                                                                                           {"{%-", "{%"},
                                                                                           {"-%}", "%}"},
                                                                                           {"{{-", "{{"},
                                                                                           {"-}}", "}}"},
                                                                                           {"['content']", ".content"},
                                                                                           {"['role']", ".role"}}) {
    replace_all(text, from, to);
  }
  for (const std::string sign : {"+", "~", "|", "="}) {
    for (const char* space : {" ", "\t"}) {
      while (holds(text, space + sign)) replace_all(text, space + sign, sign);
      while (holds(text, sign + space)) replace_all(text, sign + space, sign);
    }
  }
  replace_all(text, "~", "+");
  replace_all(text, "'+'", "");
  return text;
}

// Control texts by which templates of other kinds are known.
std::string name_of_other(const std::string& text) {
  const std::vector<std::pair<const char*, const char*>> signs{{"<start_of_turn>", "gemma"},
                                                               {"<|START_OF_TURN_TOKEN|>", "command-r"},
                                                               {"<|im_sep|>", "phi-4"},
                                                               {"<|header_start|>", "llama-4"},
                                                               {"<|channel|>", "harmony (gpt-oss)"},
                                                               {"<\xEF\xBD\x9CUser\xEF\xBD\x9C>", "deepseek"},
                                                               {"<|end|>", "phi-3"},
                                                               {"### Instruction", "alpaca"},
                                                               {"USER:", "vicuna"},
                                                               {"GPT4 Correct", "openchat"},
                                                               {"<|start_of_role|>", "granite"}};
  for (const auto& [sign, name] : signs) {
    if (holds(text, sign)) return name;
  }
  if (holds(text, "[INST]") && !holds(text, "<<SYS>>")) return "mistral";
  return "";
}

class Recogniser {
 public:
  Recogniser(const std::string& source, const std::filesystem::path& file) : text_(normalized(source)), file_(file) {}

  ChatStyle style(const std::string& begin_token, const std::string& end_token) const {
    ChatStyle style = chat_style(format());
    if (holds(text_, "strftime_now") || holds(text_, "Cutting Knowledge Date")) {
      refuse(std::string(to_string(style.format)) + " with dates in its system turn (as llama-3.1)");
    }
    style.trims = holds(text_, "|trim") || holds(text_, ".strip()");
    style.begins = holds(text_, "bos_token") || holds(text_, "<|begin_of_text|>") ||
                   (!begin_token.empty() && begin_token != "<|im_start|>" && holds(text_, begin_token));
    style.begin_token = begin_token;
    if (style.begins && begin_token.empty() && chat_style(style.format).begin_token.empty()) style.begins = false;
    if (style.format == ChatFormat::zephyr || style.format == ChatFormat::llama2) style.end_token = end_token;
    style.system = default_system(style.format);
    return style;
  }

 private:
  [[noreturn]] void refuse(const std::string& name) const {
    throw input_error(file_, "the chat template is " + name +
                                 ", which is not covered; expected chatml, llama-2, llama-3 or "
                                 "zephyr (a format chosen by name takes the place of the template)");
  }

  ChatFormat format() const {
    if (const std::string other = name_of_other(text_); !other.empty()) refuse("'" + other + "'");
    if (holds(text_, "<|im_start|>") && holds(text_, "<|im_end|>")) {
      require("<|im_end|>\n", "chatml without line ends between turns");
      require("<|im_start|>assistant\n", "chatml without an opened turn of the assistant");
      if (holds(text_, "<|im_start|>assistant\n<")) refuse("chatml that begins the answer itself");
      return ChatFormat::chatml;
    }
    if (holds(text_, "<|start_header_id|>") && holds(text_, "<|eot_id|>")) {
      require("<|end_header_id|>\n\n", "llama-3 without an empty line after its headers");
      return ChatFormat::llama3;
    }
    if (holds(text_, "[INST]") && holds(text_, "[/INST]") && holds(text_, "<<SYS>>\n") &&
        holds(text_, "\n<</SYS>>\n\n")) {
      require("[INST] ", "llama-2 without a space after [INST]");
      require("bos_token", "llama-2 without its begin token");
      if (!holds(text_, ".strip()") && !holds(text_, "|trim")) refuse("llama-2 that keeps white space around contents");
      return ChatFormat::llama2;
    }
    if (holds(text_, "<|user|>") && holds(text_, "<|assistant|>")) {
      static const Regex ended(R"(<\|user\|>\n'\+message\.content(\|trim|\.strip\(\))?(\+eos_token|\+'</s>|</s>))");
      bool found = false;
      ended.for_each_match(text_, [&](std::size_t, std::size_t) { found = true; });
      if (!found) refuse("'tulu' or another variant of zephyr whose user turns have no end token");
      return ChatFormat::zephyr;
    }
    refuse("of an unknown kind (it begins '" + text_.substr(0, 60) + "')");
  }

  void require(std::string_view part, const char* variant) const {
    if (!holds(text_, part)) refuse(variant);
  }

  // Texts that the template itself puts into a system turn.
  std::vector<std::string> own_texts(std::string_view before, std::string_view after) const {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = text_.find(before, at)) != std::string::npos;) {
      at += before.size();
      const std::size_t end = text_.find(after, at);
      if (end == std::string::npos) break;
      const std::string between = text_.substr(at, end - at);
      const bool code = between.empty() || holds(between, "{{") || holds(between, "{%") || holds(between, "}}") ||
                        holds(between, "%}") || holds(between, "'+") || between.front() == '\'';
      if (!code) found.push_back(between);
    }
    return found;
  }

  std::string default_system(ChatFormat format) const {
    std::vector<std::string> found = own_texts("set system_message='", "'%}");
    for (std::string& text : own_texts("set system_message='", "' %}")) found.push_back(std::move(text));
    if (format == ChatFormat::chatml) {
      for (std::string& text : own_texts("<|im_start|>system\n", "<|im_end|>")) found.push_back(std::move(text));
    } else if (format == ChatFormat::llama3) {
      for (std::string& text : own_texts("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"))
        found.push_back(std::move(text));
    } else if (format == ChatFormat::zephyr) {
      for (std::string& text : own_texts("<|system|>\n", "'")) found.push_back(std::move(text));
    }
    for (const std::string& text : found) {
      if (text != found.front()) refuse(std::string(to_string(format)) + " with more than one system text of its own");
    }
    // A system text that is put together in some other way must not go unseen.
    const std::string known = found.empty() ? "" : found.front();
    for (std::size_t at = 0; (at = text_.find("'You are ", at)) != std::string::npos; ++at) {
      if (known.empty() || text_.compare(at + 1, known.size(), known) != 0) {
        refuse(std::string(to_string(format)) + " with a system text of its own that could not be told from its code");
      }
    }
    return known;
  }

  std::string text_;
  std::filesystem::path file_;
};

// "bos_token": "<s>" or {"content": "<s>", ...}
std::string token_of(const JsonField& config, const char* key) {
  const auto field = config.find(key);
  if (!field) return "";
  return field->value().is_object() ? field->at("content").string() : field->string();
}

// The template of a configuration; a list of them holds one named "default".
std::optional<std::string> template_of(const JsonField& config) {
  const auto field = config.find("chat_template");
  if (!field) return std::nullopt;
  if (!field->value().is_array()) return field->string();
  for (const JsonField& item : field->items()) {
    if (item.at("name").string() == "default") return item.at("template").string();
  }
  throw field->unexpected("a list with a template named 'default'");
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

ChatStyle chat_style(ChatFormat format) {
  ChatStyle style;
  style.format = format;
  style.begins = style.trims = format == ChatFormat::llama2 || format == ChatFormat::llama3;
  switch (format) {
    case ChatFormat::plain: break;
    case ChatFormat::chatml: style.end_token = "<|im_end|>"; break;
    case ChatFormat::zephyr: style.end_token = "</s>"; break;
    case ChatFormat::llama2: style.begin_token = "<s>", style.end_token = "</s>"; break;
    case ChatFormat::llama3: style.begin_token = "<|begin_of_text|>", style.end_token = "<|eot_id|>"; break;
  }
  return style;
}

ChatStyle recognise_chat_style(const std::string& chat_template, const std::filesystem::path& file,
                               const std::string& begin_token, const std::string& end_token) {
  return Recogniser(chat_template, file).style(begin_token, end_token);
}

std::optional<ChatStyle> read_chat_style(const std::filesystem::path& folder) {
  const std::filesystem::path config_file = folder / "tokenizer_config.json", own_file = folder / "chat_template.jinja";
  std::optional<std::string> text;
  std::string begin_token, end_token;
  std::filesystem::path file = config_file;
  if (std::filesystem::exists(config_file)) {
    const std::string name = config_file.string();
    const IndexedJson root = parse_indexed_json(read_file(config_file), name);
    const JsonField config(root, name);
    begin_token = token_of(config, "bos_token");
    end_token = token_of(config, "eos_token");
    if (!std::filesystem::exists(own_file)) text = template_of(config);
  }
  if (std::filesystem::exists(own_file)) {
    text = read_file(own_file);
    file = own_file;
  }
  if (!text) return std::nullopt;
  return recognise_chat_style(*text, file, begin_token, end_token);
}

}  // namespace rlaif::text
