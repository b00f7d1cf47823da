// A server on 127.0.0.1 that speaks both protocols, prefers the response with the word "better" in it, and misbehaves on demand.
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "rlaif/core/json.hpp"

namespace rlaif::test {

enum class Fault {
  none,
  // Passing: the next attempt may succeed. Nothing is billed.
  retry_after_ms,
  retry_after_seconds,
  retry_after_date,
  bare_429,
  overloaded_529,
  error_500,
  timeout_408,
  conflict_409,
  cut_body,
  silence,
  slow_drip,
  // Passing too, though the status is 200: what a proxy says in the server's place.
  html,
  empty_object,
  error_inside,
  choice_of_error,
  // Lasting: the answer is whole and billed, and holds no verdict.
  empty_verdict,
  refusal,
  length_stop,
  content_filter,
  // Refusals of the request.
  no_quota,
  bad_key,
  unknown_model,
  bad_field,
  too_long,
  echo_key
};
constexpr int passing_from = 1, passing_to = 15, lasting_from = 16, lasting_to = 19;

class MisbehavingServer {
 public:
  // Which fault meets attempt number `attempt` (from 1) of a request with this body.
  using Plan = std::function<Fault(const std::string& body, int attempt)>;
  struct Seen {
    int attempts = 0, answers = 0;  // answers: whole 2xx replies sent
  };

  explicit MisbehavingServer(Plan plan = {}) : plan_(std::move(plan)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(72); };
    server_.set_keep_alive_max_count(1000000);
    server_.set_tcp_nodelay(true);
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    };
    server_.Post("/v1/chat/completions", handle);
    server_.Post("/v1/messages", handle);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~MisbehavingServer() {
    server_.stop();
    thread_.join();
  }

  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  // Log-probability entries of the verdict token, as a JSON list; empty: none are sent.
  Json top_logprobs = Json::array();
  std::string verdict_format = "{}";  // "Verdict: {}" and the like; without {} all that is ever said
  int cache_creation_tokens = 0;      // of the messages protocol's usage

  // By Idempotency-Key.
  std::map<std::string, Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::map<std::string, std::string> last_headers() const {
    const std::lock_guard lock(mutex_);
    return headers_;
  }
  Json last_body() const {
    const std::lock_guard lock(mutex_);
    return last_body_;
  }
  int answers() const { return answers_; }
  int most_at_once() const { return most_at_once_; }

 private:
  void answer(const httplib::Request& request, httplib::Response& response) {
    const int now = ++at_once_;
    for (int most = most_at_once_; now > most && !most_at_once_.compare_exchange_weak(most, now);) {
    }
    int attempt = 0;
    const std::string id = request.get_header_value("Idempotency-Key");
    {
      const std::lock_guard lock(mutex_);
      attempt = ++seen_[id].attempts;
      headers_.clear();
      for (const auto& [name, value] : request.headers) headers_[name] = value;
      last_body_ = Json::parse(request.body);
    }
    const Fault fault = plan_ ? plan_(request.body, attempt) : Fault::none;
    respond(fault, request, response);
    const bool is_answer = fault < Fault::html || fault > Fault::choice_of_error;
    if (response.status == 200 && is_answer && is_whole(response)) {
      ++answers_;
      const std::lock_guard lock(mutex_);
      ++seen_[id].answers;
    }
    --at_once_;
  }

  static bool is_whole(const httplib::Response& response) { return !response.body.empty(); }

