// How a policy is trained on pairs that it draws itself. No tensors here.
//   OnlineDpoOptions options;
//   options.loss.beta = 0.2;
#pragma once

#include <cstdint>
#include <string>

#include "rlaif/train/options.hpp"
#include "rlaif/train/policy_gradient_options.hpp"

namespace rlaif::train {

struct OnlineDpoOptions {
  std::int64_t steps = 120;
  RolloutOptions rollout{.prompts_per_step = 32, .responses = 2, .missing_end_penalty = 0.0};
  DpoLossOptions loss;
  ScheduleOptions schedule{3e-4, 10, 0.1};
  AdamWOptions adam{0.9, 0.98, 1e-8, 0.0, 1.0};
  std::uint64_t seed = 0;
};

// Throws Error(usage) naming `where`, the key (`section`.beta, ...) and what was expected.
void check_online_dpo_options(const OnlineDpoOptions& options, const std::string& where, const std::string& section);

}  // namespace rlaif::train
