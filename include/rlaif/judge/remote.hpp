// Judges behind an HTTP interface, and recorded ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/cost/meter.hpp"
#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/answer_cache.hpp"
#include "rlaif/judge/constitution.hpp"
#include "rlaif/judge/http.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/parser.hpp"

namespace rlaif::judge {

struct ChatTurn {
  std::string role;  // system, user, assistant
  std::string content;
};

// A conversation that ends with the question to the judge. A file: UTF-8 text with lines
//   %% answer: letter | reasoned   letter: the answer is a label alone; reasoned: it ends in "Verdict: LABEL"
//   %% verdicts: A B               the two labels
//   %% system, %% user, %% assistant   begin a turn; system may be the first only, then user and assistant by turns
// The last turn is the user's and holds {prompt}, {first}, {second} and {fence}: a random word that no text contains, for
// the marks around the texts that are judged. {principles} and {cases}, those of the principles, may stand in any turn; no
// other placeholder is known.
struct JudgeStyle {
  enum class Answer { letter, reasoned };
  Answer answer = Answer::reasoned;
  VerdictLabels labels;
  std::vector<ChatTurn> turns;
  // Throws Error(input) naming file and line.
  static JudgeStyle load(const std::filesystem::path& file);
  bool has_principles() const;  // or their cases
  // How many turns at the beginning are the same for every comparison: without placeholders, {principles} and {cases}
  // aside where these are always the same.
  std::size_t constant_turns(bool same_principles) const;
  std::vector<ChatTurn> render(const std::string& principles, const std::string& prompt, const std::string& first,
                               const std::string& second, const std::string& fence,
                               const std::string& cases = "(none)") const;
};

enum class OutputLimit { max_completion_tokens, max_tokens };  // the name of the field

struct RemoteOptions {
  std::string base_url;  // up to and without /chat/completions or /messages
  std::string model;
  std::string key_variable;  // name of the environment variable with the key; empty: no key is sent
  Orders orders = Orders::both;
  int max_output_tokens = 1024;                                   // reasoning tokens count
  OutputLimit output_limit = OutputLimit::max_completion_tokens;  // openai only
  int top_logprobs = 0;  // openai only, up to 20 at the vendor, 1000 elsewhere; 0: verdicts are read from the text
  double least_label_mass = 0.1;  // of both labels together, below which log-probabilities hold no verdict
  int samples = 1;  // answers an order; P(first) is their mean, a tie counts half. 1 with log-probabilities
  bool samples_in_one_request = false;                // openai only: as "n", so that the prompt is paid once
  std::optional<double> temperature, top_p;           // not sent where absent: some models refuse them
  bool send_seed = false;                             // openai only: a "seed" of its own for each request
  std::string reasoning_effort;                       // openai only; not sent where empty
  PrincipleUse principle_use = PrincipleUse::sample;  // one drawn by comparison, or all, numbered
  // anthropic only: the constant beginning of the conversation is marked for the server's prompt cache ("cache_control").
  // Not part of a request's hash: an answer is the same with and without.
  bool cache_prompt = true;
  std::int64_t context_tokens = 0;  // longer comparisons get status truncated unasked; 0: the server decides
  std::uint64_t seed = 0;           // of the run: fences, principles, seeds
  HttpOptions http;
};
RemoteOptions openai_options();     // https://api.openai.com/v1, OPENAI_API_KEY
RemoteOptions anthropic_options();  // https://api.anthropic.com/v1, ANTHROPIC_API_KEY

// Tokens of a text, where a tokenizer of the model is at hand.
using TokenCount = std::function<std::int64_t(const std::string&)>;

// What a remote judge works with beside its options.
struct RemoteParts {
  JudgeStyle style;
  Constitution principles;  // empty where the style has no place for them
  cost::Price price;        // per_label_usd is shared out over the requests of a comparison
  std::shared_ptr<AnswerCache> answers;
  std::shared_ptr<cost::SpendMeter> meter;
  TokenCount count_tokens;  // absent: a byte a token where money is held, four where a bill is estimated
};

// P(first) of an order from log-probabilities, from one text (1, 0, a tie 0.5), or the mean over samples of which more
// than half must be ok; both orders must be ok. The answers of a call are stored before one of them is used. Usage holds what
// the answers cost when they were paid, also where they come from the store.
// Throws Error(usage): options out of range, no key, a key, model or field that the server refuses at the first request.
// Throws Error(resource), after what is in flight has been stored: no connection at all, TLS, quota, the cap.
std::unique_ptr<Judge> make_openai_judge(std::string name, RemoteOptions options, RemoteParts parts);
std::unique_ptr<Judge> make_anthropic_judge(std::string name, RemoteOptions options, RemoteParts parts);

// The bill beforehand, from the real prompts. RemoteParts::answers and meter may be absent: then nothing is stored.
struct Estimate {
  std::int64_t requests = 0, stored = 0;  // stored: answered already, not in the rest
  std::int64_t too_long = 0;              // comparisons over context_tokens, which are not asked about
  // input by count_tokens or bytes / 4; cached: the constant beginning in all requests but the first, where it is long
  // enough for the vendors' caches (1,024 tokens); output as in `answer_tokens` each
  Usage likely;
  Usage worst;                   // what would be held
  double least_request_usd = 0;  // held for the cheapest request: with less money not even that one is sent
};
Estimate estimate_openai(const RemoteOptions& options, const RemoteParts& parts,
                         std::span<const Comparison> comparisons, std::int64_t answer_tokens);
Estimate estimate_anthropic(const RemoteOptions& options, const RemoteParts& parts,
                            std::span<const Comparison> comparisons, std::int64_t answer_tokens);

// Recorded verdicts: JSON Lines of {"pair_id": text, "judge": text, "style": text, "order": "ab" | "ba", "verdict": "a" |
// "b" | "tie" | null, "raw": text | null, "finish": text | null}, "raw" and "finish" optional, further keys ignored.
// "verdict" is in the pair's own frame, "ab" is first shown first. null is unparseable, or by `finish`: "length" truncated,
// "content_filter" filtered, "refusal" refused.
struct ReplayOptions {
  std::filesystem::path file;
  std::string judge, style;  // which records; may be empty where the file holds one only
  Orders orders = Orders::both;
  std::function<std::string(const Comparison&)> pair_id;  // absent: the comparison's id as digits
};
// Throws Error(input) naming file and line: a missing or wrong field, a second record for a pair and order; naming the
// file: nothing recorded for judge and style, or several where none was named. A comparison without a record is missing.
std::unique_ptr<Judge> make_replay_judge(std::string name, ReplayOptions options);

}  // namespace rlaif::judge
