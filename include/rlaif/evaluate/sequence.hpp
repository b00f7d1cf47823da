// Whether a mean is known well enough to stop asking, however often one looks.
//   ConfidenceSequence sequence(0.05);  for (double win : wins) sequence.add(win);
//   if (sequence.excludes(0.5)) ...   // wrong in at most 5 of 100 studies, all looks of a study together
#pragma once

#include <cstddef>
#include <vector>

namespace rlaif::evaluate {

// A confidence sequence for the mean of values in [0, 1] that arrive one by one and may be of any distribution: with
// probability 1 - error_rate it holds the mean at all times at once (Waudby-Smith and Ramdas 2010.09686, theorem 3). Two
// gamblers bet against a mean m, one that it is higher, one that it is lower; m is excluded where half the capital of
// either has grown by 1 / error_rate. What is bet depends on earlier values alone (their equation 26, capital at risk at
// most a half).
class ConfidenceSequence {
 public:
  explicit ConfidenceSequence(double error_rate);  // above 0, below 1

  void add(double value);  // in [0, 1]
  std::size_t count() const { return values_.size(); }
  bool excludes(double mean) const;
  // What is not excluded, to 1e-9: [0, 1] where nothing has been seen.
  double low() const;
  double high() const;

 private:
  enum class Side { higher, lower };
  // log of half the capital of who bet that the mean is on this side of `mean`.
  double log_capital(Side side, double mean) const;
  bool excludes(Side side, double mean) const;

  double error_rate_;
  std::vector<double> values_, bets_;
  double sum_, squares_;  // of the values and of their deviations, with the imagined first one
};

}  // namespace rlaif::evaluate
