#!/usr/bin/env bash
# People's choices and AI judges' on the same recorded pairs: who learns what from whom, on a real model and real human labels.
#
# Shows: reward models from people's labels, from a judge model's (itself learned from a disjoint part of the people's labels) and
#   from a file of rules, on the same pairs: how often each names the answer that people chose on prompts that nobody has learned
#   from, with intervals by prompt, over the number of labels (report/curves.txt, curves.svg); and a policy of each by DPO, held
#   against the untouched model by a judge that none of them has learned from (report/report.html).
# Needs: a file of pairs that people have labelled, in any form that `rlaif convert` reads; made for the harmless part of hh-rlhf
#   (MIT, https://github.com/anthropics/hh-rlhf, harmless-base/test.jsonl.gz), conversations of several turns.
# Costs: no GPU, no API key; SmolLM2-135M-Instruct from PyPI once (93 MB), 12 GB of memory for the last step (ten reward models at once on two
#   ranks) and, by the rates of its stages, about 40 minutes on two cores; with PAIRS=250 about 16. A run that is stopped goes on where it was.
#
#   jobs/people.sh FILE                    the whole of it, into runs/people
#   PAIRS=250 jobs/people.sh FILE          at most so many characters a prompt and answer (default 500, less than half of hh-rlhf)
#   RUN=FOLDER RANKS=1 jobs/people.sh FILE another folder, another number of ranks; the results do not depend on the ranks
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case ${1:-} in
  -h | --help) sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
[[ $# == 1 ]] || { printf 'jobs/people.sh: one file of pairs was expected; jobs/people.sh --help says more\n' >&2; exit 2; }
if [[ ! -f $1 ]]; then
  printf 'jobs/people.sh: %s: no such file; pairs that people have labelled were expected, such as harmless-base/test.jsonl.gz of hh-rlhf\n' "$1" >&2
  exit 3
fi
file=$(realpath "$1")
cd "$root"
run=${RUN:-runs/people}
ranks=${RANKS:-2}

jobs/setup.sh
jobs/build.sh
# shellcheck source=jobs/smollm2_model.sh
source jobs/smollm2_model.sh
model=$(realpath "$(smollm2_folder)")
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh
rlaif=build/release/rlaif

# Parts of the prompts by a hash of what they say: nothing learns from the held-out one, and the judge, the referee and the policies
# each from one of their own.
parts=$run/parts
mkdir -p "$parts"
if [[ ! -f $parts/train.jsonl ]]; then
  "$rlaif" convert "$file" "$parts/rest.jsonl" "$parts/heldout.jsonl" --to pairs --longest "${PAIRS:-500}" --split 0.12
  "$rlaif" convert "$parts/rest.jsonl" "$parts/others.jsonl" "$parts/learned.jsonl" --to pairs --split 0.32
  "$rlaif" convert "$parts/others.jsonl" "$parts/train.jsonl" "$parts/referee.jsonl" --to pairs --split 0.52
fi

# stages DECK DIRECTORY ARGUMENTS...: what reward models take, and no policy
stages() {
  local deck=$1 directory=$2 stage
  shift 2
  for stage in sft annotate reward; do
    run_ranks "$ranks" "$rlaif" "$stage" "$deck" --run.directory="$directory" --model.folder="$model" \
      --data.choices.heldout_file="$parts/heldout.jsonl" "$@"
  done
}

for judge in learned referee; do
  stages inputs/people_judge.cfg "$run/$judge" --data.choices.file="$parts/$judge.jsonl"
done
on_train=(--data.choices.file="$parts/train.jsonl" --judge.learned.folder="$run/learned/models/reward-people"
  --judge.referee.folder="$run/referee/models/reward-people" --run.shared="$run/shared")
run_ranks "$ranks" "$rlaif" study inputs/people.cfg --run.directory="$run/study" --model.folder="$model" \
  --data.choices.heldout_file="$parts/heldout.jsonl" "${on_train[@]}"

# The learning curves: a reward model of each judge's labels from a quarter, half and all of the pairs, held against people's choices.
pairs=$(wc -l <"$parts/train.jsonl")
counts=($((pairs / 4)) $((pairs / 2)) "$pairs")
curves=$run/curves.cfg
names=referee
sections=("[judge.referee]" "kind = reward_model" "price = local-judge" "folder = $(realpath "$run")/referee/models/reward-people")
for count in "${counts[@]}"; do
  stages inputs/people_rewards.cfg "$run/labels-$count" "${on_train[@]}" --reward.labels="$count"
  for judge in people learned rules; do
    names+=" $judge-$count"
    sections+=("[judge.$judge-$count]" "kind = reward_model" "price = local-judge"
      "folder = $(realpath "$run")/labels-$count/models/reward-$judge")
  done
done
printf '%s\n' "# Written by jobs/people.sh: every reward model of it as a judge of the held-out pairs." "[study]" "judges = $names" \
  "judge_models =" "arms =" "${sections[@]}" >"$curves"
run_ranks "$ranks" "$rlaif" calibrate "$curves" --run.directory="$run/curves" --calibrate.pairs="$parts/heldout.jsonl" \
  --calibrate.output="$run/report" --calibrate.folds=0
python3 analysis/report.py "$run/study"
python3 analysis/people.py "$run"
