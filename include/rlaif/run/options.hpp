// Where a run lies and what it is computed on: the section [run] of a deck.
//   RunOptions options;  bind_run(table, options);  table.set("run.seed", {"7"});
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "rlaif/comm/device.hpp"
#include "rlaif/core/instruction_set.hpp"
#include "rlaif/core/option_table.hpp"

namespace rlaif::run {

// Fields mean what their keys say (bind_run).
struct RunOptions {
  std::filesystem::path directory = "runs/default";
  std::filesystem::path shared;
  double lease_seconds = 60;
  std::uint64_t seed = 0;
  comm::DeviceChoice device = comm::DeviceChoice::cpu;
  int threads = 1;
  std::optional<InstructionSet> instruction_set;  // nullopt: the best that all ranks have
  double watchdog_minutes = 30;
  int grains = 4;
  int checkpoint_every_steps = 0;
  double checkpoint_every_seconds = 30;
  bool shard_optimizer = false;
  bool checkpoint_activations = false;
  std::int64_t micro_batch_tokens = 0;
};
void bind_run(OptionTable& table, RunOptions& options);

}  // namespace rlaif::run
