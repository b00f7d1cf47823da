// Options of Kahneman-Tversky optimisation. No tensors here.
//   KtoOptions options;
//   options.undesirable_weight = 1.33;
#pragma once

#include "rlaif/train/options.hpp"

namespace rlaif::train {

struct KtoOptions {
  double beta = 0.1;  // of the log-ratios in the loss
  double desirable_weight = 1.0, undesirable_weight = 1.0;
  int epochs = 1;
  std::int64_t batch = 32;  // pairs a step, two answers each
  ScheduleOptions schedule{3e-4, 10, 0.1};
  AdamWOptions adam{0.9, 0.98, 1e-8, 0.0, 1.0};
  std::uint64_t seed = 0;  // order of pairs in every epoch
};

}  // namespace rlaif::train
