// What a study will need, before it starts: bytes a rank, hours, dollars. Predictions from sizes alone; nothing is loaded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rlaif/model/config.hpp"
#include "rlaif/pipeline/options.hpp"

namespace rlaif::pipeline {

struct PlannedPart {
  std::string name;
  double bytes = 0.0;
};
// One stage on one rank. Its parts are alive together.
struct PlannedStage {
  std::string name;
  std::vector<PlannedPart> parts;
  double generated_tokens = 0.0;  // over all ranks
  double flops = 0.0;  // over all ranks: 2 a weight and token forward, 4 more backward (2 where weights are frozen)
  double bytes() const;
};

// Shapes of the policy: the folder's config.json where it is there, else the deck's sizes.
model::ModelConfig planned_policy(const StudyOptions& options);

std::vector<PlannedStage> plan_memory(const StudyOptions& options, const model::ModelConfig& policy, int ranks);

// The table that --dry-run prints: bytes by part, whether they fit into plan.memory_gib, hours and dollars where the deck
// says how fast a rank is and what it costs.
std::string describe_resources(const StudyOptions& options, int ranks);

double machine_memory_bytes();  // of this node

// Throws Error(usage) naming the stage where a stage does not fit into plan.memory_gib, or where that is 0 and the models run
// on CPUs, into `available_bytes` a rank.
void require_memory(const StudyOptions& options, int ranks, std::optional<double> available_bytes);

}  // namespace rlaif::pipeline
