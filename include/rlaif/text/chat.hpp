// Chat formats: how a prompt becomes the tokens that a completion follows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rlaif/text/tokenizer.hpp"

namespace rlaif::text {

enum class ChatFormat { plain, chatml };
ChatFormat parse_chat_format(std::string_view name);  // throws Error(usage) naming the known formats
const char* to_string(ChatFormat format);

struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// Turns conversations into tokens. Contents are always encoded as text: they cannot turn into control tokens.
//   plain:  content of each turn, then "\n"; the completion follows, ended by <|endoftext|>
//   chatml: <|im_start|>role\ncontent<|im_end|>\n ... <|im_start|>assistant\n; ended by <|im_end|>
// A system text that is not empty becomes the first turn, unless the messages start with a system turn themselves.
class ChatEncoder {
 public:
  // Throws Error(input) where the tokenizer lacks a token that the format needs, or holds an end or start token that
  // is not special. Keeps a reference to the tokenizer.
  ChatEncoder(const Tokenizer& tokenizer, ChatFormat format, std::string system = "");

  std::vector<TokenId> prompt(std::string_view user) const;
  // Throws Error(input) where there is no message or a role is not one of the three.
  std::vector<TokenId> prompt(const std::vector<Message>& messages) const;
  std::vector<TokenId> completion(std::string_view text) const;  // with the end token at its end
  TokenId end_token() const { return end_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  void append_turn(const Message& message, std::vector<TokenId>& out) const;
  void append_text(std::string_view text, std::vector<TokenId>& out) const;

  const Tokenizer* tokenizer_;
  ChatFormat format_;
  std::string system_;
  TokenId start_ = 0, end_ = 0;    // start_: chatml only
  std::vector<TokenId> newline_;  // what follows a turn
};

}  // namespace rlaif::text
