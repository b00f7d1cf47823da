#include "rlaif/text/chat.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <span>

#include "rlaif/core/error.hpp"
#include "tokenizer/regex.hpp"

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

void check_role(const std::string& role) {
  if (role != "system" && role != "user" && role != "assistant") {
    throw input_error("role '" + role + "' in a conversation; expected system, user or assistant");
  }
}

bool is_prefix(const std::vector<TokenId>& head, const std::vector<TokenId>& whole) {
  return whole.size() >= head.size() && std::equal(head.begin(), head.end(), whole.begin());
}

std::string text_of(std::span<const TemplatePiece> pieces) {
  std::string text;
  for (const TemplatePiece& piece : pieces) text += piece.text;
  return text;
}

// The pieces from the last special token on that the template wrote; all of them where there is none. Special tokens
// part a text, so that what stands before them has no say in what follows.
std::vector<TemplatePiece> from_last_token(const Tokenizer& tokenizer, std::vector<TemplatePiece> pieces) {
  for (std::size_t i = pieces.size(); i-- > 0;) {
    if (pieces[i].special == SpecialText::as_text) continue;
    std::size_t last = std::string::npos;
    for (const AddedToken& token : tokenizer.added_tokens()) {
      const std::size_t found =
          token.special && !token.content.empty() ? pieces[i].text.rfind(token.content) : std::string::npos;
      if (found != std::string::npos && (last == std::string::npos || found > last)) last = found;
    }
    if (last == std::string::npos) continue;
    pieces[i].text.erase(0, last);
    pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  return pieces;
}

// Words in brackets, as marks of turns are: <|user|>, [INST], <<SYS>>. How often each stands in what the template
// wrote.
std::map<std::string, int> bracketed_words(std::span<const TemplatePiece> pieces) {
  static const Regex pattern(R"(<<[^\s<>\[\]]{1,40}>>|<[^\s<>\[\]]{1,40}>|\[[^\s<>\[\]]{1,40}\])");
  std::map<std::string, int> words;
  for (const TemplatePiece& piece : pieces) {
    if (piece.special == SpecialText::as_text) continue;
    pattern.for_each_match(piece.text,
                           [&](std::size_t begin, std::size_t end) { ++words[piece.text.substr(begin, end - begin)]; });
  }
  return words;
}

// As a text of a template.
std::string template_literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

ChatEncoder::ChatEncoder(const Tokenizer& tokenizer, ChatFormat format, std::string system)
    : ChatEncoder(tokenizer, chat_style(format), std::move(system)) {}

ChatEncoder::ChatEncoder(const Tokenizer& tokenizer, ChatStyle style, std::string system)
    : tokenizer_(&tokenizer), style_(std::move(style)), system_(std::move(system)) {
  if (!style_.date.empty() && !templates::is_template_date(style_.date))
    throw usage_error("task.date = '" + style_.date + "' is no day; expected one as YYYY-MM-DD");
  if (style_.format == ChatFormat::plain) {
    end_ = special_token(tokenizer, ChatFormat::plain, plain_end_token(tokenizer));
    newline_ = line_end(tokenizer);
    return;
  }
  for (const std::string& token : style_.control) special_token(tokenizer, *style_.format, token);
  template_ = templates::ChatTemplate::parse(style_.chat_template, style_.file);
  learn_answer();
  for (std::string& mark : style_.format ? std::vector<std::string>(style_.marks) : turn_marks()) {
    if (find_special(tokenizer, mark) == nullptr) broken_marks_.push_back(std::move(mark));
  }
}

// How a prompt ends, what comes between that and an answer, and what ends one.
void ChatEncoder::learn_answer() {
  const Message answer{"assistant", "a"};
  std::vector<Message> talk{{"user", "u"}};
  if (!try_render(talk, true) && try_render({{"system", "s"}, talk.front()}, true))
    talk.insert(talk.begin(), {"system", "s"});
  const Pieces prompt = render(talk, true);
  opening_ = from_last_token(*tokenizer_, prompt);
  std::string tail;
  talk.push_back(answer);
  if (const auto answered = try_render(talk, false)) {
    std::size_t last = answered->size();
    while (last > 0 && (*answered)[last - 1].special != SpecialText::as_text) --last;
    if (last > 0 && (*answered)[last - 1].text == answer.content) {
      tail = text_of(std::span(*answered).subspan(last));
      const std::string before = text_of(std::span(*answered).first(last - 1)), opened = text_of(prompt);
      // White space is part of how answers are written; a turn that no prompt opens is not.
      if (before.starts_with(opened) && before.find_first_not_of(" \n", opened.size()) == std::string::npos)
        lead_ = before.substr(opened.size());
    }
  }
  end_ = style_.format ? special_token(*tokenizer_, *style_.format, style_.control.back()) : end_behind(tail);
}

TokenId ChatEncoder::end_behind(const std::string& tail) const {
  const std::string eos = style_.tokens.value("eos_token", "");
  const TokenId eos_id = eos.empty() ? -1 : tokenizer_->token_to_id(eos).value_or(-1);
  const TemplatePiece piece{tail, SpecialText::as_tokens};
  for (const TokenId id : tokenizer_->encode_template(std::span(&piece, 1))) {
    const auto& added = tokenizer_->added_tokens();
    const bool special = std::any_of(added.begin(), added.end(),
                                     [&](const AddedToken& token) { return token.id == id && token.special; });
    if (special || id == eos_id) return id;
  }
  if (eos_id >= 0) return eos_id;
  throw input_error(style_.file, "the chat template writes no special token behind an answer" +
                                     (eos.empty() ? ", and tokenizer_config.json names no eos_token"
                                                  : ", and the tokenizer lacks the eos_token '" + eos + "'") +
                                     "; expected one of them, or nothing says where an answer ends");
}

// What the template writes once more for every exchange, or for a system turn. The marks around thoughts belong to
// answers.
std::vector<std::string> ChatEncoder::turn_marks() const {
  const Message system{"system", "s"}, question{"user", "u"}, answer{"assistant", "a"};
  const auto fewer = try_render({question}, false);
  std::set<std::string> marks;
  for (const auto& talk : {std::vector<Message>{question, answer, question}, std::vector<Message>{system, question}}) {
    const auto more = fewer ? try_render(talk, false) : std::nullopt;
    if (!more) continue;
    const std::map<std::string, int> before = bracketed_words(*fewer);
    for (const auto& [word, count] : bracketed_words(*more)) {
      const auto known = before.find(word);
      const bool letters =
          std::any_of(word.begin(), word.end(), [](unsigned char c) { return std::isalpha(c) != 0 || c >= 0x80; });
      if (letters && count > (known == before.end() ? 0 : known->second) && word.find("think") == std::string::npos)
        marks.insert(word);
    }
  }
  return {marks.begin(), marks.end()};
}

void ChatEncoder::break_marks(Pieces& pieces) const {
  for (TemplatePiece& piece : pieces) {
    if (piece.special != SpecialText::as_text) continue;
    for (const std::string& mark : broken_marks_) {
      for (std::size_t at = 0; (at = piece.text.find(mark, at)) != std::string::npos;) piece.text.insert(at + 1, " ");
    }
  }
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

std::vector<Message> ChatEncoder::with_system(const std::vector<Message>& messages) const {
  if (messages.empty()) throw input_error("a conversation without messages; expected at least one");
  for (const Message& message : messages) check_role(message.role);
  std::vector<Message> turns;
  if (!system_.empty() && messages.front().role != "system") turns.push_back({"system", system_});
  turns.insert(turns.end(), messages.begin(), messages.end());
  return turns;
}

ChatEncoder::Pieces ChatEncoder::render(const std::vector<Message>& messages, bool opens_answer) const {
  // Tools and documents are there and none, as transformers gives them.
  Json variables = style_.tokens;
  variables["messages"] = Json::array();
  for (const Message& message : messages)
    variables["messages"].push_back({{"role", message.role}, {"content", message.content}});
  variables["add_generation_prompt"] = opens_answer;
  variables["tools"] = variables["documents"] = nullptr;
  Pieces pieces;
  for (templates::Piece& piece : template_->render(variables, style_.date)) {
    const bool is_markup = piece.origin == templates::Origin::markup;
    pieces.push_back({std::move(piece.text), is_markup ? SpecialText::as_tokens : SpecialText::as_text});
  }
  break_marks(pieces);
  return pieces;
}

// Nothing where the template refuses the conversation.
std::optional<ChatEncoder::Pieces> ChatEncoder::try_render(const std::vector<Message>& messages,
                                                           bool opens_answer) const {
  try {
    return render(messages, opens_answer);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<TokenId> ChatEncoder::prompt(std::string_view user) const {
  return prompt(std::vector<Message>{{"user", std::string(user)}});
}

std::vector<TokenId> ChatEncoder::prompt(const Prompt& prompt) const {
  return prompt.turns.empty() ? this->prompt(prompt.text) : this->prompt(prompt.turns);
}

std::vector<TokenId> ChatEncoder::prompt(const std::vector<Message>& messages) const {
  const std::vector<Message> turns = with_system(messages);
  return template_ ? tokenizer_->encode_template(render(turns, true)) : plain_prompt(turns);
}

std::vector<TokenId> ChatEncoder::answered(const Prompt& prompt, std::string_view answer) const {
  if (!template_) {
    std::vector<TokenId> tokens = this->prompt(prompt);
    const std::vector<TokenId> rest = completion(answer);
    tokens.insert(tokens.end(), rest.begin(), rest.end());
    return tokens;
  }
  std::vector<Message> turns =
      with_system(prompt.turns.empty() ? std::vector<Message>{{"user", prompt.text}} : prompt.turns);
  turns.push_back({"assistant", std::string(answer)});
  return tokenizer_->encode_template(render(turns, false));
}

std::vector<TokenId> ChatEncoder::completion(std::string_view text) const {
  std::vector<TokenId> tokens;
  if (!template_) {
    tokens = tokenizer_->encode(text, SpecialText::as_text);
  } else {
    // Encoded where it stands: behind the opening of its turn no tokenizer puts a space of its own before it.
    Pieces pieces = opening_;
    const std::vector<TokenId> head = tokenizer_->encode_template(pieces);
    pieces.push_back({lead_, SpecialText::as_tokens});
    pieces.push_back({std::string(text), SpecialText::as_text});
    break_marks(pieces);
    const std::vector<TokenId> whole = tokenizer_->encode_template(pieces);
    if (is_prefix(head, whole)) {
      tokens.assign(whole.begin() + static_cast<std::ptrdiff_t>(head.size()), whole.end());
    } else {  // its first characters join the opening's last ones: as a text of its own
      tokens = tokenizer_->encode_template(std::span(pieces).last(2));
    }
  }
  tokens.push_back(end_);
  return tokens;
}

std::string ChatEncoder::template_text() const {
  if (template_) return template_->source();
  std::string begin;
  for (const TokenId id : tokenizer_->begin_tokens()) begin += tokenizer_->id_to_token(id);
  return (begin.empty() ? "" : "{{ " + template_literal(begin) + " }}") + plain_template();
}

}  // namespace rlaif::text
