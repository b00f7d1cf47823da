// What combined judges share: asking a member, and saying who was asked.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
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
// Why members have said nothing.
class Failures {
 public:
  void add(VerdictStatus status) { ++counts_[static_cast<std::size_t>(status)]; }
  // What most of them have; of several the first of the enum.
  VerdictStatus commonest() const {
    return static_cast<VerdictStatus>(std::max_element(counts_.begin(), counts_.end()) - counts_.begin());
  }

 private:
  std::array<int, static_cast<std::size_t>(VerdictStatus::not_a_number) + 1> counts_{};
};

// For people: "small 0.6213, big refused | because ...".
std::string members_text(const std::vector<MemberVerdict>& members, const std::string& reasons);

}  // namespace rlaif::judge
