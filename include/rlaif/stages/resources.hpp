// What a study will need, before it starts: bytes a rank, hours, dollars. Predictions from sizes alone; nothing is loaded.
//   require_memory(options, stages, comm.size(), machine_memory_bytes() / comm.local_size());
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rlaif/model/config.hpp"
#include "rlaif/run/stage.hpp"
#include "rlaif/study/options.hpp"

namespace rlaif::stages {

// Shapes of the policy: the folder's config.json where it is there, else the deck's sizes.
model::ModelConfig planned_policy(const StudyOptions& options);

// The table that --dry-run prints: bytes by part, whether they fit into plan.memory_gib, hours and dollars where the deck
// says how fast a rank is and what it costs.
std::string describe_resources(const StudyOptions& options, const std::vector<Stage>& stages, int ranks);

double machine_memory_bytes();  // of this node

// Throws Error(usage) naming the stage where a stage does not fit into plan.memory_gib, or where that is 0 and the models run
// on CPUs, into `available_bytes` a rank.
void require_memory(const StudyOptions& options, const std::vector<Stage>& stages, int ranks,
                    std::optional<double> available_bytes);

void bind_plan(OptionTable& table, PlanOptions& options);

}  // namespace rlaif::stages
