// Where a run lies and what it is computed on: the section [run] of a deck.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "rlaif/comm/device.hpp"
#include "rlaif/core/instruction_set.hpp"

namespace rlaif::run {

struct RunOptions {
  std::filesystem::path directory = "runs/default";
  std::filesystem::path shared;  // stages that other runs made too are taken from here and put here; empty: none
  double lease_seconds = 60;     // without a sign of life until who makes a shared stage counts as dead
  std::uint64_t seed = 0;
  comm::DeviceChoice device = comm::DeviceChoice::cpu;
  int threads = 1;                                // of libtorch, a rank
  std::optional<InstructionSet> instruction_set;  // of every rank; nullopt: the best that all have
  double watchdog_minutes = 30;                   // longest wait in one collective; 0: any
  int grains = 4;                                 // pieces of a global batch that are summed in one fixed order
  int checkpoint_every_steps = 0;                 // 0: by time alone
  double checkpoint_every_seconds = 30;           // 0: by steps alone
  bool shard_optimizer = false;                   // each rank keeps its part of the optimizer's state (ZeRO-1)
  bool checkpoint_activations = false;            // training computes layers again instead of keeping what they made
  std::int64_t micro_batch_tokens = 0;            // a grain is worked on in parts of at most so many tokens; 0: at once
};

}  // namespace rlaif::run
