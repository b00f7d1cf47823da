#!/usr/bin/env bash
# Tasks that a launcher started and MPI does not know of: each would do all the work. The environments are those of Slurm 22.05.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

batch=(SLURM_JOB_ID=4711 SLURM_NTASKS=4 SLURM_NPROCS=4 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NNODES=2 SLURM_JOB_NUM_NODES=2)
step=(SLURM_JOB_ID=4711 SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_NTASKS=2 SLURM_NPROCS=2 SLURM_STEP_NUM_TASKS=2 SLURM_LOCALID=0 SLURM_NODEID=0)
: >"$scratch/empty.jsonl"

# refused NAME ARGUMENTS...: each task of a step of two ends with 2 and says what to do, before it writes anything
refused() {
  local name=$1 task code
  shift
  for task in 0 1; do
    env "${step[@]}" SLURM_PROCID=$task timeout 60 "$rlaif" "$@" >"$scratch/out" 2>&1
    code=$?
    if [[ $code == 2 && $(grep -c '^rlaif: srun started 2 tasks, .*--mpi=pmix.*mpirun' "$scratch/out") == 1 && ! -e $scratch/run ]]; then
      pass "$name as task $task of two that are alone"
    else
      fail "$name as task $task of two that are alone" "exit code $code: $(head -c 300 "$scratch/out" | tr '\n' ' ')"
    fi
  done
}
for command in study sft annotate reward ppo evaluate; do
  refused "rlaif $command" "$command" inputs/smoke.cfg --run.directory="$scratch/run"
done
for command in generate judge; do
  refused "rlaif $command" "$command" inputs/smoke.cfg --io.input="$scratch/empty.jsonl" --io.output="$scratch/none" --run.directory="$scratch/run"
done
refused "rlaif calibrate" calibrate inputs/judges.cfg --calibrate.pairs="$scratch/empty.jsonl" --calibrate.output="$scratch/none" --run.directory="$scratch/run"
refused "rlaif spotcheck" spotcheck import "$scratch/empty.jsonl" "$scratch/run"
refused "rlaif world" world write "$scratch/run"
refused "rlaif info" info
check "help needs no ranks" env "${step[@]}" SLURM_PROCID=1 "$rlaif" study --help

ranks_in() {  # ranks_in COUNT COMMAND...: the command says that there are so many
  local count=$1
  shift
  "$@" >"$scratch/said" 2>&1 && grep -q "^ranks  *$count$" "$scratch/said" || { cat "$scratch/said"; return 1; }
}
check "a batch script's own command is alone" ranks_in 1 env "${batch[@]}" "$rlaif" info
check "so is that of salloc's shell" ranks_in 1 env "${batch[@]}" SLURM_STEP_ID=4294967290 SLURM_STEP_NUM_TASKS=1 "$rlaif" info
check "and one task of a step" ranks_in 1 env "${step[@]}" SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=1 SLURM_NPROCS=1 "$rlaif" info
check "mpirun of one rank within a step" ranks_in 1 run_ranks 1 env "${step[@]}" SLURM_PROCID=0 "$rlaif" info
check "mpirun of two ranks within a step" ranks_in 2 run_ranks 2 env "${step[@]}" SLURM_PROCID=0 "$rlaif" info
check "mpirun of two ranks within a batch script" ranks_in 2 run_ranks 2 env "${batch[@]}" "$rlaif" info
check "tasks that are to run by themselves" ranks_in 1 env "${step[@]}" SLURM_PROCID=1 env -u SLURM_STEP_ID -u SLURM_STEPID "$rlaif" info

PMI_SIZE=3 PMI_RANK=1 "$rlaif" info >"$scratch/out" 2>&1
code=$?
if [[ $code == 2 ]] && grep -q '^rlaif: mpiexec started 3 tasks' "$scratch/out"; then
  pass "another MPI's mpiexec is named"
else
  fail "another MPI's mpiexec is named" "exit code $code: $(head -c 300 "$scratch/out" | tr '\n' ' ')"
fi
