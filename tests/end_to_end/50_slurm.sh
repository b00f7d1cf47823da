#!/usr/bin/env bash
# Studies as jobs of a Slurm cluster of two nodes (a throw-away one on this machine): by srun and by mpirun, and with a limit
# that is shorter than the study. Environment: SLURM_LOCAL, the script that makes the cluster (default: of the shared folder).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cluster=${SLURM_LOCAL:-$shared/tools/slurm-local}
if [[ ! -x $cluster ]] || ! command -v sbatch >/dev/null || ! PATH=$PATH:/usr/sbin command -v slurmctld >/dev/null; then
  skip "jobs on a Slurm cluster" "no Slurm to start here (slurm-wlm, munge, SLURM_LOCAL)"
  exit 0
fi
trap '"$cluster" down -d "$scratch/slurm" >/dev/null 2>&1; rm -f rlaif-study-*.log; rm -rf "$scratch"' EXIT
if ! "$cluster" up -d "$scratch/slurm" -n 2 -c 4 >"$scratch/up.log" 2>&1; then
  skip "jobs on a Slurm cluster" "it does not start: $(tail -n 1 "$scratch/up.log")"
  exit 0
fi
# shellcheck source=/dev/null
source "$scratch/slurm/env.sh"
export RLAIF=$rlaif RLAIF_LEAST_FREE_KIB=1024

submit() {  # submit NAME ARGUMENTS...: its number in $job
  local name=$1
  shift
  slurm/submit.sh -N 2 --ntasks-per-node=1 --output="$scratch/$name.log" "$@" --run.directory="$scratch/$name" >"$scratch/$name.said" 2>&1
  job=$(sed -n 's/^submit: job \([0-9]*\):.*/\1/p' "$scratch/$name.said")
  [[ -n $job ]]
}
ended() {  # ended JOB: waits, and starts it at once where Slurm holds a requeued job back
  local over=0
  for _ in {1..500}; do
    over=$((over + 1))
    case $(scontrol show job "$1" -o 2>/dev/null) in
      *JobState=PENDING*Reason=BeginTime*) scontrol update JobId="$1" StartTime=now ;;
      *JobState=COMPLETED* | *JobState=FAILED* | *JobState=TIMEOUT* | *JobState=CANCELLED*)
        # For a moment also on the way to being queued again.
        ((over < 20)) || { scontrol show job "$1" -o | grep -q JobState=COMPLETED; return; }
        sleep 0.5
        continue
        ;;
    esac
    over=0
    sleep 0.5
  done
  return 1
}

check "an undisturbed study" "$rlaif" study inputs/smoke.cfg --run.directory="$scratch/one"
for launcher in srun mpirun; do
  export RLAIF_LAUNCHER=$launcher
  check "a study is submitted for $launcher" submit "$launcher" -t 20 inputs/smoke.cfg
  check "it ends" ended "$job"
  check "by $launcher on two nodes it gives the same bytes" same_results "$scratch/one" "$scratch/$launcher"
done

# USR2 comes 12 seconds after the start: the study needs several.
longer=(--sft.examples=20000 --judge_model.steps=200 --run.checkpoint_every_seconds=2)
export RLAIF_LAUNCHER=srun
check "a longer study, undisturbed" "$rlaif" study inputs/smoke.cfg "${longer[@]}" --run.directory="$scratch/long"
check "it is submitted with a limit that is too short" submit short -t 1 --signal=B:USR2@${SLURM_SIGNAL_BEFORE:-48} inputs/smoke.cfg "${longer[@]}"
check "it ends" ended "$job"
restarts=$(grep -c 'queueing again' "$scratch/short.log")
check "it queued again at least twice ($restarts times)" test "$restarts" -ge 2
check "and gives the same bytes" same_results "$scratch/long" "$scratch/short"

check "a deck that does not resolve is not submitted" bash -c "! slurm/submit.sh inputs/smoke.cfg --nonsense.key=1 2>'$scratch/refused'"
{ sed '/^template/d' inputs/smoke.cfg; printf '\n[judge.ai]\nkind = openai\nmodel = test\nkey_variable = NO_SUCH_KEY\nprice = example-hosted-judge\n'; } >"$scratch/asked.cfg"
check "nor one whose judge has no key" bash -c "! slurm/submit.sh '$scratch/asked.cfg' 2>'$scratch/refused' && grep -q NO_SUCH_KEY '$scratch/refused'"
check "nor a limit that is none" bash -c "! slurm/submit.sh -t soon inputs/smoke.cfg 2>'$scratch/refused' && grep -q soon '$scratch/refused'"
