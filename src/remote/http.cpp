#include "rlaif/remote/http.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "http_limits.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::remote {
namespace {

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDelete {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

void check(CURLMcode code, const char* call) {
  if (code != CURLM_OK) throw Error(ErrorKind::resource, std::string(call) + ": " + curl_multi_strerror(code));
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK)
    throw Error(ErrorKind::resource, "curl_easy_setopt " + std::to_string(option) + ": " + curl_easy_strerror(code));
}

// One request with its attempts.
struct Job {
  std::size_t index = 0;
  HttpReply reply;
  bool admitted = false;
  Clock::time_point deadline{};  // of all attempts, set with the first
};

// One attempt in flight; its handle is used again by later ones.
struct Transfer {
  std::unique_ptr<CURL, EasyDelete> easy{curl_easy_init()};
  std::unique_ptr<curl_slist, ListDelete> headers;
  Job job;
  std::string body;
  RetryHeaders retry;
  bool too_long = false;
  std::size_t max_bytes = 0;
  char error[CURL_ERROR_SIZE] = "";
};

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.body.size() + size * count > transfer.max_bytes) {
    transfer.too_long = true;
    return 0;
  }
  transfer.body.append(bytes, size * count);
  return size * count;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, size * count);
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) transfer.retry = {};  // of an earlier reply, a proxy's
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && std::string_view(" \t\r\n").find(value.back()) != std::string_view::npos)
    value.remove_suffix(1);
  if (name == "retry-after-ms") transfer.retry.after_ms = value;
  if (name == "retry-after") transfer.retry.after = value;
  return size * count;
}

HttpFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR: return HttpFailure::unreachable;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER: return HttpFailure::tls;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: return HttpFailure::malformed;
    default: return HttpFailure::broken;
  }
}

void check_options(const HttpOptions& o) {
  const auto refuse = [](const std::string& message) { throw usage_error("HTTP: " + message); };
  if (o.concurrency < 1 || o.concurrency > 4096)
    refuse("concurrency must be 1 to 4096, not " + std::to_string(o.concurrency));
  if (o.max_retries < 0) refuse("max_retries must be at least 0, not " + std::to_string(o.max_retries));
  if (!(o.requests_per_minute >= 0) || !(o.tokens_per_minute >= 0)) refuse("limits a minute must be at least 0");
  for (const double value : {o.first_wait_seconds, o.longest_wait_seconds, o.connect_seconds, o.attempt_seconds,
                             o.total_seconds, o.silence_seconds})
    if (!(value > 0.0 && value < 1e6)) refuse("times must be above 0 and below 1e6 seconds");
}

void set_from_environment(CURL* easy, CURLoption option, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    set(easy, option, value);
    return;
  }
}

}  // namespace

struct HttpClient::Impl {
  HttpOptions options;
  TokenBucket requests, tokens;
  std::unique_ptr<CURLM, MultiDelete> multi;
  std::vector<std::unique_ptr<Transfer>> idle;  // handles to use again

  explicit Impl(HttpOptions given)
      : options(std::move(given)), requests(options.requests_per_minute), tokens(options.tokens_per_minute) {
    check_options(options);
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi.reset(curl_multi_init());
    if (!multi) throw Error(ErrorKind::resource, "curl_multi_init: out of memory");
    check(curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.concurrency)), "MAXCONNECTS");
  }

  std::unique_ptr<Transfer> take_transfer();
  std::unique_ptr<Transfer> make_transfer() const;
  void prepare(Transfer& transfer, const HttpRequest& request, Clock::time_point now) const;
};

std::unique_ptr<Transfer> HttpClient::Impl::take_transfer() {
  if (idle.empty()) return make_transfer();
  std::unique_ptr<Transfer> transfer = std::move(idle.back());
  idle.pop_back();
  return transfer;
}

std::unique_ptr<Transfer> HttpClient::Impl::make_transfer() const {
  auto transfer = std::make_unique<Transfer>();
  CURL* easy = transfer->easy.get();
  if (easy == nullptr) throw Error(ErrorKind::resource, "curl_easy_init: out of memory");
  transfer->max_bytes = options.max_reply_bytes;
  set(easy, CURLOPT_PRIVATE, transfer.get());
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_ACCEPT_ENCODING, "");
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, transfer.get());
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, transfer.get());
  set(easy, CURLOPT_ERRORBUFFER, transfer->error);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_seconds * 1000));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.low_speed_bytes));
  set(easy, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options.silence_seconds)));
  set_from_environment(easy, CURLOPT_CAINFO, {"CURL_CA_BUNDLE", "SSL_CERT_FILE"});
  set_from_environment(easy, CURLOPT_CAPATH, {"SSL_CERT_DIR"});
  return transfer;
}

