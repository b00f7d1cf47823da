// A question to a server, and what it may cost before it is sent.
//   const Pricer pricer("judge ai", options, protocol, price, {}, constant_turns, 1);
//   Question question = pricer.question(turns, seed, 0);   // question.worst_usd is what is held for it
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/cost/prices.hpp"
#include "rlaif/remote/answer_cache.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::remote {

// One request and its answer.
struct Question {
  RequestHash hash;
  std::uint64_t topic = 0;  // equal for questions about the same texts
  std::string body;
  std::int64_t most_input_tokens = 0, likely_input_tokens = 0;
  std::int64_t most_written_tokens = 0;  // of most_input_tokens, those that may go into the server's cache
  double worst_usd = 0.0;
  std::optional<std::string> reply;               // body of a 2xx reply
  VerdictStatus status = VerdictStatus::missing;  // where there is no reply: why
};

// Makes questions of conversations that begin alike, and knows what they cost.
class Pricer {
 public:
  // `opening`: the turns at the beginning that are the same in every conversation. `requests_a_label`: over so many the
  // price of a label is shared out. Throws Error(usage) for options out of range. Keeps a reference to the protocol.
  Pricer(const std::string& asker, const ServerOptions& options, const Protocol& protocol, cost::Price price,
         TokenCount count_tokens, std::span<const text::Message> opening, int requests_a_label);

  // `seed`: of the request's draws. `sample`: which of several answers to the same turns.
  Question question(const std::vector<text::Message>& turns, std::uint64_t seed, int sample) const;
  std::string url() const { return base_url_ + protocol_->path(); }
  // Of one request: its tokens, and its share of the label's price.
  double request_usd(const Usage& usage, std::int64_t cache_write_tokens) const;
  // Expected of the opening.
  std::int64_t likely_opening_tokens() const { return opening_.likely; }
  // The most that a question may use.
  Usage worst_usage(const Question& question) const;

 private:
  struct Tokens {
    std::int64_t most = 0, likely = 0;
  };
  Tokens tokens_of(std::span<const text::Message> turns) const;

  std::string base_url_;
  int max_output_tokens_;
  const Protocol* protocol_;
  cost::Price price_;
  TokenCount count_tokens_;
  std::size_t opening_turns_;
  Tokens opening_;
  int requests_a_label_;
};

// The bill beforehand.
struct Estimate {
  std::int64_t requests = 0, stored = 0;  // stored: answered already, not in the rest
  std::int64_t too_long = 0;              // what does not fit the context, and is not asked
  // input by count_tokens or bytes / 4; cached: the opening in all requests but the first, where it is long enough for the
  // vendors' caches (1,024 tokens); output as in `answer_tokens` each
  Usage likely;
  Usage worst;                   // what would be held
  double least_request_usd = 0;  // held for the cheapest request: with less money not even that one is sent
};
// Of questions that differ from one another. `answers` may be absent: then nothing is stored.
Estimate estimate(std::span<const Question* const> questions, const Pricer& pricer, const Protocol& protocol,
                  const AnswerCache* answers, std::int64_t answer_tokens);

}  // namespace rlaif::remote
