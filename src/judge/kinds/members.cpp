#include "members.hpp"

#include <fmt/format.h>

#include "rlaif/core/error.hpp"

namespace rlaif::judge {
void require_members(const std::string& kind, const std::string& name, const std::vector<Member>& members) {
  if (members.size() >= 2) return;
  throw usage_error(kind + " '" + name + "': at least two members were expected, found " +
                    std::to_string(members.size()));
}

void require_confidence(const std::string& kind, const std::string& name, double confidence) {
  if (confidence >= 0.5 && confidence <= 1.0) return;
  throw usage_error(kind + " '" + name + "': a confidence from 0.5 to 1 was expected, found " +
                    std::to_string(confidence));
}

std::vector<Verdict> ask(const Member& member, std::span<const Comparison> comparisons) {
  std::vector<Verdict> verdicts = member.judge->judge(comparisons);
  RLAIF_CHECK(verdicts.size() == comparisons.size(), "a judge must give one verdict per comparison");
  return verdicts;
}

MemberVerdict said_by(const Member& member, const Verdict& verdict) {
  return {member.judge->name(), verdict.status, verdict.p_first, verdict.usage.cost_usd};
}

std::string members_text(const std::vector<MemberVerdict>& members, const std::string& reasons) {
  std::string text;
  for (const MemberVerdict& one : members) {
    if (!text.empty()) text += ", ";
    text += one.name + " ";
    if (one.status != VerdictStatus::ok) {
      text += to_string(one.status);
      continue;
    }
    text += fmt::format("{:.4f}", one.p_first);
  }
  return reasons.empty() ? text : text + " | " + reasons;
}

}  // namespace rlaif::judge
