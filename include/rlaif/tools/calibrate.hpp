// Judges held against labels by people, and what they are corrected by (judge/fitted.hpp).
#pragma once

#include "rlaif/comm/communicator.hpp"
#include "rlaif/study/options.hpp"

namespace rlaif::tools {

void bind_calibrate(OptionTable& table, CalibrateOptions& options);

// `rlaif calibrate`: judges on labelled pairs, or the figures of recorded verdicts -> files in calibrate.output, and a table.
void run_calibrate_command(const StudyOptions& options, const ResolvedDeck& deck, const comm::Communicator& comm);

}  // namespace rlaif::tools
