#include "failures.hpp"

#include "rlaif/remote/server_words.hpp"

namespace rlaif::remote {
namespace {

// "HTTP 429", or "HTTP 200 with an error 429 inside".
std::string status_text(const HttpReply& reply) {
  if (reply.came_as == reply.status || reply.came_as == 0) return "HTTP " + std::to_string(reply.status);
  return "HTTP " + std::to_string(reply.came_as) + " with an error " + std::to_string(reply.status) + " inside";
}

// As an aside: " (HTTP 400: words)".
std::string said(const HttpReply& reply, const ServerError& error) {
  std::string text = " (";
  text += status_text(reply);
  if (!error.words.empty()) text.append(": ").append(error.words);
  text += ')';
  return text;
}

// A 4xx that another attempt will not change.
bool is_refusal(int status) { return status >= 400 && status < 500 && status != 408 && status != 409 && status != 429; }

std::string refusal_text(const HttpReply& reply, const ServerError& error, const AskedServer& asker) {
  const std::string words = said(reply, error);
  if (reply.status == 403) return "the server refuses access for this key" + words;
  if (reply.status == 404) return "no model '" + asker.model + "' at " + asker.url + words;
  return "the server refuses what it is asked" + words;
}

// An error that no other comparison will be spared.
std::optional<Error> fatal_of(const HttpReply& reply, const ServerError& error, const AskedServer& asker) {
  const std::string who = asker.who + ": ";
  const auto usage = [&](const std::string& message) { return usage_error(who + message); };
  const auto resource = [&](const std::string& message) { return Error(ErrorKind::resource, who + message); };
  switch (reply.failure) {
    case HttpFailure::tls:
      return resource("no trusted connection to " + asker.url + ": " + reply.error +
                      " (certificates come from CURL_CA_BUNDLE, SSL_CERT_FILE or the system)");
    case HttpFailure::malformed: return usage("base_url: " + asker.url + ": " + reply.error);
    case HttpFailure::unreachable:
      if (asker.has_worked) return std::nullopt;
      return resource("no connection to " + asker.url + " in " + std::to_string(reply.attempts) +
                      " attempts: " + reply.error);
    case HttpFailure::status: break;
    default: return std::nullopt;
  }
  // The reply to a wrong key may quote parts of it.
  if (error.complaint == Complaint::wrong_key)
    return usage("the server refuses the key" +
                 (asker.key_variable.empty() ? ", and none is sent: name its environment variable as key_variable"
                                             : " in the environment variable " + asker.key_variable) +
                 " (" + status_text(reply) + ")");
  if (error.complaint == Complaint::no_money)
    return resource("the account has no money or quota left (" + status_text(reply) + ")");
  if (reply.status >= 300 && reply.status < 400)
    return usage("base_url: " + asker.url + " is somewhere else" + said(reply, error));
  return std::nullopt;
}

}  // namespace

VerdictStatus Failures::add(const HttpReply& reply, const AskedAbout& question, const AskedServer& asker) {
  const bool is_status = reply.failure == HttpFailure::status;
  const ServerError error = is_status ? read_error(reply.status, reply.body) : ServerError{};
  if (is_status && error.complaint == Complaint::too_long) {
    ++causes["longer than the context"];
    return VerdictStatus::truncated;
  }
  if (is_status && error.complaint == Complaint::filtered) {
    ++causes["taken by a content filter"];
    return VerdictStatus::filtered;
  }
  std::optional<Error> ends = fatal_of(reply, error, asker);
  if (is_status && !ends && is_refusal(reply.status)) {
    refused.emplace(question.place, refusal_text(reply, error, asker));
    refused_topics.insert(question.topic);
  }
  if (ends && !fatal) fatal = std::move(ends);
  ++causes[is_status                                ? status_text(reply)
           : reply.failure == HttpFailure::too_long ? std::string("reply too long")
                                                    : reply.error];
  return VerdictStatus::missing;
}

std::string Failures::summary() const {
  int all = 0;
  std::string list;
  for (const auto& [cause, times] : causes) {
    all += times;
    list += (list.empty() ? "" : ", ") + std::to_string(times) + " x " + cause;
  }
  if (all == 0) return "";
  const std::string first = refused.empty() ? "" : ", " + refused.begin()->second;
  return "no answer to " + std::to_string(all) + " (" + list + ")" + first;
}

}  // namespace rlaif::remote
