// Values of replies, read without trust in them, and the words with which answers end.
#pragma once

#include <cstdint>
#include <string>

#include "rlaif/core/json.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::remote {

// A whole number of at least 0 at object[key], at most 2^31; else 0.
std::int64_t count_at(const Json& object, const char* key);
// Text at object[key], else empty.
std::string text_at(const Json& object, const char* key);

// What ended an answer, in the words of all vendors: the output limit (truncated; `is_cut`), moderation, a refusal, a fault of the
// server (missing), or the answer's own end (ok; also any other word).
struct Ending {
  VerdictStatus status = VerdictStatus::ok;
  bool is_cut = false;
};
Ending ending_of(const std::string& finish_reason);

}  // namespace rlaif::remote
