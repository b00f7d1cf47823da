// What ranks agree on between two pieces of a stage's work. Private to train.
#pragma once

#include "rlaif/core/progress.hpp"
#include "rlaif/train/loop.hpp"

namespace rlaif::train {

struct Boundary {
  bool save = false;  // the state, now; also before a stop
  bool stop = false;
};
// What any rank was asked, and what rank 0's clock says, holds for all. Collective.
Boundary agreed_boundary(const StageRun& run, const Stopwatch& since_saved);

}  // namespace rlaif::train
