// What differs from one vendor's interface to another's: how a question is put, and what a reply says.
//   const auto protocol = make_openai_protocol(options);
//   const Json body = protocol->body(turns, seed);   // to be posted to options.base_url + protocol->path()
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/remote/server.hpp"
#include "rlaif/remote/server_words.hpp"
#include "rlaif/text/conversation.hpp"

namespace rlaif::remote {

struct TokenLogProb {
  std::string token;
  double log_prob = 0.0;
};
// One generated token and the most probable ones in its place.
struct TokenPosition {
  std::string token;
  std::vector<TokenLogProb> top;
};

// One of the answers of a reply.
struct Answer {
  VerdictStatus status = VerdictStatus::ok;  // ok: the text is whole
  bool is_cut = false;                       // ended by the output limit (status truncated)
  std::string text;
  std::vector<TokenPosition> tokens;
};

struct Reply {
  std::optional<ServerError> error;  // the body is no answer, whatever its HTTP status was; then `answers` are empty
  std::vector<Answer> answers;       // at least one where there is no error
  bool has_usage = false;
  Usage usage;                          // without dollars
  std::int64_t cache_write_tokens = 0;  // of usage.input_tokens, those that went into a cache
  std::int64_t reasoning_tokens = 0;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual std::string path() const = 0;
  virtual std::vector<std::string> headers(const std::string& key) const = 0;
  // `seed` is that of the request's draws.
  virtual Json body(const std::vector<text::Message>& turns, std::uint64_t seed) const = 0;
  // Marks the first `turns` turns of such a body for the server's cache, where the protocol has a mark.
  virtual void mark_cached(Json&, std::size_t) const {}
  virtual bool marks_cached() const { return false; }
  virtual int answers_a_request() const = 0;
  // What to do where a server writes more than it was allowed.
  virtual std::string output_limit_advice() const = 0;
  virtual bool asks_log_probs() const { return false; }
  virtual Reply read(const std::string& body) const = 0;
};

std::unique_ptr<Protocol> make_openai_protocol(const ServerOptions& options);
std::unique_ptr<Protocol> make_anthropic_protocol(const ServerOptions& options);

}  // namespace rlaif::remote
