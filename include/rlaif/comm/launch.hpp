// What the launcher of this process says about its step, held against what MPI made of it. A launcher that MPI cannot talk to
// (srun without PMIx, another MPI's mpiexec, a container that hides the launcher) leaves every task alone: each believes that
// it is rank 0 of 1, does all the work and pays for it.
//
//   require_whole_step(launch_of(std::getenv), comm.size());  // throws where two tasks are two worlds
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace rlaif::comm {

// The value of a variable; null where there is none.
using Environment = std::function<const char*(const char* name)>;

struct Launch {
  std::string launcher;     // "srun", "mpirun", ... as one would name it
  std::int64_t tasks = 1;   // of the step, at least
  std::string advice;       // what to do where MPI did not find the others
  bool has_manager = true;  // the environment holds something by which MPI could find them
  bool is_slurm_step = false;
};
// The innermost launcher that the environment tells of. nullopt: none; what a batch script starts itself is no step.
std::optional<Launch> launch_of(const Environment& environment);

// Before MPI starts: throws Error(usage) where several tasks were started and nothing says how MPI should find them, and has
// MPI start by itself where the one task of a Slurm step has nothing to find (Open MPI would end there).
void prepare_launch(const std::optional<Launch>& launch);
// After: throws Error(usage) where a step of several tasks became worlds of one.
void require_whole_step(const std::optional<Launch>& launch, int world_size);

}  // namespace rlaif::comm
