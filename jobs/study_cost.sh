#!/usr/bin/env bash
# What a label costs against how often it is right, for judges of four sizes and cascades of them, in the closed world.
#
# Shows: agreement with gold on 1,500 held-out pairs against simulated dollars a 1,000 labels, with intervals over three seeds: a
#   table (runs/study-cost/report/cost.txt) and a plot (cost.svg beside it).
# Costs: no GPU, no key, no money (prices are those of inputs/study_prices.json, about 0.8 USD simulated in all); about 15 minutes on
#   two cores, most of it the training of four judges a seed; 2 GB of memory. What was stopped goes on when this is run again.
#
#   jobs/study_cost.sh                            into runs/study-cost
#   jobs/study_cost.sh --sweep.seeds="0 1 2 3 4"  any setting of inputs/study_cost.cfg
#   SMALL=1 jobs/study_cost.sh                    the same joints in about three minutes, into runs/study-cost-small; its judges
#                                                 have learned next to nothing
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0; }
settings=(--sweep.directory=runs/study-cost)
if [[ -n ${SMALL:-} ]]; then
  settings=(--sweep.directory=runs/study-cost-small --sweep.seeds="0 1" --sft.examples=1200 --sft.register_examples=240 --annotate.heldout_prompts=120
    --annotate.prompts=10 --annotate.block=20 --evaluate.resamples=200)
  for judge in small medium upper large; do settings+=("--judge_model.$judge.steps=60"); done
fi
jobs/sweep.sh inputs/study_cost.cfg "${settings[@]}" "$@"
for argument in "${settings[@]}" "$@"; do
  [[ $argument != --sweep.directory=* ]] || folder=${argument#*=}
done
python3 analysis/study_plots.py cost "$folder"