void HttpClient::Impl::prepare(Transfer& transfer, const HttpRequest& request, Clock::time_point now) const {
  CURL* easy = transfer.easy.get();
  transfer.body.clear();
  transfer.retry = {};
  transfer.too_long = false;
  transfer.error[0] = '\0';
  curl_slist* list = nullptr;
  // No "Expect: 100-continue": some servers never answer it, and a second is lost.
  for (const char* header : {"Expect:", "Content-Type: application/json"}) list = curl_slist_append(list, header);
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  transfer.headers.reset(list);
  set(easy, CURLOPT_HTTPHEADER, list);
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_POSTFIELDS, request.body.data());
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  const double left = std::chrono::duration<double>(transfer.job.deadline - now).count();
  set(easy, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(1000 * std::min(options.attempt_seconds, left))));
}

namespace {

// One call of run().
class Run {
 public:
  Run(const HttpOptions& options, std::span<const HttpRequest> requests, const HttpHooks& hooks)
      : options_(options), requests_(requests), hooks_(hooks) {
    for (std::size_t i = 0; i < requests.size(); ++i) fresh_.push_back(Job{i, {}, false, {}});
  }

  bool is_finished() const { return fresh_.empty() && waiting_.empty() && flying_ == 0; }

  // The next job that may go out now.
  std::optional<Job> next(Clock::time_point now, TokenBucket& requests, TokenBucket& tokens) {
    wake_ = now + std::chrono::milliseconds(250);
    if (!waiting_.empty()) wake_ = std::min(wake_, std::max(now, waiting_.begin()->first));
    const bool retry = !waiting_.empty() && waiting_.begin()->first <= now;
    if ((!retry && fresh_.empty()) || static_cast<int>(flying_) >= options_.concurrency) return std::nullopt;
    Job& job = retry ? waiting_.begin()->second : fresh_.front();
    const auto amount = static_cast<double>(requests_[job.index].tokens);
    if (!requests.has(1.0, now) || !tokens.has(amount, now)) {
      wake_ = std::min(wake_, now + std::max(requests.wait_for(1.0), tokens.wait_for(amount)));
      return std::nullopt;
    }
    if (!job.admitted) {
      if (is_blocked_) return std::nullopt;
      job.admitted = !hooks_.admit || hooks_.admit(job.index);
      is_blocked_ = !job.admitted;
      if (is_blocked_) return std::nullopt;
    }
    requests.take(1.0);
    tokens.take(amount);
    Job taken = std::move(job);
    if (retry)
      waiting_.erase(waiting_.begin());
    else
      fresh_.pop_front();
    if (taken.reply.attempts == 0) taken.deadline = now + seconds(options_.total_seconds);
    ++taken.reply.attempts;
    ++flying_;
    return taken;
  }

  Clock::time_point wake() const { return wake_; }

  void landed(Transfer& transfer, CURLcode code, Clock::time_point now) {
    --flying_;
    is_blocked_ = false;
    Job job = std::move(transfer.job);
    const bool again = examine(transfer, code, job);
    if (again && !is_stopped_ && job.reply.attempts <= options_.max_retries) {
      double wait = own_wait_seconds(options_, requests_[job.index].key, job.reply.attempts);
      if (job.reply.failure == HttpFailure::status)
        wait = asked_wait_seconds(transfer.retry, std::time(nullptr)).value_or(wait);
      const Clock::time_point due = now + seconds(std::min(wait, 1e6));
      if (due < job.deadline) {
        waiting_.emplace(due, std::move(job));
        return;
      }
    }
    finish(std::move(job));
  }

  // Ends what was not sent: told to stop, or nothing in flight could free what admission lacks.
  void end_unsent(bool stop) {
    is_stopped_ = is_stopped_ || stop;
    if (!is_stopped_ && !(is_blocked_ && flying_ == 0)) return;
    is_stopped_ = true;
    std::deque<Job> left = std::move(fresh_);
    fresh_.clear();
    for (auto& [due, job] : waiting_) left.push_back(std::move(job));
    waiting_.clear();
    for (Job& job : left) {
      if (job.reply.attempts == 0) job.reply.failure = HttpFailure::not_sent;
      finish(std::move(job));
    }
  }

