#!/usr/bin/env bash
# What becomes of a policy that is trained too long against its reward model.
#
# Shows: proxy reward (what the reward model says) and gold reward against KL from SFT, for reward models of two sizes that learned from
#   the same 2,500 noisy labels, both in standard deviations of SFT's own responses, with intervals over three seeds: a table
#   (runs/study-overoptimization/report/overoptimization.txt) and a plot (overoptimization.svg). Where gold falls and proxy rises, the
#   policy exploits its reward model.
# Costs: no GPU, no key, no money (1,675 USD of simulated human labels a cell); about 12 minutes on two cores for six cells; 2 GB of memory.
#   What was stopped goes on when this is run again.
#
#   jobs/study_overoptimization.sh                  into runs/study-overoptimization
#   jobs/study_overoptimization.sh --ppo.steps=480  any setting of inputs/study_overoptimization.cfg
#   SMALL=1 jobs/study_overoptimization.sh          the same joints in about three minutes, into runs/study-overoptimization-small
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0; }
settings=(--sweep.directory=runs/study-overoptimization)
if [[ -n ${SMALL:-} ]]; then
  settings=(--sweep.directory=runs/study-overoptimization-small --sweep.seeds="0 1" --model.hidden_size=64 --model.num_layers=2
    --model.intermediate_size=176 --sft.examples=3000 --sft.register_examples=400 --annotate.prompts=300 --annotate.heldout_prompts=60 --reward.labels=100
    --ppo.steps=40 --ppo.prompts_per_step=64 --ppo.learning_rate=1e-3 --evaluate.prompts=60 --evaluate.samples=2
    "--sweep.axis.reward=reward_network.hidden_size, reward_network.num_layers, reward_network.intermediate_size: small = 16, 1, 44 | large = 64, 2, 176")
fi
jobs/sweep.sh inputs/study_overoptimization.cfg "${settings[@]}" "$@"
for argument in "${settings[@]}" "$@"; do
  [[ $argument != --sweep.directory=* ]] || folder=${argument#*=}
done
python3 analysis/study_plots.py overoptimization "$folder"
