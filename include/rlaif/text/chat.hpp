// Conversations as tokens: the prompt that a completion follows, and the completion.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/templates/chat_template.hpp"
#include "rlaif/text/chat_style.hpp"
#include "rlaif/text/tokenizer.hpp"

namespace rlaif::text {

using rlaif::Message;

// Turns conversations into tokens, by the template of a model or a format known by name. Contents are always encoded as
// text: they cannot turn into control tokens. Marks that part the turns of a template and are no tokens but text
// ([INST] of llama-2, <|user|> of zephyr) are broken in contents by a space.
//   plain:   content of each turn, then "\n"; the completion follows, ended by <|endoftext|>, </s> or <|end_of_text|>,
//            whichever the tokenizer has. What the tokenizer's post-processor puts first (<s>) comes first.
//   chatml:  <|im_start|>role\ncontent<|im_end|>\n ... <|im_start|>assistant\n; ended by <|im_end|>
//   llama-2: <s>[INST] <<SYS>>\nsystem\n<</SYS>>\n\ncontent [/INST] content </s> ...; ended by </s>
//   llama-3: <|begin_of_text|><|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|> ...; ended by <|eot_id|>
//   zephyr:  <|role|>\ncontent</s>\n ... <|assistant|>\n; ended by </s>
//   a model's own template: whatever it writes; ended by the first special token that it writes behind an answer, or by
//            eos_token where it writes none.
// A system text that is not empty becomes the first turn, unless the messages start with a system turn themselves.
// Without one a model's template writes its own, if it has one.
class ChatEncoder {
 public:
  // Throws Error(input) where the tokenizer lacks a token that a named format needs, or holds it as one that is not
  // special, and where nothing ends an answer; Error(usage) where the style's date is none. Keeps a reference to the
  // tokenizer.
  ChatEncoder(const Tokenizer& tokenizer, ChatStyle style, std::string system = "");
  ChatEncoder(const Tokenizer& tokenizer, ChatFormat format, std::string system = "");

  std::vector<TokenId> prompt(std::string_view user) const;
  std::vector<TokenId> prompt(const Prompt& prompt) const;
  // Throws Error(input) where there is no message, a role is not one of the three, or the template refuses the
  // conversation: the message is the template's.
  std::vector<TokenId> prompt(const std::vector<Message>& messages) const;
  // What follows a prompt, with the end token at its end: the text as it was written, whatever the template makes of
  // answers.
  std::vector<TokenId> completion(std::string_view text) const;
  // A conversation whose last turn is this answer, whole, as the template writes it: with what it puts behind the
  // answer's end. Plain: prompt and completion.
  std::vector<TokenId> answered(const Prompt& prompt, std::string_view answer) const;
  TokenId end_token() const { return end_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  // The template in use, as other programs read it from tokenizer_config.json or chat_template.jinja.
  std::string template_text() const;

 private:
  using Pieces = std::vector<TemplatePiece>;

  std::vector<Message> with_system(const std::vector<Message>& messages) const;
  Pieces render(const std::vector<Message>& messages, bool opens_answer) const;
  std::optional<Pieces> try_render(const std::vector<Message>& messages, bool opens_answer) const;
  std::vector<TokenId> plain_prompt(const std::vector<Message>& messages) const;
  void learn_answer();
  TokenId end_behind(const std::string& tail) const;
  std::vector<std::string> turn_marks() const;
  void break_marks(Pieces& pieces) const;

  const Tokenizer* tokenizer_;
  ChatStyle style_;
  std::string system_;
  std::optional<templates::ChatTemplate> template_;  // nothing: plain
  std::vector<std::string> broken_marks_;            // marks of turns that are text to this tokenizer
  Pieces opening_;                                   // a prompt's end, from its last control token on
  std::string lead_;                                 // white space that the template writes between that and an answer
  TokenId end_ = 0;
  TokenId newline_ = 0;  // plain only
};

}  // namespace rlaif::text
