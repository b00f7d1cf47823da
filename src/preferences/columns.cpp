#include "columns.hpp"

#include <cmath>
#include "rlaif/core/dialogue.hpp"

namespace rlaif::preferences {
namespace {

bool is_probability(double value) { return value >= 0.0 && value <= 1.0; }

std::string below_zero(const char* column, std::int64_t value) {
  return std::string(column) + ": expected a count of at least 0, got " + std::to_string(value);
}

}  // namespace

std::string record_problem(const Preference& record) {
  const Verdict& verdict = record.verdict;
  if (verdict.status == VerdictStatus::ok) {
    if (!is_probability(verdict.p_first)) {
      return "p_first: expected a probability in [0, 1] where the status is ok, got " + std::to_string(verdict.p_first);
    }
    for (double p : verdict.p_first_by_order) {
      if (!std::isnan(p) && !is_probability(p)) {
        return "p_first_by_order: expected probabilities in [0, 1] or nothing, got " + std::to_string(p);
      }
    }
  }
  if (const Prompt& prompt = record.comparison.prompt; !prompt.turns.empty()) {
    if (const std::string problem = prompt_problem(prompt.turns); !problem.empty()) return "turns: " + problem;
    if (prompt.text != transcript(prompt.turns)) return "prompt: expected the transcript of the turns";
  }
  const Usage& usage = verdict.usage;
  if (usage.input_tokens < 0) return below_zero("input_tokens", usage.input_tokens);
  if (usage.cached_input_tokens < 0) return below_zero("cached_input_tokens", usage.cached_input_tokens);
  if (usage.output_tokens < 0) return below_zero("output_tokens", usage.output_tokens);
  if (!std::isfinite(usage.cost_usd) || usage.cost_usd < 0) {
    return "cost_usd: expected a finite price of at least 0, got " + std::to_string(usage.cost_usd);
  }
  for (const MemberVerdict& member : verdict.members) {
    if (member.status == VerdictStatus::ok && !is_probability(member.p_first)) {
      return "members/p_first: expected a probability in [0, 1] where the status is ok, got " +
             std::to_string(member.p_first);
    }
    if (!std::isfinite(member.cost_usd) || member.cost_usd < 0) {
      return "members/cost_usd: expected a finite price of at least 0, got " + std::to_string(member.cost_usd);
    }
  }
  return {};
}

}  // namespace rlaif::preferences
