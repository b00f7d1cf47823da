# Sourced by the jobs and the tests: how MPI programs are started on one machine.
# shellcheck shell=bash

# One thread a rank. Two OpenMP threads on a busy core make a training step twenty times slower.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# Ranks are not tied to cores: two jobs on one machine would be tied to the same ones.
export OMPI_MCA_hwloc_base_binding_policy=${OMPI_MCA_hwloc_base_binding_policy:-none}
export OMPI_MCA_rmaps_base_oversubscribe=${OMPI_MCA_rmaps_base_oversubscribe:-1}
# The same in the words of OpenMPI 5.
export PRTE_MCA_hwloc_default_binding_policy=${PRTE_MCA_hwloc_default_binding_policy:-none}
export PRTE_MCA_rmaps_default_mapping_policy=${PRTE_MCA_rmaps_default_mapping_policy:-:oversubscribe}
if [[ $(id -u) == 0 ]]; then  # containers
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# How many processors there are for us. nproc alone would answer OMP_NUM_THREADS, which is set above.
processors() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; }

# run_ranks N COMMAND...: the command under mpirun. Ranks that wait spin; where there are more of them
# than cores they must yield, or those that work starve. Every launch has a session folder of its own: in a
# shared one the daemon of a run that has just ended may remove what the next one has just made.
run_ranks() {
  local ranks=$1 code=0 session
  shift
  session=$(mktemp -d)
  local -a environment=(OMPI_MCA_orte_tmpdir_base="$session" PRTE_MCA_prte_tmpdir_base="$session")
  ((ranks <= $(processors))) || environment+=(OMPI_MCA_mpi_yield_when_idle=1)
  env "${environment[@]}" mpirun -n "$ranks" "$@" || code=$?
  rm -rf "$session" 2>/dev/null || true
  return $code
}
