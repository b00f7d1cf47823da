#include "rlaif/text/chat.hpp"

#include <algorithm>
#include <span>

#include "characters.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::text {
namespace {

const AddedToken* find_special(const Tokenizer& tokenizer, const std::string& content) {
  for (const AddedToken& token : tokenizer.added_tokens()) {
    if (token.content == content && token.special) return &token;
  }
  return nullptr;
}

TokenId special_token(const Tokenizer& tokenizer, ChatFormat format, const std::string& content) {
  if (const AddedToken* token = find_special(tokenizer, content)) return token->id;
  throw input_error("chat format " + std::string(to_string(format)) + " needs the special token '" + content +
                    "'; expected it among the tokenizer's added tokens, marked special");
}

// The end of a text as this tokenizer's own models write it.
std::string plain_end_token(const Tokenizer& tokenizer) {
  for (const char* known : {"<|endoftext|>", "</s>", "<|end_of_text|>"}) {
    if (find_special(tokenizer, known) != nullptr) return known;
  }
  return "<|endoftext|>";
}

TokenId line_end(const Tokenizer& tokenizer) {
  // Not encoded: a prefix space would come before it.
  for (const char* stored : {"Ċ", "\n", "<0x0A>"}) {
    if (const auto id = tokenizer.token_to_id(stored)) return *id;
  }
  throw input_error("chat format plain needs a token for the line end ('Ċ'), which the tokenizer lacks");
}

// The control texts of a format that are tokens to its models, and those that are plain text to them.
std::vector<std::string> control_tokens(const ChatStyle& style) {
  std::vector<std::string> tokens;
  if (style.begins) tokens.push_back(style.begin_token);
  if (style.format == ChatFormat::chatml) tokens.push_back("<|im_start|>");
  if (style.format == ChatFormat::llama3) tokens.insert(tokens.end(), {"<|start_header_id|>", "<|end_header_id|>"});
  tokens.push_back(style.end_token);
  return tokens;
}

std::vector<std::string> text_marks(ChatFormat format) {
  if (format == ChatFormat::llama2) return {"[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"};
  if (format == ChatFormat::zephyr) return {"<|system|>", "<|user|>", "<|assistant|>"};
  return {};
}

void check_role(const std::string& role) {
  if (role != "system" && role != "user" && role != "assistant") {
    throw input_error("role '" + role + "' in a conversation; expected system, user or assistant");
  }
}

std::string_view trimmed(std::string_view text) {
  text = text.substr(0, skip_spaces_left(text, text.size()));
  return text.substr(skip_spaces_right(text, 0));
}

TemplatePiece control(std::string text) { return {std::move(text), SpecialText::as_tokens}; }

// What opens a turn, and what its content ends with.
std::string turn_start(ChatFormat format, const std::string& role) {
  if (format == ChatFormat::chatml) return "<|im_start|>" + role + "\n";
  if (format == ChatFormat::llama3) return "<|start_header_id|>" + role + "<|end_header_id|>\n\n";
  return "<|" + role + "|>\n";
}

std::string turn_end(const ChatStyle& style) {
  return style.format == ChatFormat::llama3 ? style.end_token : style.end_token + "\n";
}

bool is_prefix(const std::vector<TokenId>& head, const std::vector<TokenId>& whole) {
  return whole.size() >= head.size() && std::equal(head.begin(), head.end(), whole.begin());
}

}  // namespace

ChatEncoder::ChatEncoder(const Tokenizer& tokenizer, ChatFormat format, std::string system)
    : ChatEncoder(tokenizer, chat_style(format), std::move(system)) {}

ChatEncoder::ChatEncoder(const Tokenizer& tokenizer, ChatStyle style, std::string system)
    : tokenizer_(&tokenizer), style_(std::move(style)) {
  if (!system.empty()) style_.system = std::move(system);
  if (style_.format == ChatFormat::plain) {
    if (style_.end_token.empty()) style_.end_token = plain_end_token(tokenizer);
    newline_ = line_end(tokenizer);
  }
  const ChatStyle usual = chat_style(style_.format);
  if (style_.end_token.empty()) style_.end_token = usual.end_token;
  if (style_.begin_token.empty()) style_.begin_token = usual.begin_token;
  for (const std::string& token : control_tokens(style_)) special_token(tokenizer, style_.format, token);
  end_ = special_token(tokenizer, style_.format, style_.end_token);
  for (std::string& mark : text_marks(style_.format)) {
    if (find_special(tokenizer, mark) == nullptr) broken_marks_.push_back(std::move(mark));
  }
}

