// Judges behind an HTTP interface.
//   RemoteOptions options = openai_options();
//   options.model = "gpt-4.1-mini";
//   const auto judge = make_openai_judge("ai", options, {.style = text::Conversation::load("zero_shot.txt"), ...});
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "rlaif/cost/meter.hpp"
#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/scorer.hpp"
#include "rlaif/remote/question.hpp"
#include "rlaif/text/conversation.hpp"

namespace rlaif::judge {

using remote::AnswerCache, remote::Estimate, remote::TokenCount;

// `samples` of the server are answers an order: P(first) is their mean, a tie counts half.
struct RemoteOptions : remote::ServerOptions {
  Orders orders = Orders::both;
  double least_label_mass = 0.1;  // of both labels together, below which log-probabilities hold no verdict
  PrincipleUse principle_use = PrincipleUse::sample;  // one drawn by comparison, or all, numbered
  std::int64_t context_tokens = 0;  // longer comparisons get status truncated unasked; 0: the server decides
  std::uint64_t seed = 0;           // of the run: fences, principles, seeds
  ScoreOptions scores = {};         // where the style asks for a score
};
RemoteOptions openai_options();
RemoteOptions anthropic_options();

// What a remote judge works with beside its options.
struct RemoteParts {
  text::Conversation style;  // with a place for a fence; its verdicts are two words of letters and digits
  Constitution principles;   // empty where the style has no place for them
  cost::Price price;         // per_label_usd is shared out over the requests of a comparison
  std::shared_ptr<AnswerCache> answers;
  std::shared_ptr<cost::SpendMeter> meter;
  TokenCount count_tokens;  // absent: a byte a token where money is held, four where a bill is estimated
};

// P(first) of an order from log-probabilities, from one text (1, 0, a tie 0.5), or the mean over samples of which more
// than half must be ok; both orders must be ok. The answers of a call are stored before one of them is used. Usage holds what
// the answers cost when they were paid, also where they come from the store.
// A conversation that asks for scores makes a scoring judge (judge/scorer.hpp): a score is the expectation over the numbers that the
// log-probabilities list, the number said, or the mean over samples, as a reward on [-1, 1], principle by principle where
// principle_use is each. The price of a label is then that of a response.
// Throws Error(usage): options out of range, and what remote::Client throws.
std::unique_ptr<Judge> make_openai_judge(std::string name, RemoteOptions options, RemoteParts parts);
std::unique_ptr<Judge> make_anthropic_judge(std::string name, RemoteOptions options, RemoteParts parts);

// The bill beforehand, from the real prompts, where the judge is asked about these pairs, or about the first response of each alone;
// what a gate may leave out is asked. RemoteParts::answers and meter may be absent: then nothing is stored.
Estimate estimate_openai(const RemoteOptions& options, const RemoteParts& parts,
                         std::span<const Comparison> comparisons, std::int64_t answer_tokens,
                         AsksAbout about = AsksAbout::pairs);
Estimate estimate_anthropic(const RemoteOptions& options, const RemoteParts& parts,
                            std::span<const Comparison> comparisons, std::int64_t answer_tokens,
                            AsksAbout about = AsksAbout::pairs);

}  // namespace rlaif::judge
