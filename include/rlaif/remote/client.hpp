// Asks one server: every answer is paid for once, kept before it is used, and held against a cap while it is on its way.
//   Client client({"judge", "ai"}, options, *protocol, pricer, answers, meter);
//   client.ask(questions);   // each then has a reply, or a status that says why it has none
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/cost/asker.hpp"
#include "rlaif/cost/meter.hpp"
#include "rlaif/remote/question.hpp"

namespace rlaif::remote {

struct Failures;

class Client {
 public:
  // Keeps references to protocol and pricer. Throws Error(usage): no key in the environment variable that the options name.
  Client(cost::Asker asker, ServerOptions options, const Protocol& protocol, const Pricer& pricer,
         std::shared_ptr<AnswerCache> answers, std::shared_ptr<cost::SpendMeter> meter);

  // Fills replies in: from the store, else from the server. What was paid for is stored before this returns or throws.
  // Throws Error(usage): a key, model or field that the server refuses at the first request. Throws Error(resource), after
  // what is in flight has been stored: no connection at all, TLS, quota, the cap; Error(interrupted) where
  // HttpOptions::interrupted says so.
  void ask(std::span<Question* const> questions);

  // What an answer used; a reply that does not say it is taken to have used what it may.
  Usage usage_of(const Question& question, const Reply& reply) const;

 private:
  struct Sending;

  void send(std::vector<Sending>& sendings, bool is_answered);
  void refuse_wrong_setup(const Failures& failures, bool is_answered);
  HttpRuling examine(int status, const std::string& body) const;
  Error unsent(const std::vector<Sending>& sendings, const Failures& failures) const;
  std::string cap_text(bool nothing) const;
  HttpRequest request_of(const Question& question) const;
  double held_for(const Question& question) const;
  bool admit(Sending& sending);
  void arrived(Sending& sending, HttpReply&& reply, Failures& failures);
  void keep(Question& question, std::string body, double held_usd);
  void warn_of_output(std::int64_t tokens);
  std::string without_key(std::string text) const;

  cost::Asker asker_;
  ServerOptions options_;
  const Protocol* protocol_;
  const Pricer* pricer_;
  std::shared_ptr<AnswerCache> answers_;
  std::shared_ptr<cost::SpendMeter> meter_;
  std::string key_;
  HttpClient http_;
  bool has_worked_ = false, is_output_warned_ = false;
  std::set<std::uint64_t> refused_topics_;  // since the last answer
  double excess_usd_ = 0.0;                 // the most that an answer has cost above what it might
};

}  // namespace rlaif::remote
