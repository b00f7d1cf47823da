// Judges: anything that says which of two completions is better.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/cost/prices.hpp"

namespace rlaif::judge {

class ResponseScorer;

class Judge {
 public:
  virtual ~Judge() = default;
  virtual const std::string& name() const = 0;
  // One verdict per comparison, in order. Depends on the comparisons of this call alone. Never throws for what a
  // judge said: that is a status.
  virtual std::vector<Verdict> judge(std::span<const Comparison> comparisons) = 0;
  // What gives one response a score where this judge does, and lives as long as it; nullptr: it only compares.
  virtual ResponseScorer* scorer() { return nullptr; }
};

enum class Orders { first_only, both };
inline constexpr double not_asked =
    std::numeric_limits<double>::quiet_NaN();  // of an order: in Verdict::p_first_by_order

// P(first) in either order, averaged (Lee et al. 2309.00267, section 3.1). `p_second_order` is P(first is better) when
// the second completion was shown first, i.e. already turned back. Status not_a_number where one is not in [0, 1].
Verdict combine_orders(double p_first_order, double p_second_order);
// The same where only the first order was asked.
Verdict single_order(double p_first_order);
// Softmax over two log-probabilities: P(a). NaN where either is NaN or both are the same infinity.
double two_way_softmax(double log_prob_a, double log_prob_b);

// True if the same position (shown first, or shown second) wins in both orders. Both orders must have been asked.
bool same_position_in_both_orders(const Verdict& verdict);

// Simulated people (AlpacaFarm's recipe): each has a fixed preference for length; every label has noise and may be
// flipped. Keyed by (seed, comparison id): the same label on any rank. A label is hard: p_first is 0 or 1, given for
// the order that was shown. A tie that no noise breaks is a coin's toss.
struct AnnotatorOptions {
  int people = 13;
  double utility_noise = 0.15;  // standard deviation added to the utility difference
  double length_weight = 0.01;  // standard deviation over people of the weight per word of length difference
  double flip_rate = 0.25;
  std::uint64_t seed = 0;
};
using Utility = std::function<double(const Prompt&, const Completion&)>;
// Throws Error(usage) for options out of range.
std::unique_ptr<Judge> make_annotators(std::string name, AnnotatorOptions options, Utility utility, cost::Price price);

}  // namespace rlaif::judge
