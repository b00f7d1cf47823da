// What labels cost by people and by judges: plain arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/cost/assumptions.hpp"

namespace rlaif::cost {

// A way to come by labels: something once, and something a label.
struct LabelOffer {
  std::string name;
  double fixed_usd = 0.0;
  double label_usd = 0.0;
  double total_usd(double labels) const { return fixed_usd + label_usd * labels; }
};

// Wages of a team: people x hourly x hours a week x weeks.
double team_wages_usd(const Assumptions& assumptions);

// Two pairs of offers that belong together, people first: the published prices of a label, and a labelling project (a team
// with its platform, its wages shared out over team_comparisons, against a hosted judge with its set-up).
struct OfferPair {
  LabelOffer people, ai;
};
std::vector<OfferPair> offer_pairs(const Assumptions& assumptions);

// The least number of labels from which `b` costs no more than `a`; nullopt: never.
std::optional<double> no_dearer_from(const LabelOffer& a, const LabelOffer& b);

// What a run's judge used in a stage, in sums.
struct MeasuredUse {
  std::string stage, judge, price;
  std::int64_t pairs = 0;      // that it was asked about
  std::int64_t responses = 0;  // that it was asked to score, each by itself: rollouts, which grow with training
  std::int64_t labels = 0;     // pairs with a verdict, or responses with a score, that can be used
  Usage usage;
  double rank_hours = 0.0;  // of the machine, spent on judging
};
// Dollars that a usable label cost: what was billed and the machine's hours, over the labels. NaN where there is no label.
double usd_a_label(const MeasuredUse& use, double usd_per_rank_hour);

}  // namespace rlaif::cost
