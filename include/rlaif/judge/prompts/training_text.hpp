// What a judge reads and says, in tokens: one definition for training a judge and for asking it.
//   const JudgeEncoder encoder(chat, text::Conversation::load("judge_verdict_first.txt"));
//   engine.next_token_log_probs({encoder.context(texts)}, {encoder.first_token(), encoder.second_token()});
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/text/chat.hpp"
#include "rlaif/text/conversation.hpp"

namespace rlaif::judge {

enum class Segment : std::uint8_t {
  context,    // given: the rendered template, cues, and the end token after a verdict
  verdict,    // the verdict text
  rationale,  // the rationale, with its end token where it comes last
};

struct TextPiece {
  Segment segment = Segment::context;
  std::string text;
};

// A judged comparison, or a scored response, as text, cut where the kind changes. Joined it reads, with the templates of inputs/,
//   verdict_first:   <template ending in "Verdict:"> A <rationale_cue> rationale
//   rationale_first: <template ending in "Reason:"> rationale <verdict_cue> A
// (line breaks and spaces are the pieces' own). `answer`: which of prompt.answers() is right.
std::vector<TextPiece> training_pieces(const text::Conversation& prompt, const text::ShownTexts& texts,
                                       const std::string& rationale, std::size_t answer);
// Of a comparison.
inline std::size_t better_is(bool first) { return first ? 0 : 1; }

struct TrainingTokens {
  std::vector<TokenId> tokens;
  std::vector<Segment> segments;  // one per token
};

// The template's texts as tokens of one model. Pieces are encoded one by one, each as it stands after other text, so
// tokens never reach across the boundary between context, rationale and verdict.
class JudgeEncoder {
 public:
  // Keeps a reference to `chat`. Throws Error(input) where a verdict, score or cue does not follow text as tokens of its own,
  // or both verdicts begin with one token. Scores may: "10" may be the tokens of "1" and "0".
  JudgeEncoder(const text::ChatEncoder& chat, text::Conversation prompt);

  // What the model continues. Texts are encoded as text: they cannot turn into control tokens.
  std::vector<TokenId> context(const text::ShownTexts& texts) const;
  TokenId first_token() const { return answers_[0].front(); }  // "the one shown first is better"
  TokenId second_token() const { return answers_[1].front(); }
  // What may be said, as tokens: those of prompt().answers(), in order.
  const std::vector<std::vector<TokenId>>& answers() const { return answers_; }
  const std::vector<TokenId>& verdict_cue() const { return verdict_cue_; }
  // Tokens that end a rationale: the end token and every token with a line break in it.
  const std::vector<TokenId>& rationale_stops() const { return rationale_stops_; }
  // A decoded rationale as text, without the space it begins with.
  std::string rationale_text(const std::vector<TokenId>& tokens) const;

  // The pieces of training_pieces as tokens, then the end token.
  TrainingTokens training(const text::ShownTexts& texts, const std::string& rationale, std::size_t answer) const;

  const text::Conversation& prompt() const { return prompt_; }

 private:
  const text::ChatEncoder* chat_;
  text::Conversation prompt_;
  std::vector<std::vector<TokenId>> answers_;
  std::vector<TokenId> verdict_cue_, rationale_stops_;
};

}  // namespace rlaif::judge
