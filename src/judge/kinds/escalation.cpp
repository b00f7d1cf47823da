#include "escalation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rlaif::judge {
namespace {

// A confidence that is a threshold but for its last digits reaches it.
constexpr double rounding = 1e-9;

}  // namespace

bool Escalation::stands(const Verdict& verdict, std::size_t member) const {
  if (member + 1 == members_.size()) return true;
  if (verdict.status != VerdictStatus::ok) return on_failure_ == OnFailure::stands;
  if (on_tie_ == OnTie::ask_next && std::abs(verdict.p_first - 0.5) <= rounding) return false;
  const double p = calibrated(verdict.p_first, members_[member].fitted.temperature);
  return std::max(p, 1.0 - p) >= least_confidence_[member] - rounding;
}

std::vector<Verdict> Escalation::judge(std::span<const Comparison> comparisons) {
  std::vector<Verdict> verdicts(comparisons.size());
  std::vector<Usage> usage(comparisons.size());
  std::vector<std::vector<MemberVerdict>> said(comparisons.size());
  std::vector<std::size_t> open(comparisons.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (std::size_t m = 0; m < members_.size() && !open.empty(); ++m) {
    std::vector<Comparison> asked;
    for (const std::size_t i : open) asked.push_back(comparisons[i]);
    std::vector<Verdict> answers = ask(members_[m], asked);
    std::vector<std::size_t> next;
    for (std::size_t k = 0; k < open.size(); ++k) {
      const std::size_t i = open[k];
      usage[i] += answers[k].usage;
      said[i].push_back(said_by(members_[m], answers[k]));
      if (stands(answers[k], m))
        verdicts[i] = std::move(answers[k]);
      else
        next.push_back(i);
    }
    open = std::move(next);
  }
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    verdicts[i].usage = usage[i];
    verdicts[i].rationale = members_text(said[i], verdicts[i].rationale);
    verdicts[i].members = std::move(said[i]);
  }
  return verdicts;
}

}  // namespace rlaif::judge
