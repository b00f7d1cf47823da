// From comparisons to requests, before anything is sent.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "remote_protocol.hpp"

namespace rlaif::judge {

// One request and its answer.
struct Question {
  RequestHash hash;
  std::uint64_t pair = 0;  // equal for questions about the same texts
  std::string body;
  std::int64_t most_input_tokens = 0, likely_input_tokens = 0;
  std::int64_t most_written_tokens = 0;  // of most_input_tokens, those that may go into the server's cache
  double worst_usd = 0.0;
  std::optional<std::string> reply;               // body of a 2xx reply
  VerdictStatus status = VerdictStatus::missing;  // where there is no reply: why
};

// What is asked for a comparison: indices of questions by order; none where it does not fit the context.
struct Asked {
  bool fits = true;
  std::array<std::vector<std::size_t>, 2> by_order;
};

struct Plan {
  std::vector<Question> questions;  // without duplicates
  std::vector<Asked> asked;         // one a comparison
};

class Planner {
 public:
  // Throws Error(usage) for options out of range, Error(input) where style and principles do not fit one another.
  Planner(const std::string& name, const RemoteOptions& options, const RemoteParts& parts, const Protocol& protocol);

  Plan plan(std::span<const Comparison> comparisons) const;
  std::string url() const { return options_.base_url + protocol_->path(); }
  // Of one request: its tokens, and its share of the label's price.
  double request_usd(const Usage& usage, std::int64_t cache_write_tokens) const;
  // Expected of the constant turns at the beginning.
  std::int64_t likely_constant_tokens() const { return constant_.likely; }
  // The most that a question may use.
  Usage worst_usage(const Question& question) const;

 private:
  struct Tokens {
    std::int64_t most = 0, likely = 0;
  };
  Question question(const std::vector<ChatTurn>& turns, std::uint64_t comparison, std::size_t order, int sample) const;
  Tokens tokens_of(std::span<const ChatTurn> turns) const;

  RemoteOptions options_;
  RemoteParts parts_;
  const Protocol* protocol_;
  int requests_an_order_ = 1;
  std::size_t constant_turns_ = 0;  // at the beginning of every conversation
  Tokens constant_;                 // of those turns
};

}  // namespace rlaif::judge
