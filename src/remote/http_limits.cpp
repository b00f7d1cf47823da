#include "http_limits.hpp"

#include <curl/curl.h>

#include <cmath>
#include <cstdlib>

#include "rlaif/core/rng.hpp"

namespace rlaif::remote {
namespace {

// A number of at least 0 and nothing else.
std::optional<double> number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

bool is_retried_status(int status) { return status == 408 || status == 409 || status == 429 || status >= 500; }

std::optional<double> asked_wait_seconds(const RetryHeaders& headers, std::int64_t now_unix) {
  if (const auto milliseconds = number(headers.after_ms)) return *milliseconds / 1000.0;
  if (const auto value = number(headers.after)) return value;
  const time_t date = headers.after.empty() ? -1 : curl_getdate(headers.after.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::max(0.0, static_cast<double>(static_cast<std::int64_t>(date) - now_unix));
}

double own_wait_seconds(const HttpOptions& options, std::uint64_t key, int attempt) {
  const double wait = std::min(options.longest_wait_seconds, options.first_wait_seconds * std::pow(2.0, attempt - 1));
  const double draw =
      static_cast<double>(hash_words({key, static_cast<std::uint64_t>(attempt)}) >> 11) * 0x1.0p-53;  // [0, 1)
  return wait * (1.0 - 0.25 * draw);
}

}  // namespace rlaif::remote
