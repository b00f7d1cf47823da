#include "rlaif/cost/labels.hpp"

#include <cmath>
#include <limits>

namespace rlaif::cost {

double team_wages_usd(const Assumptions& a) {
  return a.at("team_people") * a.at("team_hourly_usd") * a.at("team_hours_per_week") * a.at("team_weeks");
}

std::vector<OfferPair> offer_pairs(const Assumptions& a) {
  return {
      {{"people, price of a label", 0.0, a.at("human_label_usd")}, {"AI, price of a label", 0.0, a.at("ai_label_usd")}},
      {{"people, a team on a platform", a.at("team_platform_usd"), team_wages_usd(a) / a.at("team_comparisons")},
       {"AI, a hosted judge set up", a.at("judge_setup_usd"), a.at("judge_comparison_usd")}}};
}

std::optional<double> no_dearer_from(const LabelOffer& a, const LabelOffer& b) {
  if (b.fixed_usd <= a.fixed_usd && b.label_usd <= a.label_usd) return 0.0;
  if (b.label_usd < a.label_usd) return (b.fixed_usd - a.fixed_usd) / (a.label_usd - b.label_usd);
  // Cheaper at first only, or never: there is no number from which on it holds.
  return std::nullopt;
}

double usd_a_label(const MeasuredUse& use, double usd_per_rank_hour) {
  if (use.labels == 0) return std::numeric_limits<double>::quiet_NaN();
  return (use.usage.cost_usd + use.rank_hours * usd_per_rank_hour) / static_cast<double>(use.labels);
}

}  // namespace rlaif::cost
