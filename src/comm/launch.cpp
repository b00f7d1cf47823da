#include "rlaif/comm/launch.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "rlaif/core/error.hpp"

namespace rlaif::comm {
namespace {

// What a launcher leaves in the environment of its tasks: how many there are, and which of them this is.
struct Trace {
  const char* launcher;
  const char* size;
  const char* rank;
};
// The first that left something is the innermost: mpirun starts its tasks within a step of srun, never the other way round.
constexpr Trace traces[] = {
    {"mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
    {"mpirun_rsh", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"},
    {"jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"},
    {"flux", "FLUX_JOB_SIZE", "FLUX_TASK_RANK"},
    {"mpiexec (PALS)", "PALS_SIZE", "PALS_RANKID"},
    {"mpiexec", "PMI_SIZE", "PMI_RANK"},
};

// By which MPI may find the other tasks. Of those that Slurm sets only PMIx and PMI-2 are here: PMI-1 leaves no trace, and who
// has an Open MPI of that age says so (OMPI_MCA_pmix).
constexpr const char* managers[] = {"PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_FD", "PMI_PORT", "OMPI_MCA_pmix"};

// Steps that Slurm makes for itself (batch script, allocation, shell of salloc) have the highest numbers.
constexpr std::int64_t first_own_step = 0xfffffff0;

std::optional<std::int64_t> number(const Environment& environment, const char* name) {
  const char* text = environment(name);
  if (text == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto result = std::from_chars(text, end, value);
  if (result.ec != std::errc() || result.ptr != end || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> first_number(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto value = number(environment, name)) return value;
  }
  return std::nullopt;
}

std::optional<Launch> slurm_step(const Environment& environment) {
  const auto step = first_number(environment, {"SLURM_STEP_ID", "SLURM_STEPID"});
  if (!step) return std::nullopt;  // a batch script, or the shell of salloc: their SLURM_NTASKS is what steps may have
  Launch launch;
  launch.launcher = "srun";
  launch.is_slurm_step = true;
  launch.advice =
      "use `srun --mpi=pmix` (`srun --mpi=list` says whether this Slurm has it) or mpirun; for tasks that are each to "
      "run "
      "by themselves: `env -u SLURM_STEP_ID -u SLURM_STEPID rlaif ...`";
  launch.tasks = number(environment, "SLURM_STEP_NUM_TASKS").value_or(0);
  if (launch.tasks == 0 && *step < first_own_step) {
    launch.tasks = first_number(environment, {"SLURM_NTASKS", "SLURM_NPROCS"}).value_or(1);
  }
  launch.tasks = std::max({std::int64_t{1}, launch.tasks, number(environment, "SLURM_PROCID").value_or(0) + 1});
  launch.has_manager = std::any_of(std::begin(managers), std::end(managers),
                                   [&](const char* name) { return environment(name) != nullptr; });
  return launch;
}

[[noreturn]] void refuse(const Launch& launch) {
  throw usage_error(launch.launcher + " started " + std::to_string(launch.tasks) +
                    " tasks, of which MPI knows only this one: each would do all the work and pay for it; " +
                    launch.advice);
}

}  // namespace

std::optional<Launch> launch_of(const Environment& environment) {
  std::optional<Launch> slurm = slurm_step(environment);
  for (const Trace& trace : traces) {
    const auto size = number(environment, trace.size), rank = number(environment, trace.rank);
    if (!size && !rank) continue;
    Launch launch;
    launch.launcher = trace.launcher;
    launch.tasks = std::max({std::int64_t{1}, size.value_or(1), rank.value_or(0) + 1});
    launch.advice = "start it with the mpirun of the MPI that it was built with (`rlaif info` names it)";
    // srun --mpi=pmi2 speaks the same language as other MPIs' mpiexec.
    if (slurm && std::strcmp(trace.size, "PMI_SIZE") == 0) {
      launch.launcher = slurm->launcher;
      launch.advice = slurm->advice;
    }
    return launch;
  }
  return slurm;
}

void prepare_launch(const std::optional<Launch>& launch) {
  if (!launch || !launch->is_slurm_step || launch->has_manager) return;
  if (launch->tasks > 1) refuse(*launch);
  ::unsetenv("SLURM_STEP_ID");  // by it Open MPI sees that srun started it, asks for PMIx in vain and ends
}

void require_whole_step(const std::optional<Launch>& launch, int world_size) {
  if (launch && launch->tasks > 1 && world_size == 1) refuse(*launch);
}

}  // namespace rlaif::comm
