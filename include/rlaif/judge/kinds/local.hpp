// A language model in this process as judge: log-probabilities of the two verdict tokens after a prompt.
#pragma once

#include <memory>
#include <string>

#include "rlaif/generate/engine.hpp"
#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/scorer.hpp"
#include "rlaif/text/chat.hpp"
#include "rlaif/text/conversation.hpp"

namespace rlaif::judge {

struct LocalJudgeOptions {
  Orders orders = Orders::both;
  int max_rationale_tokens = 32;  // rationale_first only; greedy decoding
  double label_clamp_low = 0.0;   // p_first is clamped to [low, high]; p_first_by_order is not
  double label_clamp_high = 1.0;
  int slots = 64;
  PrincipleUse principle_use = PrincipleUse::sample;
  std::uint64_t seed = 0;    // draws the principle where there are several, and fences, keyed by comparison id
  ScoreOptions scores = {};  // where the conversation asks for a score
};

// P(shown first is better) = softmax over the log-probabilities of the two verdict tokens, after a greedily decoded
// rationale where the style has it first (Lee et al. 2309.00267, section 3.1). The model, tokenizer and chat encoder
// must outlive the judge. `principles` are empty where the conversation has no place for them. A comparison that does not fit the
// context gets status truncated and costs nothing.
// A conversation that asks for scores makes a scoring judge (judge/scorer.hpp): a response's score is the expectation over the
// scale's numbers after its rationale, as a reward on [-1, 1], principle by principle where principle_use is each; a number of
// several tokens is what these make together. A rationale that does not end within max_rationale_tokens is truncated.
// Usage: input_tokens of all orders, of them those that the second order shares with the first as cached;
// output_tokens: the rationales' and one verdict an order. Throws Error(input) where the template's verdicts are not
// two different tokens, or the tokenizer does not fit model or template; Error(usage) for options out of range.
std::unique_ptr<Judge> make_local_judge(std::string name, const model::Transformer& model,
                                        const text::ChatEncoder& chat, text::Conversation prompt,
                                        Constitution principles, LocalJudgeOptions options, cost::Price price);

}  // namespace rlaif::judge