TemplatePiece ChatEncoder::content(std::string_view text) const {
  std::string out(text);
  for (const std::string& mark : broken_marks_) {
    for (std::size_t at = 0; (at = out.find(mark, at)) != std::string::npos;) out.insert(at + 1, " ");
  }
  return {std::move(out), SpecialText::as_text};
}

std::vector<TokenId> ChatEncoder::plain_prompt(const std::vector<Message>& messages) const {
  std::vector<TokenId> tokens = tokenizer_->begin_tokens();
  for (const Message& message : messages) {
    const std::vector<TokenId> turn = tokenizer_->encode(message.content, SpecialText::as_text);
    tokens.insert(tokens.end(), turn.begin(), turn.end());
    tokens.push_back(newline_);
  }
  return tokens;
}

ChatEncoder::Pieces ChatEncoder::render_llama2(const std::vector<Message>& messages) const {
  Pieces pieces;
  const bool has_system = messages.front().role == "system";
  for (std::size_t i = has_system ? 1 : 0; i < messages.size(); ++i) {
    const std::size_t turn = i - (has_system ? 1 : 0);
    const Message& message = messages[i];
    if (message.role != (turn % 2 == 0 ? "user" : "assistant")) {
      throw input_error("turn " + std::to_string(i + 1) + " of a conversation is of role '" + message.role +
                        "'; chat format llama-2 expects user and assistant in alternation");
    }
    if (message.role == "assistant") {
      pieces.push_back(content(" " + std::string(trimmed(message.content)) + " "));
      pieces.push_back(control(style_.end_token));
      continue;
    }
    pieces.push_back(control(style_.begin_token + "[INST] "));
    std::string_view text = message.content;
    if (turn == 0 && has_system) {
      pieces.push_back(control("<<SYS>>\n"));
      pieces.push_back(content(messages.front().content));
      pieces.push_back(control("\n<</SYS>>\n\n"));
      text = text.substr(0, skip_spaces_left(text, text.size()));  // the template trims both together
    } else {
      text = trimmed(text);
    }
    pieces.push_back(content(text));
    pieces.push_back(control(" [/INST]"));
  }
  if (pieces.empty())
    throw input_error("a conversation of a system turn alone; chat format llama-2 expects a user turn");
  return pieces;
}

ChatEncoder::Pieces ChatEncoder::render(const std::vector<Message>& messages) const {
  if (style_.format == ChatFormat::llama2) return render_llama2(messages);
  Pieces pieces;
  if (style_.begins) pieces.push_back(control(style_.begin_token));
  for (const Message& message : messages) {
    pieces.push_back(control(turn_start(style_.format, message.role)));
    pieces.push_back(content(style_.trims ? trimmed(message.content) : std::string_view(message.content)));
    pieces.push_back(control(turn_end(style_)));
  }
  pieces.push_back(control(turn_start(style_.format, "assistant")));
  return pieces;
}

std::vector<TokenId> ChatEncoder::prompt(std::string_view user) const {
  return prompt(std::vector<Message>{{"user", std::string(user)}});
}

std::vector<TokenId> ChatEncoder::prompt(const std::vector<Message>& messages) const {
  if (messages.empty()) throw input_error("a conversation without messages; expected at least one");
  for (const Message& message : messages) check_role(message.role);
  std::vector<Message> turns;
  if (!style_.system.empty() && messages.front().role != "system") turns.push_back({"system", style_.system});
  turns.insert(turns.end(), messages.begin(), messages.end());
  return style_.format == ChatFormat::plain ? plain_prompt(turns) : tokenizer_->encode_template(render(turns));
}

std::vector<TokenId> ChatEncoder::completion(std::string_view text) const {
  std::vector<TokenId> tokens;
  if (style_.format == ChatFormat::plain) {
    tokens = tokenizer_->encode(text, SpecialText::as_text);
  } else {
    // Encoded where it stands: behind the opening of its turn no tokenizer puts a space of its own before it.
    const bool llama2 = style_.format == ChatFormat::llama2;
    Pieces pieces{control(llama2 ? style_.begin_token + "[INST] [/INST]" : turn_start(style_.format, "assistant"))};
    const std::vector<TokenId> head = tokenizer_->encode_template(pieces);
    pieces.push_back(content((llama2 ? " " : "") + std::string(text)));
    const std::vector<TokenId> whole = tokenizer_->encode_template(pieces);
    if (is_prefix(head, whole)) {
      tokens.assign(whole.begin() + static_cast<std::ptrdiff_t>(head.size()), whole.end());
    } else {  // its first characters join the opening's last ones: as a text of its own
      tokens = tokenizer_->encode_template(std::span(&pieces.back(), 1));
    }
  }
  tokens.push_back(end_);
  return tokens;
}

}  // namespace rlaif::text
