#include "rlaif/remote/client.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>

#include "failures.hpp"
#include "rlaif/core/log.hpp"
#include "stored.hpp"

namespace rlaif::remote {
namespace {

std::string key_of(const cost::Asker& asker, const ServerOptions& options) {
  if (options.key_variable.empty()) return "";
  const char* value = std::getenv(options.key_variable.c_str());
  if (value == nullptr || *value == '\0')
    throw usage_error(asker.text() + ": expected a key in the environment variable " + options.key_variable +
                      ", which is not set");
  const std::string key = value;
  if (key.find_first_of(" \t\r\n") != std::string::npos)
    throw usage_error(asker.text() + ": the key in the environment variable " + options.key_variable +
                      " holds white space");
  return key;
}

}  // namespace

// What became of a question on its way.
struct Client::Sending {
  std::size_t place = 0;  // among the questions of the call
  Question* question = nullptr;
  std::vector<double> holds;  // dollars reserved, one entry an attempt that may be billed
};

Client::Client(cost::Asker asker, ServerOptions options, const Protocol& protocol, const Pricer& pricer,
               std::shared_ptr<AnswerCache> answers, std::shared_ptr<cost::SpendMeter> meter)
    : asker_(std::move(asker)),
      options_(std::move(options)),
      protocol_(&protocol),
      pricer_(&pricer),
      answers_(std::move(answers)),
      meter_(std::move(meter)),
      key_(key_of(asker_, options_)),
      http_(options_.http) {
  RLAIF_CHECK(answers_ && meter_, "who asks a server needs an answer store and a meter");
}

void Client::ask(std::span<Question* const> questions) {
  std::vector<Sending> sendings;
  std::int64_t stored = 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    questions[i]->reply = stored_answer(*answers_, *protocol_, questions[i]->hash);
    if (questions[i]->reply)
      ++stored;
    else
      sendings.push_back({i, questions[i], {}});
  }
  if (stored > 0) {
    meter_->count_stored(asker_, stored);
    refused_topics_.clear();
  }
  if (!sendings.empty()) send(sendings, stored > 0);
}

void Client::send(std::vector<Sending>& sendings, bool is_answered) {
  std::vector<HttpRequest> requests;
  for (const Sending& sending : sendings) requests.push_back(request_of(*sending.question));
  Failures failures;
  HttpHooks hooks;
  hooks.examine = [this](int status, const std::string& body) { return examine(status, body); };
  hooks.admit = [&](std::size_t i) { return admit(sendings[i]); };
  hooks.done = [&](std::size_t i, HttpReply&& reply) {
    is_answered = is_answered || reply.failure == HttpFailure::none;
    arrived(sendings[i], std::move(reply), failures);
    return !failures.fatal;
  };
  try {
    http_.run(requests, hooks);
  } catch (...) {
    answers_->sync();
    throw;
  }
  answers_->sync();
  if (failures.fatal) throw *failures.fatal;
  refuse_wrong_setup(failures, is_answered);
  if (failures.not_sent > 0) throw unsent(sendings, failures);
  if (const std::string summary = failures.summary(); !summary.empty())
    log::warning(asker_.text() + ": " + summary + " of " + std::to_string(sendings.size()) + " requests");
}

// A set-up that is wrong for one topic is wrong for all: refused are topics that differ, and nobody was answered since the
// first of them. Calls are the same on any number of ranks, and so is what follows from all of a call's replies together.
void Client::refuse_wrong_setup(const Failures& failures, bool is_answered) {
  if (is_answered) refused_topics_.clear();
  if (is_answered || failures.refused.empty()) return;
  refused_topics_.insert(failures.refused_topics.begin(), failures.refused_topics.end());
  if (refused_topics_.size() > 1) throw usage_error(asker_.text() + ": " + failures.refused.begin()->second);
}

HttpRuling Client::examine(int status, const std::string& body) const {
  if (status < 200 || status >= 300) return {status, read_error(status, body).is_passing()};
  const std::optional<ServerError> error = protocol_->read(body).error;
  return error ? HttpRuling{error->status, error->is_passing()} : HttpRuling{status, false};
}

