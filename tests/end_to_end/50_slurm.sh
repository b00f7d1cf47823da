#!/usr/bin/env bash
# Studies as jobs of a Slurm cluster of two nodes (a throw-away one on this machine): by srun and by mpirun, with a limit that is
# shorter than the study, and disturbed on their way.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cluster=tests/support/slurm_cluster.sh
if [[ -n $("$cluster" missing) ]]; then
  skip "jobs on a Slurm cluster" "not installed here (slurm-wlm, munge): $("$cluster" missing)"
  exit 0
fi
trap '"$cluster" down "$scratch/slurm" >/dev/null 2>&1; rm -f rlaif-study-*.log; rm -rf "$scratch"' EXIT
if ! "$cluster" up "$scratch/slurm" 2 4 >"$scratch/up.log" 2>&1; then
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
  for _ in {1..1400}; do
    over=$((over + 1))
    case $(scontrol show job "$1" -o 2>/dev/null) in
      # Not before the nodes have got rid of its last step: its number is used again.
      *JobState=PENDING*Reason=BeginTime*) sleep 15; scontrol update JobId="$1" StartTime=now ;;
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

alone() {  # alone: two tasks that find no PMIx end with 2 and say what to do
  srun -N 2 -n 2 --mpi=none "$rlaif" info >"$scratch/alone" 2>&1
  [[ $? == 2 && $(grep -c '^rlaif: srun started 2 tasks, .*--mpi=pmix' "$scratch/alone") == 2 ]] || { head -c 300 "$scratch/alone"; return 1; }
}
check "tasks of srun without PMIx are told to use it" alone
check "one task of srun needs none" bash -c "srun -N 1 -n 1 --mpi=none '$rlaif' info 2>&1 | grep -q '^ranks  *1$'"

if [[ -z ${SLURM_REQUEUE:-} ]]; then
  skip "a job that is stopped, queued again, preempted or loses a node" "takes 10 minutes; SLURM_REQUEUE=1 runs it"
else
# A job of one minute is warned at once, and goes on as long as saving still fits: the study needs several starts.
longer=(--sft.examples=300000 --judge_model.steps=4000 --run.checkpoint_every_seconds=20)
export RLAIF_LAUNCHER=srun
check "a longer study, undisturbed" "$rlaif" study inputs/smoke.cfg "${longer[@]}" --run.directory="$scratch/long"
check "it is submitted with a limit that is too short" submit short -t 1 --signal=B:USR2@55 inputs/smoke.cfg "${longer[@]}"
check "it ends" ended "$job"
restarts=$(grep -c 'queueing again' "$scratch/short.log")
check "it queued again at least twice ($restarts times)" test "$restarts" -ge 2
check "and gives the same bytes" same_results "$scratch/long" "$scratch/short"
grep -v "steps," "$scratch/short.log"
check "the report counts its starts" bash -c "python3 -c \"import json; r = json.load(open('$scratch/short/report/results.json')); assert r['starts'] == $restarts + 1 and r['requeues'] == $restarts, r['starts']\""

# Disturbed in the middle of a stage, with time enough: queued again by hand, its step cancelled, preempted, a node lost.
medium=(--sft.examples=60000 --judge_model.steps=2000 --run.checkpoint_every_seconds=2)
check "a study to be disturbed, undisturbed" "$rlaif" study inputs/smoke.cfg "${medium[@]}" --run.directory="$scratch/medium"
under_way() {  # under_way NAME: its second training stage has begun
  for _ in {1..3000}; do [[ -f $scratch/$1/checkpoints/judge-model ]] || compgen -G "$scratch/$1/checkpoints/judge-model/*" >/dev/null && return; sleep 0.1; done
  return 1
}
disturb() {  # disturb NAME COMMAND...: a study that the command meets on its way; $job is its number
  local name=$1
  shift
  submit "$name" -t 20 inputs/smoke.cfg "${medium[@]}" && under_way "$name" && "$@"
}
requeue() { scontrol requeue "$job"; }
cancel_step() { scancel "$job.0"; }
preempt() { sbatch -p high -N 2 -n 2 --exclusive -o "$scratch/high.log" --wrap 'sleep 3' && sleep 1; }
lose_node() { scontrol update NodeName=n2 State=DOWN Reason=test && sleep 2; scontrol update NodeName=n2 State=RESUME || true; }  # it may be back by itself

check "a study is queued again by hand" disturb requeued requeue
check "it ends" ended "$job"
check "and gives the same bytes" same_results "$scratch/medium" "$scratch/requeued"

check "its step is cancelled" disturb cancelled cancel_step
ended "$job"
check "the job says so and ends, or goes on" bash -c "grep -Eiq 'cancel|queueing again' '$scratch/cancelled.log'"
check "submitted again" submit cancelled -t 20 inputs/smoke.cfg "${medium[@]}"
check "it ends" ended "$job"
check "and gives the same bytes" same_results "$scratch/medium" "$scratch/cancelled"

check "a job of a higher partition takes its nodes" disturb preempted preempt
check "it ends after the other" ended "$job"
check "and gives the same bytes" same_results "$scratch/medium" "$scratch/preempted"

check "a node is lost" disturb lost lose_node
check "it ends" ended "$job"
check "and gives the same bytes" same_results "$scratch/medium" "$scratch/lost"
fi

check "a deck that does not resolve is not submitted" bash -c "! slurm/submit.sh inputs/smoke.cfg --nonsense.key=1 2>'$scratch/refused'"
{ sed '/^template/d' inputs/smoke.cfg; printf '\n[judge.ai]\nkind = openai\nmodel = test\nkey_variable = NO_SUCH_KEY\nprice = example-hosted-judge\n'; } >"$scratch/asked.cfg"
check "nor one whose judge has no key" bash -c "! slurm/submit.sh '$scratch/asked.cfg' 2>'$scratch/refused' && grep -q NO_SUCH_KEY '$scratch/refused'"
check "nor a limit that is none" bash -c "! slurm/submit.sh -t soon inputs/smoke.cfg 2>'$scratch/refused' && grep -q soon '$scratch/refused'"
