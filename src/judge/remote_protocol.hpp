// What differs from one vendor's interface to another's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/judge/remote.hpp"
#include "server_words.hpp"

namespace rlaif::judge {

// One of the answers of a reply.
struct RemoteAnswer {
  VerdictStatus status = VerdictStatus::ok;  // ok: the text is whole and may hold a verdict
  bool is_cut = false;                       // ended by the output limit (status truncated)
  std::string text;
  std::vector<TokenPosition> tokens;
};

struct RemoteReply {
  std::optional<ServerError> error;   // the body is no answer, whatever its HTTP status was; then `answers` are empty
  std::vector<RemoteAnswer> answers;  // at least one where there is no error
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
  virtual Json body(const std::vector<ChatTurn>& turns, std::uint64_t seed) const = 0;
  // Marks the first `turns` turns of such a body for the server's cache, where the protocol has a mark.
  virtual void mark_cached(Json&, std::size_t) const {}
  virtual bool marks_cached() const { return false; }
  virtual int answers_a_request() const = 0;
  // What to do where a server writes more than it was allowed.
  virtual std::string output_limit_advice() const = 0;
  virtual bool asks_log_probs() const { return false; }
  virtual RemoteReply read(const std::string& body) const = 0;
};

// What ended an answer, in the words of all vendors: the output limit (truncated; `is_cut`), moderation, a refusal, a fault of the
// server (missing), or the answer's own end (ok; also any other word).
struct Ending {
  VerdictStatus status = VerdictStatus::ok;
  bool is_cut = false;
};
Ending ending_of(const std::string& finish_reason);

std::unique_ptr<Protocol> make_openai_protocol(const RemoteOptions& options);
std::unique_ptr<Protocol> make_anthropic_protocol(const RemoteOptions& options);

// A whole number of at least 0 at object[key], at most 2^31; else 0.
std::int64_t count_at(const Json& object, const char* key);
// Text at object[key], else empty.
std::string text_at(const Json& object, const char* key);

}  // namespace rlaif::judge
