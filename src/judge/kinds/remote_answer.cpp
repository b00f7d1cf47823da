#include "remote_answer.hpp"

#include "rlaif/judge/prompts/parser.hpp"
#include "rlaif/text/thoughts.hpp"

namespace rlaif::judge {

SaidAnswer said_in(const remote::Answer& answer, const remote::Protocol& protocol, bool at_once) {
  const bool has_tokens = protocol.asks_log_probs() && !answer.tokens.empty();
  if (answer.status != VerdictStatus::ok && !(answer.is_cut && at_once && has_tokens)) return {answer.status, "", {}};
  const text::ThoughtfulAnswer said = text::answer_after_thoughts(answer.text);
  // A thought that was cut may stand beside the text, which is empty then.
  if (said.is_thinking || (answer.is_cut && answer.text.empty())) return {VerdictStatus::truncated, "", {}};
  SaidAnswer result{VerdictStatus::ok, said.text, {}};
  if (has_tokens) result.tokens = tokens_of_answer(answer.tokens, said.text);
  return result;
}

}  // namespace rlaif::judge
