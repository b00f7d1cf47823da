// What a study will need, before it starts: bytes a rank, hours, dollars. Predictions from sizes alone; nothing is
// loaded.
//   require_memory(plan, stages, comm.size(), machine_memory_bytes() / comm.local_size());
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/model/config.hpp"
#include "rlaif/run/stage.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::stages {

// What --dry-run assumes about machines and prompts. Nothing here decides results.
struct PlanOptions {
  int ranks = 0;
  double memory_gib = 0;
  double gflops = 0;
  double decode_tokens_per_second = 0;
  double usd_per_rank_hour = 0;
  std::int64_t prompt_tokens = 64;
  std::int64_t answer_tokens = 150;
};
void bind_plan(OptionTable& table, PlanOptions& options);

// Shapes of the policy: the folder's config.json where it is there, else the deck's sizes.
model::ModelConfig planned_policy(const PolicyOptions& policy);

// The table that --dry-run prints: bytes by part, whether they fit into plan.memory_gib, hours and dollars where the
// deck says how fast a rank is and what it costs.
std::string describe_resources(const Study& study, const PlanOptions& plan, const std::vector<Stage>& stages,
                               int ranks);

double machine_memory_bytes();  // of this node

// Throws Error(usage) naming the stage where a stage does not fit into plan.memory_gib, or where that is 0 and the
// models run on CPUs, into `available_bytes` a rank.
void require_memory(const PlanOptions& plan, const std::vector<Stage>& stages, int ranks,
                    std::optional<double> available_bytes);

}  // namespace rlaif::stages
