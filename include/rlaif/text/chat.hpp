// Conversations as tokens: the prompt that a completion follows, and the completion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rlaif/text/chat_style.hpp"
#include "rlaif/text/tokenizer.hpp"

namespace rlaif::text {

struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// Turns conversations into tokens. Contents are always encoded as text: they cannot turn into control tokens. Where a
// format's marks are no tokens but text ([INST] of llama-2, <|user|> of zephyr), a space breaks them in contents.
//   plain:   content of each turn, then "\n"; the completion follows, ended by <|endoftext|>, </s> or <|end_of_text|>,
//            whichever the tokenizer has. What the tokenizer's post-processor puts first (<s>) comes first.
//   chatml:  <|im_start|>role\ncontent<|im_end|>\n ... <|im_start|>assistant\n; ended by <|im_end|>
//   llama-2: <s>[INST] <<SYS>>\nsystem\n<</SYS>>\n\ncontent [/INST] content </s> ...; ended by </s>
//   llama-3: <|begin_of_text|><|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|> ...; ended by <|eot_id|>
//   zephyr:  <|role|>\ncontent</s>\n ... <|assistant|>\n; ended by </s>
// A system text that is not empty becomes the first turn, unless the messages start with a system turn themselves.
class ChatEncoder {
 public:
  // An empty system text: that of the style. Throws Error(input) where the tokenizer lacks a token that the format
  // needs, or holds it as one that is not special. Keeps a reference to the tokenizer.
  ChatEncoder(const Tokenizer& tokenizer, ChatStyle style, std::string system = "");
  ChatEncoder(const Tokenizer& tokenizer, ChatFormat format, std::string system = "");

  std::vector<TokenId> prompt(std::string_view user) const;
  // Throws Error(input) where there is no message, a role is not one of the three, or llama-2's turns are not those of
  // user and assistant in alternation.
  std::vector<TokenId> prompt(const std::vector<Message>& messages) const;
  // What follows a prompt, with the end token at its end.
  std::vector<TokenId> completion(std::string_view text) const;
  TokenId end_token() const { return end_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const ChatStyle& style() const { return style_; }

 private:
  using Pieces = std::vector<TemplatePiece>;

  Pieces render(const std::vector<Message>& messages) const;
  Pieces render_llama2(const std::vector<Message>& messages) const;
  std::vector<TokenId> plain_prompt(const std::vector<Message>& messages) const;
  TemplatePiece content(std::string_view text) const;

  const Tokenizer* tokenizer_;
  ChatStyle style_;
  std::vector<std::string> broken_marks_;  // marks of the format that are text to this tokenizer
  TokenId end_ = 0;
  TokenId newline_ = 0;  // plain only
};

}  // namespace rlaif::text
