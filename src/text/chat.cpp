#include "rlaif/text/chat.hpp"

#include "rlaif/core/error.hpp"

namespace rlaif::text {
namespace {

TokenId special_token(const Tokenizer& tokenizer, ChatFormat format, const std::string& content) {
  for (const AddedToken& token : tokenizer.added_tokens()) {
    if (token.content == content && token.special) return token.id;
  }
  throw input_error("chat format " + std::string(to_string(format)) + " needs the special token '" + content +
                    "'; expected it among the tokenizer's added tokens, marked special");
}

void check_role(const std::string& role) {
  if (role != "system" && role != "user" && role != "assistant") {
    throw input_error("role '" + role + "' in a conversation; expected system, user or assistant");
  }
}

}  // namespace

ChatFormat parse_chat_format(std::string_view name) {
  for (const ChatFormat format : {ChatFormat::plain, ChatFormat::chatml}) {
    if (name == to_string(format)) return format;
  }
  throw usage_error("unknown chat format '" + std::string(name) + "'; expected plain or chatml");
}

const char* to_string(ChatFormat format) {
  switch (format) {
    case ChatFormat::plain: return "plain";
    case ChatFormat::chatml: return "chatml";
  }
  RLAIF_CHECK(false, "a chat format without a name");
}

ChatEncoder::ChatEncoder(const Tokenizer& tokenizer, ChatFormat format, std::string system)
    : tokenizer_(&tokenizer), format_(format), system_(std::move(system)) {
  if (format == ChatFormat::chatml) {
    start_ = special_token(tokenizer, format, "<|im_start|>");
    end_ = special_token(tokenizer, format, "<|im_end|>");
    newline_ = tokenizer.encode("\n");  // a piece between two special tokens, encoded as the reference does
    return;
  }
  end_ = special_token(tokenizer, format, "<|endoftext|>");
  // Not encoded: a prefix space would come before it.
  const auto newline = tokenizer.token_to_id("Ċ");
  if (!newline) throw input_error("chat format plain needs a token for the line end ('Ċ'), which the tokenizer lacks");
  newline_ = {*newline};
}

void ChatEncoder::append_text(std::string_view text, std::vector<TokenId>& out) const {
  const std::vector<TokenId> tokens = tokenizer_->encode(text, SpecialText::as_text);
  out.insert(out.end(), tokens.begin(), tokens.end());
}

void ChatEncoder::append_turn(const Message& message, std::vector<TokenId>& out) const {
  check_role(message.role);
  if (format_ == ChatFormat::chatml) {
    out.push_back(start_);
    append_text(message.role + "\n" + message.content, out);
    out.push_back(end_);
  } else {
    append_text(message.content, out);
  }
  out.insert(out.end(), newline_.begin(), newline_.end());
}

std::vector<TokenId> ChatEncoder::prompt(std::string_view user) const {
  return prompt(std::vector<Message>{{"user", std::string(user)}});
}

std::vector<TokenId> ChatEncoder::prompt(const std::vector<Message>& messages) const {
  if (messages.empty()) throw input_error("a conversation without messages; expected at least one");
  std::vector<TokenId> tokens;
  if (!system_.empty() && messages.front().role != "system") append_turn({"system", system_}, tokens);
  for (const Message& message : messages) append_turn(message, tokens);
  if (format_ == ChatFormat::chatml) {
    tokens.push_back(start_);
    append_text("assistant\n", tokens);
  }
  return tokens;
}

std::vector<TokenId> ChatEncoder::completion(std::string_view text) const {
  std::vector<TokenId> tokens;
  append_text(text, tokens);
  tokens.push_back(end_);
  return tokens;
}

}  // namespace rlaif::text