 private:
  // Fills the reply in; true where another attempt may help.
  bool examine(Transfer& transfer, CURLcode code, Job& job) const {
    HttpReply& reply = job.reply;
    long status = 0, sent = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) {
      reply.came_as = static_cast<int>(status);
      reply.body = std::move(transfer.body);
      reply.error.clear();
      const HttpRuling ruling = hooks_.examine ? hooks_.examine(reply.came_as, reply.body)
                                               : HttpRuling{reply.came_as, is_retried_status(reply.came_as)};
      reply.status = ruling.status;
      reply.failure = ruling.status >= 200 && ruling.status < 300 ? HttpFailure::none : HttpFailure::status;
      return reply.failure == HttpFailure::status && ruling.may_pass;
    }
    reply.status = reply.came_as = 0;
    reply.body.clear();
    reply.error = transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
    reply.failure = transfer.too_long ? HttpFailure::too_long : failure_of(code);
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_REQUEST_SIZE, &sent);
    // A cut page of an error is no work done.
    if (sent > 0 && (status == 0 || (status >= 200 && status < 300))) {
      ++reply.unsettled;
      job.admitted = false;
    }
    return reply.failure == HttpFailure::unreachable || reply.failure == HttpFailure::broken;
  }

  void finish(Job job) {
    if (!hooks_.done(job.index, std::move(job.reply))) is_stopped_ = true;
  }

  const HttpOptions& options_;
  std::span<const HttpRequest> requests_;
  const HttpHooks& hooks_;
  std::deque<Job> fresh_;
  std::multimap<Clock::time_point, Job> waiting_;  // by the time of the next attempt
  std::size_t flying_ = 0;
  bool is_blocked_ = false, is_stopped_ = false;
  Clock::time_point wake_{};
};

// Takes what still flies out of the multi handle when a hook throws.
class Flights {
 public:
  explicit Flights(CURLM* multi) : multi_(multi) {}
  ~Flights() {
    for (auto& [easy, transfer] : flying_) curl_multi_remove_handle(multi_, easy);
  }
  void add(std::unique_ptr<Transfer> transfer) {
    CURL* easy = transfer->easy.get();
    check(curl_multi_add_handle(multi_, easy), "curl_multi_add_handle");
    flying_.emplace(easy, std::move(transfer));
  }
  std::unique_ptr<Transfer> remove(CURL* easy) {
    curl_multi_remove_handle(multi_, easy);
    return std::move(flying_.extract(easy).mapped());
  }

 private:
  CURLM* multi_;
  std::map<CURL*, std::unique_ptr<Transfer>> flying_;
};

}  // namespace

HttpClient::HttpClient(HttpOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

void HttpClient::run(std::span<const HttpRequest> requests, const HttpHooks& hooks) {
  CURLM* multi = impl_->multi.get();
  Run run(impl_->options, requests, hooks);
  Flights flights(multi);
  while (true) {
    run.end_unsent(impl_->options.interrupted && impl_->options.interrupted());
    Clock::time_point now = Clock::now();
    while (std::optional<Job> job = run.next(now, impl_->requests, impl_->tokens)) {
      std::unique_ptr<Transfer> transfer = impl_->take_transfer();
      transfer->job = std::move(*job);
      impl_->prepare(*transfer, requests[transfer->job.index], now);
      flights.add(std::move(transfer));
    }
    run.end_unsent(false);
    if (run.is_finished()) return;

    int running = 0, queued = 0;
    check(curl_multi_perform(multi, &running), "curl_multi_perform");
    bool landed = false;
    while (const CURLMsg* message = curl_multi_info_read(multi, &queued)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;  // the message does not outlive the removal
      std::unique_ptr<Transfer> transfer = flights.remove(message->easy_handle);
      run.landed(*transfer, code, Clock::now());
      impl_->idle.push_back(std::move(transfer));
      landed = true;
    }
    if (landed) continue;
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(run.wake() - Clock::now()).count();
    check(curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::clamp<long>(wait + 1, 1, 250)), nullptr),
          "curl_multi_poll");
  }
}

}  // namespace rlaif::remote
