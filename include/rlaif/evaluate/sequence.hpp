// Whether a mean is known well enough to stop asking, however often one looks.
//   ConfidenceSequence sequence(0.05, 500);  for (double win : wins) sequence.add(win);
//   if (sequence.excludes(0.5)) ...   // wrong in at most 5 of 100 studies, all looks of a study together
#pragma once

#include <cstddef>
#include <vector>

namespace rlaif::evaluate {

// A confidence sequence for the mean of values in [0, 1] that arrive one by one and may be of any distribution: with
// probability 1 - error_rate it holds the mean at all times at once (Waudby-Smith and Ramdas 2010.09686, theorem 3). Two
// gamblers bet against a mean m, one that it is higher, one that it is lower; m is excluded where half the capital of
// either has grown by 1 / error_rate. What is bet depends on earlier values alone (their predictable plug-in bets, with at
// most half of the capital at risk). Those bets shrink, since values may come without end. Where it is known that there are
// at most `horizon` values, each gambler gives half of the capital to another one, whose bets are those for so many: a
// difference that takes nearly all of them to be seen is seen more often, a clear one hardly later.
class ConfidenceSequence {
 public:
  // error_rate: above 0, below 1. horizon 0: it is not known.
  explicit ConfidenceSequence(double error_rate, std::size_t horizon = 0);

  void add(double value);  // in [0, 1]
  std::size_t count() const { return values_.size(); }
  bool excludes(double mean) const;
  // What is not excluded, to 1e-9: [0, 1] where nothing has been seen.
  double low() const;
  double high() const;

 private:
  enum class Side { higher, lower };
  // log of half the mean capital of those who bet that the mean is on this side of `mean`.
  double log_capital(Side side, double mean) const;
  bool excludes(Side side, double mean) const;

  double error_rate_;
  std::size_t horizon_;
  std::vector<double> values_;
  std::vector<std::vector<double>> bets_;  // by gambler of a side
  double sum_, squares_;                   // of the values and of their deviations, with the imagined first one
};

}  // namespace rlaif::evaluate