  static std::string http_date(std::time_t when) {
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&when));
    return text;
  }

  void error(httplib::Response& response, int status, const std::string& code) {
    response.status = status;
    response.set_content(Json{{"error", {{"message", "Verdict: B, says the error " + code}, {"code", code}}}}.dump(),
                         "application/json");
  }

  void respond(Fault fault, const httplib::Request& request, httplib::Response& response) {
    const bool openai = request.path == "/v1/chat/completions";
    response.status = 200;
    switch (fault) {
      case Fault::retry_after_ms:
        response.set_header("retry-after-ms", "15");
        response.set_header("Retry-After", "30");
        return error(response, 429, "rate_limit");
      case Fault::retry_after_seconds:
        response.set_header("Retry-After", "0.02");
        return error(response, 429, "rate_limit");
      case Fault::retry_after_date:
        response.set_header("Retry-After", http_date(std::time(nullptr)));
        return error(response, 429, "rate_limit");
      case Fault::bare_429: return error(response, 429, "rate_limit");
      case Fault::overloaded_529: return error(response, 529, "overloaded_error");
      case Fault::error_500: return error(response, 500, "server_error");
      case Fault::timeout_408: return error(response, 408, "timeout");
      case Fault::conflict_409: return error(response, 409, "conflict");
      case Fault::no_quota: return error(response, 429, "insufficient_quota");
      case Fault::bad_key: return error(response, 401, "invalid_api_key");
      case Fault::unknown_model: return error(response, 404, "model_not_found");
      case Fault::bad_field: return error(response, 400, "unsupported_parameter");
      case Fault::too_long: return error(response, 400, "context_length_exceeded");
      case Fault::echo_key: return error(response, 403, "no access with " + request.get_header_value("Authorization"));
      case Fault::cut_body: return partly(response, reply(openai, "B", "stop", request.body), 0);
      case Fault::silence: return partly(response, "", 1500);
      case Fault::slow_drip: return drip(response);
      case Fault::html: return response.set_content("<html>Verdict: B</html>", "text/html");
      case Fault::empty_object: return response.set_content("{}", "application/json");
      case Fault::error_inside:
        return response.set_content(
            R"({"choices": null, "error": {"message": "Verdict: B", "code": 429}, "usage": {"prompt_tokens": 9}})",
            "application/json");
      case Fault::choice_of_error:
        return response.set_content(
            R"({"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "idle"}, "message": {"content": "Verdict: B"}}]})",
            "application/json");
      case Fault::empty_verdict:
        return response.set_content(reply(openai, "", "stop", request.body), "application/json");
      case Fault::refusal: return response.set_content(reply(openai, "B", "refusal", request.body), "application/json");
      case Fault::length_stop:
        return response.set_content(reply(openai, "B", "length", request.body), "application/json");
      case Fault::content_filter:
        return response.set_content(reply(openai, "B", "content_filter", request.body), "application/json");
      case Fault::none: break;
    }
    response.set_content(reply(openai, verdict(request.body), "stop", request.body), "application/json");
  }

  // Promises more bytes than it sends, after a pause.
  static void partly(httplib::Response& response, const std::string& bytes, int pause_ms) {
    response.set_content_provider(4096, "application/json",
                                  [bytes, pause_ms](std::size_t, std::size_t, httplib::DataSink& sink) {
                                    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
                                    if (!bytes.empty()) sink.write(bytes.data(), bytes.size() / 2);
                                    return false;
                                  });
  }
  static void drip(httplib::Response& response) {
    response.set_content_provider(4096, "application/json", [](std::size_t, std::size_t, httplib::DataSink& sink) {
      std::this_thread::sleep_for(std::chrono::milliseconds(40));
      return sink.is_writable() && sink.write(" ", 1);
    });
  }

  static std::string verdict(const std::string& body) {
    const Json json = Json::parse(body);
    const std::string text = json.at("messages").back().at("content").get<std::string>();
    return text.find("better") < text.find("worse") ? "A" : "B";
  }

  std::string reply(bool openai, const std::string& label, const std::string& finish, const std::string& body) const {
    std::string text = verdict_format;
    const std::size_t place = text.find("{}");
    const std::string token = place == std::string::npos ? text : label;
    if (label.empty())
      text = "";
    else if (place != std::string::npos)
      text.replace(place, 2, label);
    const Json request = Json::parse(body);
    if (!openai) {
      const std::map<std::string, std::string> stops{
          {"stop", "end_turn"}, {"length", "max_tokens"}, {"content_filter", "refusal"}};
      return Json{{"content", {{{"type", "text"}, {"text", text}}}},
                  {"stop_reason", stops.contains(finish) ? stops.at(finish) : finish},
                  {"usage",
                   {{"input_tokens", 60},
                    {"cache_creation_input_tokens", cache_creation_tokens},
                    {"cache_read_input_tokens", 40},
                    {"output_tokens", 10}}}}
          .dump();
    }
    Json choice{{"index", 0},
                {"message", {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}}},
                {"finish_reason", finish == "refusal" ? "stop" : finish}};
    if (finish == "refusal") choice["message"]["refusal"] = "I would rather not say B";
    if (request.value("logprobs", false) && !top_logprobs.empty())
      choice["logprobs"]["content"] = {{{"token", token}, {"logprob", -0.1}, {"top_logprobs", top_logprobs}}};
    Json choices = Json::array();
    for (int i = 0; i < request.value("n", 1); ++i) choices.push_back(choice);
    return Json{{"choices", choices},
                {"usage",
                 {{"prompt_tokens", 100},
                  {"completion_tokens", 10},
                  {"prompt_tokens_details", {{"cached_tokens", 40}}},
                  {"completion_tokens_details", {{"reasoning_tokens", 4}}}}}}
        .dump();
  }

  Plan plan_;
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, Seen> seen_;
  std::map<std::string, std::string> headers_;
  Json last_body_;
  std::atomic<int> answers_{0}, at_once_{0}, most_at_once_{0};
};

}  // namespace rlaif::test
