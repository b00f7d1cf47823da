#!/usr/bin/env bash
# How many labels a policy needs, and what they cost: RLAIF and RLHF in the closed world.
#
# Shows: gold win rate over SFT against the number of labels of an AI judge (rlaif) and of simulated people (rlhf), with dollars as
#   the second axis and intervals over three seeds: a table (runs/study-labels/report/labels.txt) and a plot (labels.svg).
# Costs: no GPU, no key, no money (simulated: 0.06 USD an AI label, 0.67 a human one, at most 1,340 USD a point); about 20 minutes on two
#   cores: 3 a seed for what its cells share, the rest for 18 cells; 2 GB of memory. What was stopped goes on when this is run again.
#
#   jobs/study_labels.sh                          into runs/study-labels
#   jobs/study_labels.sh --sweep.seeds="0 1 2 3"  any setting of inputs/study_labels.cfg
#   SMALL=1 jobs/study_labels.sh                  the same joints in about three minutes, into runs/study-labels-small; little is
#                                                 learned from so few steps
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0; }
settings=(--sweep.directory=runs/study-labels)
if [[ -n ${SMALL:-} ]]; then
  settings=(--sweep.directory=runs/study-labels-small --sweep.seeds="0 1" --sweep.axis.labels="reward.labels: 20 | 80 | 320"
    --model.hidden_size=64 --model.num_layers=2 --model.intermediate_size=176 --judge_network.hidden_size=64 --judge_network.num_layers=2
    --judge_network.intermediate_size=176 --sft.examples=3000 --sft.register_examples=400 --judge_model.steps=150 --judge.min_agreement=0
    --annotate.prompts=500 --annotate.heldout_prompts=100 --ppo.steps=10 --ppo.prompts_per_step=64 --evaluate.prompts=100 --evaluate.samples=2)
fi
jobs/sweep.sh inputs/study_labels.cfg "${settings[@]}" "$@"
for argument in "${settings[@]}" "$@"; do
  [[ $argument != --sweep.directory=* ]] || folder=${argument#*=}
done
python3 analysis/study_plots.py labels "$folder"
