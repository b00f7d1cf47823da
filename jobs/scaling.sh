#!/usr/bin/env bash
# How the stages of a study scale: measured at 1 and 2 ranks, predicted up to 1,024.
#
# Shows: what messages, products and files cost here (rlaif info --measure); every stage's seconds with the same study on more
#   ranks (strong) and with a study that grows with the ranks (weak), beside what a model of the communication predicts from the
#   one-rank run, with its error; predictions to 1,024 ranks and what they assume; the start-up of 8 ranks (goal: under 5 s) and
#   what checkpoints cost (goal: under 2 % of a stage). Writes runs/scaling/scaling.txt and scaling.svg.
# Costs: about 4 minutes on two cores. Close other programs: on busy cores the figures mean little.
#
#   jobs/scaling.sh                          inputs/scaling.cfg, once
#   jobs/scaling.sh 3 --ppo.steps=4          three repetitions (medians count); settings after them go to the study
# Environment: SCALING_RANKS, the rank counts (default "1 2"; 1 must be among them); SCALING_OUT, the folder (default runs/scaling);
#   SCALING_DECK, another deck.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  -h | --help) sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
repetitions=${1:-1}
shift $(($# < 1 ? $# : 1))
[[ $repetitions =~ ^[1-9][0-9]*$ ]] || { printf "scaling: repetitions must be a count, not '%s'\n" "$repetitions" >&2; exit 1; }
deck=${SCALING_DECK:-inputs/scaling.cfg}
[[ -f $deck ]] || { printf "scaling: there is no deck '%s'\n" "$deck" >&2; exit 1; }
out=${SCALING_OUT:-runs/scaling}
read -ra counts <<<"${SCALING_RANKS:-1 2}"

jobs/build.sh
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh
rlaif=build/release/rlaif
rm -rf "$out"  # a study that finds itself done takes no time
mkdir -p "$out"

most=${counts[-1]}
run_ranks "$most" "$rlaif" info --measure "$out" --output "$out/info.json" >"$out/info.txt"

for _ in 1 2 3; do
  begin=$(date +%s.%N)
  run_ranks 8 "$rlaif" info >/dev/null
  printf '%s %s\n' "$begin" "$(date +%s.%N)" >>"$out/startup.txt"
done

# setting KEY: its value in the resolved deck
"$rlaif" study "$deck" --dry-run "$@" >"$out/plan.txt"
setting() {
  awk -v key="$1" '/^\[/ {section = substr($0, 2, length($0) - 2)} section "." $1 == key && $2 == "=" {print $3; exit}' "$out/plan.txt"
}
# grown RANKS: settings under which every rank has the work that one had
grown() {
  local key
  for key in sft.examples sft.register_examples sft.batch judge_model.batch annotate.prompts annotate.heldout_prompts reward.batch \
    ppo.prompts_per_step ppo.minibatch evaluate.prompts; do
    printf -- '--%s=%d\n' "$key" $(($(setting "$key") * $1))
  done
}
study() {  # study RANKS NAME [SETTINGS]
  printf 'scaling: %s\n' "$2" >&2
  run_ranks "$1" "$rlaif" study "$deck" --run.directory="$out/$2" "${@:3}" >"$out/$2.log" 2>&1 ||
    { tail -n 3 "$out/$2.log" >&2; exit 1; }
}
for ((repetition = 1; repetition <= repetitions; ++repetition)); do
  for ranks in "${counts[@]}"; do
    study "$ranks" "strong-$ranks-$repetition" "$@"
    [[ $ranks != 1 ]] || continue
    mapfile -t settings < <(grown "$ranks")
    study "$ranks" "weak-$ranks-$repetition" "$@" "${settings[@]}"
  done
  # The same with the state saved after every step: what a checkpoint costs.
  study 1 "saved-1-$repetition" "$@" --run.checkpoint_every_steps=1
done

python3 analysis/scaling.py "$out" --svg "$out/scaling.svg" | tee "$out/scaling.txt"
