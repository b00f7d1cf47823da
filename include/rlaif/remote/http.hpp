// Many POST requests to one server, over one event loop: bounded, retried, with deadlines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rlaif::remote {

struct HttpOptions {
  int concurrency = 16;             // requests in flight
  double requests_per_minute = 0;   // this rank's share; 0: no limit
  double tokens_per_minute = 0;     // this rank's share, over HttpRequest::tokens; 0: no limit
  int max_retries = 8;              // of one request
  double first_wait_seconds = 0.5;  // before a retry that the server names no time for; doubled each time ...
  double longest_wait_seconds = 8;  // ... up to this, less up to a quarter, drawn by request and attempt
  double connect_seconds = 10;
  double attempt_seconds = 120;  // one attempt, from connecting to the last byte
  double total_seconds = 600;    // a request with all its attempts and waits
  double silence_seconds = 60;   // an attempt that brings less than low_speed_bytes a second for so long is ended
  int low_speed_bytes = 1;
  std::size_t max_reply_bytes = std::size_t{8} << 20;
  // Asked between events: true ends the run as HttpHooks::done's false does.
  std::function<bool()> interrupted;
};

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;
  std::string body;
  std::uint64_t key = 0;    // of the jitter
  std::int64_t tokens = 0;  // expected, of input and output, for tokens_per_minute
};

enum class HttpFailure {
  none,         // a whole reply with a 2xx status
  status,       // a whole reply with another status, after the retries that it allows
  unreachable,  // no connection
  tls,          // the connection is not to be trusted, or a certificate file cannot be read; not retried
  broken,       // cut off, timed out, silent or too slow
  too_long,     // over max_reply_bytes; not retried
  malformed,    // no such protocol, or an address that is none; not retried
  not_sent      // the run was ended before, or it was not admitted
};

struct HttpReply {
  HttpFailure failure = HttpFailure::none;
  int status = 0;     // of the last reply, as HttpHooks::examine had it; 0: none came
  int came_as = 0;    // the status that it came with
  std::string body;   // of the last reply
  std::string error;  // in words, where no whole reply came
  int attempts = 0;
  int unsettled = 0;  // attempts that the server may have worked on though no whole reply came
};

// What a whole reply comes to.
struct HttpRuling {
  int status = 0;         // servers and proxies answer 200 with an error in the body
  bool may_pass = false;  // another attempt may help; said of no status below 300
};

struct HttpHooks {
  // Asked of every whole reply. Absent: its own status, which may pass as HttpClient says.
  std::function<HttpRuling(int status, const std::string& body)> examine;
  // Before the first attempt, and before each that follows an unsettled one. False: not now. It is asked again when
  // another request has ended; with none in flight all that are left come back as not_sent. Absent: always.
  std::function<bool(std::size_t index)> admit;
  // Once a request, in the order of arrival. False: nothing more is sent; what is in flight still comes.
  std::function<bool(std::size_t index, HttpReply&& reply)> done;
};

// libcurl's multi interface: connections are kept, replies may be compressed, redirects are not followed, proxies come
// from the environment as with curl, and certificates from CURL_CA_BUNDLE or SSL_CERT_FILE, and SSL_CERT_DIR. Retried are
// 408, 409, 429, 500 and above (or what HttpHooks::examine says may pass), and lost connections. Retry-After-Ms, then Retry-After
// (seconds or a date) are obeyed; a wait that passes the deadline ends the request at once.
class HttpClient {
 public:
  // Throws Error(usage) for options out of range.
  explicit HttpClient(HttpOptions options);
  ~HttpClient();

  // Returns when every request has ended. Hooks may throw: the run is left, connections are closed.
  void run(std::span<const HttpRequest> requests, const HttpHooks& hooks);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rlaif::remote
