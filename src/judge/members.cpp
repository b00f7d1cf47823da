#include "members.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <string_view>

#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

constexpr std::string_view between_members = ", ", before_reasons = " | ";

}  // namespace

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

void say(std::string& said, const Member& member, const Verdict& verdict) {
  if (!said.empty()) said += between_members;
  said += member.judge->name();
  said += ' ';
  if (verdict.status != VerdictStatus::ok) {
    said += to_string(verdict.status);
    return;
  }
  char number[24];
  std::snprintf(number, sizeof number, "%.4f", verdict.p_first);
  said += number;
}

std::string with_reasons(std::string said, const std::string& rationale) {
  if (rationale.empty()) return said;
  said += before_reasons;
  return said + rationale;
}

std::vector<MemberSaid> members_said(const std::string& rationale) {
  const std::string_view said = std::string_view(rationale).substr(0, rationale.find(before_reasons));
  std::vector<MemberSaid> members;
  for (std::size_t begin = 0; begin < said.size();) {
    const std::size_t end = std::min(said.find(between_members, begin), said.size());
    const std::string_view one = said.substr(begin, end - begin);
    const std::size_t space = std::min(one.find(' '), one.size());
    const std::string_view number = one.substr(std::min(space + 1, one.size()));
    MemberSaid member{std::string(one.substr(0, space)), std::numeric_limits<double>::quiet_NaN()};
    double p = 0.0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), p);
    if (result.ec == std::errc() && result.ptr == number.data() + number.size()) member.p_first = p;
    members.push_back(std::move(member));
    begin = end + between_members.size();
  }
  return members;
}

std::vector<std::string> asked_members(const std::string& rationale) {
  std::vector<std::string> names;
  for (MemberSaid& member : members_said(rationale)) names.push_back(std::move(member.name));
  return names;
}

}  // namespace rlaif::judge
