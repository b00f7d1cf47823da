// What combined judges share: asking a member, and saying who was asked.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rlaif/judge/kinds/combine.hpp"

namespace rlaif::judge {

// Throws Error(usage): fewer than two members. `kind` and `name` are for the message.
void require_members(const std::string& kind, const std::string& name, const std::vector<Member>& members);
// Throws Error(usage) for what is no confidence: a number in [0.5, 1].
void require_confidence(const std::string& kind, const std::string& name, double confidence);

std::vector<Verdict> ask(const Member& member, std::span<const Comparison> comparisons);

MemberVerdict said_by(const Member& member, const Verdict& verdict);
// For people: "small 0.6213, big refused | because ...".
std::string members_text(const std::vector<MemberVerdict>& members, const std::string& reasons);

}  // namespace rlaif::judge
