#include "rlaif/core/types.hpp"

namespace rlaif {

const char* to_string(VerdictStatus status) {
  switch (status) {
    case VerdictStatus::ok: return "ok";
    case VerdictStatus::missing: return "missing";
    case VerdictStatus::refused: return "refused";
    case VerdictStatus::truncated: return "truncated";
    case VerdictStatus::filtered: return "filtered";
    case VerdictStatus::unparseable: return "unparseable";
    case VerdictStatus::not_a_number: return "not_a_number";
  }
  return "unknown";
}

Usage& Usage::operator+=(const Usage& other) {
  input_tokens += other.input_tokens;
  cached_input_tokens += other.cached_input_tokens;
  output_tokens += other.output_tokens;
  cost_usd += other.cost_usd;
  return *this;
}

}  // namespace rlaif
