// Judges held against labels by people, and what they are corrected by (judge/fitted.hpp).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/resolved_deck.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::tools {

struct CalibrateOptions {
  std::filesystem::path pairs, output, probes, recorded;
  std::vector<std::string> judges;
  double target = 0.98;
  int folds = 10;
  int resamples = 2000;
};
void bind_calibrate(OptionTable& table, CalibrateOptions& options);

// What two keys must be to each other. Throws Error(usage) naming the key.
void check_calibrate(const CalibrateOptions& options);

// `rlaif calibrate`: judges on labelled pairs, or the figures of recorded verdicts -> files in calibrate.output, and a
// table. It loads the study where judges are asked.
void run_calibrate_command(Study& study, const CalibrateOptions& calibrate, const ResolvedDeck& deck,
                           const comm::Communicator& comm);

}  // namespace rlaif::tools
