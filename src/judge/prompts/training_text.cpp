#include "rlaif/judge/prompts/training_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

using text::Conversation;
using Style = Conversation::Style;
using Wrap = Conversation::Wrap;

bool is_prefix(const std::vector<TokenId>& head, const std::vector<TokenId>& whole) {
  return head.size() < whole.size() && std::equal(head.begin(), head.end(), whole.begin());
}

// Tokens of `piece` as it stands after other text. Where the tokenizer puts a space before every text, that space is
// taken off again by encoding the piece behind an anchor.
std::vector<TokenId> tokens_after_text(const text::Tokenizer& tokenizer, const std::string& piece) {
  std::vector<TokenId> direct = tokenizer.encode(piece);
  if (tokenizer.decode(direct) == piece) return direct;
  for (const std::string anchor : {"x", "x:", "x\n"}) {
    const std::vector<TokenId> head = tokenizer.encode(anchor), whole = tokenizer.encode(anchor + piece);
    if (!is_prefix(head, whole)) continue;
    std::vector<TokenId> rest(whole.begin() + static_cast<std::ptrdiff_t>(head.size()), whole.end());
    if (tokenizer.decode(rest) == piece) return rest;
  }
  throw input_error("judge template: the tokenizer has no tokens of its own for '" + piece + "' after other text");
}

// Tokens of what the model answers first: after the template's text, or as a turn of its own.
std::vector<TokenId> answer_tokens(const text::ChatEncoder& chat, Wrap wrap, const std::string& piece) {
  if (wrap == Wrap::raw) return tokens_after_text(chat.tokenizer(), piece);
  std::vector<TokenId> tokens = chat.completion(piece);
  tokens.pop_back();  // the end token
  return tokens;
}

// A word after text takes a space; at the start of a turn, or after a line break or space, it does not.
std::string spaced(const std::string& before, const std::string& text) {
  const bool joined = before.empty() || before.back() == ' ' || before.back() == '\n';
  return text.empty() || joined ? text : " " + text;
}

// What the model's answer stands after: the template's end, or nothing where the answer is a turn of its own.
std::string before_answer(const Conversation& prompt) {
  return prompt.wrap == Wrap::raw ? prompt.turns.back().content : "";
}

std::string before_verdict(const Conversation& prompt) {
  return prompt.style == Style::verdict_first ? before_answer(prompt) : prompt.verdict_cue;
}

std::vector<TokenId> stops_with_line_break(const text::ChatEncoder& chat) {
  const text::Tokenizer& tokenizer = chat.tokenizer();
  std::vector<TokenId> stops{chat.end_token()};
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id)
    if (id != chat.end_token() && tokenizer.decode(std::array{id}).find('\n') != std::string::npos) stops.push_back(id);
  return stops;
}

}  // namespace

std::vector<TextPiece> training_pieces(const Conversation& prompt, const text::ShownTexts& texts,
                                       const std::string& rationale, std::size_t answer) {
  const std::string verdict = prompt.answers().at(answer);
  const TextPiece context{Segment::context, prompt.render_text(texts)};
  const TextPiece said{Segment::verdict, spaced(before_verdict(prompt), verdict)};
  if (prompt.style == Style::verdict_first)
    return {context,
            said,
            {Segment::context, prompt.rationale_cue},
            {Segment::rationale, spaced(prompt.rationale_cue, rationale)}};
  return {context,
          {Segment::rationale, spaced(before_answer(prompt), rationale)},
          {Segment::context, prompt.verdict_cue},
          said};
}

JudgeEncoder::JudgeEncoder(const text::ChatEncoder& chat, Conversation prompt)
    : chat_(&chat), prompt_(std::move(prompt)) {
  const text::Tokenizer& tokenizer = chat.tokenizer();
  const std::string before = before_verdict(prompt_);
  const auto verdict_tokens = [&](const std::string& verdict) {
    const std::string piece = spaced(before, verdict);
    if (before.empty()) return answer_tokens(chat, prompt_.wrap, piece);
    std::vector<TokenId> tokens = tokens_after_text(tokenizer, piece);
    // The same token must come where the text is encoded in one go, or the judge is asked for one it never says.
    std::string anchor = "x";
    anchor += before.substr(before.find_last_of('\n') + 1);
    const std::vector<TokenId> head = tokenizer.encode(anchor), whole = tokenizer.encode(anchor + piece);
    if (!is_prefix(head, whole) || whole[head.size()] != tokens.front())
      throw input_error("judge template: the answer '" + verdict + "' does not follow '" + anchor +
                        "' as a token of its own");
    return tokens;
  };
  for (const std::string& answer : prompt_.answers()) answers_.push_back(verdict_tokens(answer));
  if (!prompt_.scores && first_token() == second_token())
    throw input_error("judge template: the verdicts '" + prompt_.verdict_first + "' and '" + prompt_.verdict_second +
                      "' begin with the same token");
  verdict_cue_ = tokens_after_text(tokenizer, prompt_.verdict_cue);
  rationale_stops_ = stops_with_line_break(chat);
}

std::vector<TokenId> JudgeEncoder::context(const text::ShownTexts& texts) const {
  const std::vector<text::Message> turns = prompt_.render(texts);
  if (prompt_.wrap == Wrap::chat) return chat_->prompt(turns);
  RLAIF_CHECK(turns.size() == 1, "a text that a model continues is one turn");
  return chat_->tokenizer().encode(turns.front().content);
}

std::string JudgeEncoder::rationale_text(const std::vector<TokenId>& tokens) const {
  const std::string text = chat_->tokenizer().decode(tokens);
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

TrainingTokens JudgeEncoder::training(const text::ShownTexts& texts, const std::string& rationale,
                                      std::size_t answer) const {
  const auto pieces = training_pieces(prompt_, texts, rationale, answer);
  TrainingTokens result;
  const auto append = [&](Segment segment, const std::vector<TokenId>& tokens) {
    result.tokens.insert(result.tokens.end(), tokens.begin(), tokens.end());
    result.segments.insert(result.segments.end(), tokens.size(), segment);
  };
  append(Segment::context, context(texts));
  append(pieces[1].segment, answer_tokens(*chat_, prompt_.wrap, pieces[1].text));
  for (std::size_t i = 2; i < pieces.size(); ++i)
    append(pieces[i].segment, tokens_after_text(chat_->tokenizer(), pieces[i].text));
  append(prompt_.style == Style::verdict_first ? Segment::rationale : Segment::context, {chat_->end_token()});
  return result;
}

}  // namespace rlaif::judge
