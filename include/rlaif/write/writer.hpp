// Whoever writes a text when asked: a model of this process, or one behind HTTP.
//   const auto writer = make_local_writer("self", model, chat, {.max_new_tokens = 60, .seed = 1});
//   for (const Written& one : writer->write(requests))
//     if (one.status == VerdictStatus::ok) use(one.text);
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlaif/cost/meter.hpp"
#include "rlaif/cost/prices.hpp"
#include "rlaif/remote/question.hpp"
#include "rlaif/text/chat.hpp"

namespace rlaif::model {
class Transformer;
}

namespace rlaif::write {

struct Request {
  std::uint64_t id = 0;              // keys the draws: unique among what a writer is asked for in a run
  std::vector<text::Message> turns;  // the last is the user's
};

// Only `ok` carries a text, which is whole and not blank. truncated: it was cut off, or the request does not fit the context;
// unparseable: a blank answer.
struct Written {
  VerdictStatus status = VerdictStatus::missing;
  std::string text;  // without white space around it, and without the thoughts of a reasoning model
  Usage usage;
};

class Writer {
 public:
  virtual ~Writer() = default;
  virtual const std::string& name() const = 0;
  // One text a request, in their order.
  virtual std::vector<Written> write(std::span<const Request> requests) = 0;
};

// --- a model in this process

struct LocalOptions {
  double temperature = 0.0;  // 0: greedy
  int top_k = 0;             // 0: off
  double top_p = 1.0;        // 1: off
  int max_new_tokens = 64;
  int slots = 64;
  std::uint64_t seed = 0;
};
// The model and the chat encoder must outlive the writer. What is written depends on the request and its id alone.
std::unique_ptr<Writer> make_local_writer(std::string name, const model::Transformer& model,
                                          const text::ChatEncoder& chat, LocalOptions options);

// --- a server

struct RemoteOptions : remote::ServerOptions {
  std::int64_t context_tokens = 0;  // longer requests get status truncated unasked; 0: the server decides
  std::uint64_t seed = 0;           // of the run
};
RemoteOptions openai_options();
RemoteOptions anthropic_options();

struct RemoteParts {
  cost::Price price;
  std::shared_ptr<remote::AnswerCache> answers;
  std::shared_ptr<cost::SpendMeter> meter;
  remote::TokenCount count_tokens;  // absent: a byte a token where money is held, four where a bill is estimated
};

// Answers are stored under the request and its id before one of them is used, so that each is paid once; usage holds what they
// cost when they were paid. Throws Error(usage): options out of range, and what remote::Client throws.
std::unique_ptr<Writer> make_openai_writer(std::string name, RemoteOptions options, RemoteParts parts);
std::unique_ptr<Writer> make_anthropic_writer(std::string name, RemoteOptions options, RemoteParts parts);

// The bill beforehand. RemoteParts::answers and meter may be absent: then nothing is stored.
remote::Estimate estimate_openai(const RemoteOptions& options, const RemoteParts& parts,
                                 std::span<const Request> requests, std::int64_t answer_tokens);
remote::Estimate estimate_anthropic(const RemoteOptions& options, const RemoteParts& parts,
                                    std::span<const Request> requests, std::int64_t answer_tokens);

}  // namespace rlaif::write
