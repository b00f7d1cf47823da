#include <cmath>
#include <limits>

#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {
namespace {

bool is_probability(double p) { return p >= 0.0 && p <= 1.0; }

}  // namespace

Verdict combine_orders(double p_first_order, double p_second_order) {
  Verdict verdict;
  verdict.p_first_by_order = {p_first_order, p_second_order};
  if (!is_probability(p_first_order) || !is_probability(p_second_order)) {
    verdict.status = VerdictStatus::not_a_number;
    return verdict;
  }
  verdict.status = VerdictStatus::ok;
  verdict.p_first = 0.5 * (p_first_order + p_second_order);
  return verdict;
}

Verdict single_order(double p_first_order) {
  Verdict verdict;
  verdict.p_first_by_order = {p_first_order, std::numeric_limits<double>::quiet_NaN()};
  verdict.status = is_probability(p_first_order) ? VerdictStatus::ok : VerdictStatus::not_a_number;
  if (verdict.status == VerdictStatus::ok) verdict.p_first = p_first_order;
  return verdict;
}

double two_way_softmax(double log_prob_a, double log_prob_b) { return 1.0 / (1.0 + std::exp(log_prob_b - log_prob_a)); }

bool same_position_in_both_orders(const Verdict& verdict) {
  const auto [shown_first, shown_second] = verdict.p_first_by_order;
  return (shown_first > 0.5 && shown_second < 0.5) || (shown_first < 0.5 && shown_second > 0.5);
}

}  // namespace rlaif::judge
