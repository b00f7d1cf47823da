// What calibration against people's labels found out about judges: a file that `rlaif calibrate` writes and decks name.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace rlaif::judge {

struct FittedJudge {
  std::int64_t pairs = 0;                                       // labelled pairs that were answered
  double agreement = std::numeric_limits<double>::quiet_NaN();  // with the labels, over pairs whose label is no tie
  double temperature = 1.0;  // a calibrated P(first) is sigmoid(logit(p) / temperature) (Guo et al. 1706.04599)
  double weight = 1.0;       // of this judge's log-odds in an ensemble; 0: not heard
  // confusion[t][s]: P(judge names side s | side t is the better one), sides in the order first, second (Dawid and
  // Skene 1979, fitted on labels or by their EM).
  std::array<std::array<double, 2>, 2> confusion{{{1.0, 0.0}, {0.0, 1.0}}};
  double length_slope = 0.0;  // log-odds a unit of length difference (words of first less words of second)
};

struct FittedJudges {
  std::map<std::string, FittedJudge> judges;  // by the judge's name in the deck
  // By the name of a cascade: for each member but the last, the calibrated confidence max(p, 1 - p) that lets its
  // verdict stand; below it the next member is asked.
  std::map<std::string, std::vector<double>> thresholds;
  // Throws Error(input) naming file and key: a missing or unknown key, a number out of range.
  static FittedJudges load(const std::filesystem::path& file);
  void save(const std::filesystem::path& file) const;
  // Throws Error(input) naming the file this came from and the names it holds.
  const FittedJudge& at(const std::string& name) const;

  std::filesystem::path file;  // where it was read from; empty for one made in memory
};

}  // namespace rlaif::judge