Error Client::unsent(const std::vector<Sending>& sendings, const Failures& failures) const {
  if (options_.http.interrupted && options_.http.interrupted())
    return Error(ErrorKind::interrupted, asker_.text() + ": interrupted; " + std::to_string(failures.not_sent) +
                                             " requests were not sent, the answers that came are kept");
  double least = std::numeric_limits<double>::infinity();
  for (const Sending& sending : sendings)
    if (sending.holds.empty()) least = std::min(least, held_for(*sending.question));
  const cost::Spending spent = meter_->total();
  const bool nothing = spent.requests == 0 && spent.unsettled_usd == 0.0;
  return Error(ErrorKind::resource, asker_.text() + cap_text(nothing) + std::to_string(failures.not_sent) +
                                        " requests were not sent, of which each may cost $" + std::to_string(least) +
                                        " or more; $" + std::to_string(spent.usage.cost_usd) +
                                        " were spent here, and what was paid for is kept: raise cost.cap_usd to go on");
}

std::string Client::cap_text(bool nothing) const {
  if (nothing) return ": the cap on the cost leaves too little for a first request: ";
  const double over = meter_->over_cap_usd();
  if (over == 0.0) return ": the cap on the cost is reached: ";
  return ": the cap on the cost is passed by $" + std::to_string(over) +
         ", as answers cost more than was held for them: ";
}

HttpRequest Client::request_of(const Question& question) const {
  HttpRequest request{pricer_->url(), protocol_->headers(key_), question.body, question.hash.low,
                      question.likely_input_tokens + options_.max_output_tokens};
  // Servers that know this header answer and bill a request once, however often it comes.
  request.headers.push_back("Idempotency-Key: rlaif-" + to_string(question.hash));
  return request;
}

// What a request may cost: at most what was allowed, and as much more as answers have cost above that.
double Client::held_for(const Question& question) const { return question.worst_usd + excess_usd_; }

bool Client::admit(Sending& sending) {
  const double held = held_for(*sending.question);
  if (!meter_->reserve(held)) return false;
  answers_->note_sent(sending.question->hash, held);
  sending.holds.push_back(held);
  return true;
}

void Client::arrived(Sending& sending, HttpReply&& reply, Failures& failures) {
  Question& question = *sending.question;
  const std::size_t unsettled = std::min(static_cast<std::size_t>(reply.unsettled), sending.holds.size());
  for (std::size_t i = 0; i < unsettled; ++i) meter_->leave_unsettled(asker_, sending.holds[i]);
  if (reply.failure == HttpFailure::none) {
    has_worked_ = true;
    keep(question, without_key(std::move(reply.body)), sending.holds.back());
    return;
  }
  if (sending.holds.size() > unsettled) {
    meter_->give_back(sending.holds.back());
    answers_->note_failed(question.hash);
  }
  if (reply.failure == HttpFailure::not_sent) {
    ++failures.not_sent;
    return;
  }
  meter_->count_failure(asker_);
  reply.body = without_key(std::move(reply.body));
  question.status = failures.add(reply, {sending.place, question.topic},
                                 {asker_.text(), pricer_->url(), options_.model, options_.key_variable, has_worked_});
}

void Client::keep(Question& question, std::string body, double held_usd) {
  const Reply reply = protocol_->read(body);
  const Usage usage = usage_of(question, reply);
  answers_->store(question.hash, body, usage.cost_usd);
  meter_->settle(asker_, held_usd, usage, reply.reasoning_tokens);
  excess_usd_ = std::max(excess_usd_, usage.cost_usd - question.worst_usd);
  if (reply.has_usage) warn_of_output(usage.output_tokens);
  answers_->sync_beside();
  question.reply = std::move(body);
}

// Said once: what follows costs as much.
void Client::warn_of_output(std::int64_t tokens) {
  const std::int64_t allowed = static_cast<std::int64_t>(options_.max_output_tokens) * protocol_->answers_a_request();
  if (tokens <= allowed || is_output_warned_) return;
  is_output_warned_ = true;
  log::warning(asker_.text() + ": an answer of " + std::to_string(tokens) +
               " output tokens came where max_output_tokens allow " + std::to_string(allowed) + ": " +
               protocol_->output_limit_advice() + "; what is held for further answers follows what answers cost");
}

Usage Client::usage_of(const Question& question, const Reply& reply) const {
  if (!reply.has_usage) return pricer_->worst_usage(question);
  Usage usage = reply.usage;
  usage.cost_usd = pricer_->request_usd(usage, reply.cache_write_tokens);
  return usage;
}

std::string Client::without_key(std::string text) const {
  if (key_.empty()) return text;
  for (std::size_t at = text.find(key_); at != std::string::npos; at = text.find(key_, at))
    text.replace(at, key_.size(), "[key]");
  return text;
}

}  // namespace rlaif::remote
