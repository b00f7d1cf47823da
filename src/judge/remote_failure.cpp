#include "remote_failure.hpp"

#include <cctype>
#include <initializer_list>
#include <string_view>

#include "rlaif/core/json_parse.hpp"
#include "rlaif/text/utf8.hpp"

namespace rlaif::judge {
namespace {

// The server's own words in one line: error.message of a JSON reply, else its beginning.
std::string words_of(const std::string& body) {
  std::string words = body;
  const Json json = try_parse_json(body);
  if (!json.is_discarded() && json.is_object()) {
    const auto error = json.find("error");
    if (error != json.end() && error->is_string()) words = error->get<std::string>();
    if (error != json.end() && error->is_object() && error->contains("message") && error->at("message").is_string())
      words = error->at("message").get<std::string>();
  }
  for (char& c : words)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  if (words.size() > 300) words = words.substr(0, 300) + "...";
  return text::replace_invalid_utf8(words);
}

bool holds_any(const std::string& body, std::initializer_list<std::string_view> marks) {
  std::string lower = body;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view mark : marks)
    if (lower.find(mark) != std::string::npos) return true;
  return false;
}

bool is_too_long(const HttpReply& reply) {
  return reply.status == 413 ||
         (reply.status == 400 && holds_any(reply.body, {"context_length_exceeded", "maximum context length", "prompt is too long",
                                                        "exceed_context_size", "exceed context window", "context window"}));
}

bool is_filtered(const HttpReply& reply) {
  return reply.status == 400 && holds_any(reply.body, {"content_filter", "content_policy", "content management policy"});
}

bool is_out_of_money(const HttpReply& reply) {
  return reply.status == 402 || holds_any(reply.body, {"insufficient_quota", "credit balance is too low"});
}

std::string status_text(const HttpReply& reply) { return "HTTP " + std::to_string(reply.status); }

// An error that no other comparison will be spared.
std::optional<Error> fatal_of(const HttpReply& reply, const Asker& asker) {
  const std::string judge = "judge " + asker.judge + ": ";
  const auto usage = [&](const std::string& message) { return usage_error(judge + message); };
  const auto resource = [&](const std::string& message) { return Error(ErrorKind::resource, judge + message); };
  switch (reply.failure) {
    case HttpFailure::tls:
      return resource("no trusted connection to " + asker.url + ": " + reply.error +
                      " (certificates come from CURL_CA_BUNDLE, SSL_CERT_FILE or the system)");
    case HttpFailure::malformed:
      return usage("base_url: " + asker.url + ": " + reply.error);
    case HttpFailure::unreachable:
      if (asker.has_worked) return std::nullopt;
      return resource("no connection to " + asker.url + " in " + std::to_string(reply.attempts) + " attempts: " + reply.error);
    case HttpFailure::status:
      break;
    default:
      return std::nullopt;
  }
  // The reply to a wrong key may quote parts of it.
  if (reply.status == 401)
    return usage("the server refuses the key" +
                 (asker.key_variable.empty() ? ", and none is sent: name its environment variable as key_variable"
                                             : " in the environment variable " + asker.key_variable) + " (HTTP 401)");
  if (is_out_of_money(reply)) return resource("the account has no money or quota left (" + status_text(reply) + ")");
  const std::string said = status_text(reply) + ": " + words_of(reply.body);
  if (reply.status == 403) return usage("the server refuses access for this key (" + said + ")");
  if (reply.status == 404) return usage("no model '" + asker.model + "' at " + asker.url + " (" + said + ")");
  if (reply.status >= 300 && reply.status < 400) return usage("base_url: " + asker.url + " is somewhere else (" + said + ")");
  const bool is_refused = reply.status >= 400 && reply.status < 500 && reply.status != 408 && reply.status != 409 && reply.status != 429;
  if (is_refused && !asker.has_worked) return usage("the server refuses the first request (" + said + ")");
  return std::nullopt;
}

}  // namespace

VerdictStatus Failures::add(const HttpReply& reply, const Asker& asker) {
  if (reply.failure == HttpFailure::status && is_too_long(reply)) {
    ++causes["longer than the context"];
    return VerdictStatus::truncated;
  }
  if (reply.failure == HttpFailure::status && is_filtered(reply)) {
    ++causes["taken by a content filter"];
    return VerdictStatus::filtered;
  }
  if (std::optional<Error> error = fatal_of(reply, asker); error && !fatal) fatal = std::move(error);
  ++causes[reply.failure == HttpFailure::status     ? status_text(reply)
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
  return all == 0 ? "" : "no answer to " + std::to_string(all) + " (" + list + ")";
}

}  // namespace rlaif::judge
