// What labels teach about judges: numbers fitted to P(first is better) and a reference. Pure functions.
//
// Spans hold one entry a pair. `reference`: 1 where the first is the better one, 0 where the second is, 0.5 where they are
// even. A pair whose verdict or reference is NaN is left out. Probabilities are kept within [1e-6, 1 - 1e-6] before their
// log-odds are taken, as combined judges do.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace rlaif::evaluate {

// T in [1e-4, 1e4] that maximises the log-likelihood of the reference under sigmoid(log-odds(p) / T) (Guo et al.
// 1706.04599, section 4.2), by golden section in log T. 1 where no verdict leans to a side.
double fitted_temperature(std::span<const double> p, std::span<const double> reference);

// Coefficients of a logistic regression of y in [0, 1] on columns, without intercept: sides of a pair are interchangeable.
// Maximises sum of log-likelihoods - ridge * n / 2 * sum of squared coefficients by Newton's method, steps halved until the
// objective grows.
std::vector<double> logistic_coefficients(std::span<const std::vector<double>> columns, std::span<const double> y,
                                          double ridge);

// Weights of an ensemble: the regression of the reference on the judges' log-odds, each divided by its temperature; a judge
// that gave no verdict (NaN) says 0.
std::vector<double> ensemble_weights(std::span<const std::vector<double>> p_by_judge,
                                     std::span<const double> temperatures, std::span<const double> reference,
                                     double ridge = 1e-3);

// [better side][named side], sides in the order first, second; rows sum to 1.
using Confusion = std::array<std::array<double, 2>, 2>;
// Shares with one imagined pair added to each cell; verdicts and references of 0.5 are left out.
Confusion labelled_confusion(std::span<const double> p, std::span<const double> reference);

// Expectation maximisation without a reference (Dawid and Skene 1979) from the majority vote, until no posterior moves by
// more than 1e-9, at most 1000 rounds. Each cell of a confusion has one imagined pair added, so that it is never 0.
struct DawidSkene {
  std::vector<Confusion> confusions;  // a judge
  std::vector<double> p_first;        // a pair: P(first is better) given all verdicts; 0.5 where none names a side
  double share_first = 0.5;           // of pairs, whose first is better
  int rounds = 0;
};
DawidSkene dawid_skene(std::span<const std::vector<double>> p_by_judge);

// How much a judge's log-odds grow with a unit of length difference beyond what the reference explains: the coefficient of
// the difference in a logistic regression of p on the better side (1, -1, 0) and the difference. Columns are scaled to a
// mean square of 1 and carry a ridge of 1e-4 a pair. 0 where all lengths are equal.
double length_slope(std::span<const double> p, std::span<const double> reference,
                    std::span<const double> length_differences);

// --- cascades ------------------------------------------------------------------------------------

struct CascadePoint {
  double threshold = 0.0;    // the cheap verdict stands from this confidence on
  double share_asked = 0.0;  // of pairs, that the dear judge is asked
  double agreement = 0.0;    // of what is said in the end
  double cost_usd = 0.0;     // a pair
};
struct CascadeCurve {
  std::vector<CascadePoint> points;  // thresholds rising; the first: nothing is asked that the cheap judge could answer
  std::size_t chosen = 0;
};
// One judge and what is asked where it is not sure: of a pair, its confidence (below 0.5: it gave none), and how right (0,
// 0.5 or 1) and how dear each of the two is.
struct CascadeStep {
  std::vector<double> confidence, right, cost_usd, dear_right, dear_cost_usd;
};
// Thresholds are the observed confidences and 1. Chosen is the smallest share asked whose agreement reaches
// `least_agreement` (within 1e-12), else the highest agreement, of equal ones the smallest share.
CascadeCurve cascade_curve(const CascadeStep& step, double least_agreement);

// Judges from cheap to dear: confidence, rightness and cost by judge and pair; those of the last judge are what the others
// are measured by. Thresholds are chosen from the last step back to the first, each with what follows as its dear judge, so
// that the whole keeps `target` of the last judge's agreement.
struct CascadeFit {
  std::vector<double> thresholds;    // for each judge but the last
  std::vector<CascadeCurve> curves;  // the same
};
CascadeFit fit_cascade(std::span<const std::vector<double>> confidence, std::span<const std::vector<double>> right,
                       std::span<const std::vector<double>> cost_usd, double target);
// The same curves for thresholds that are given; chosen is the point that asks what they ask.
CascadeFit cascade_at(std::span<const std::vector<double>> confidence, std::span<const std::vector<double>> right,
                      std::span<const std::vector<double>> cost_usd, std::span<const double> thresholds);

}  // namespace rlaif::evaluate
