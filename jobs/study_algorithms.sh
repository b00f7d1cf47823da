#!/usr/bin/env bash
# Which algorithm, from the same judge: policies by every algorithm of the project in the closed world, three seeds, with the best of n.
#
# Shows: gold win rates over SFT and among each other with intervals over the seeds, KL, length, what became helpful, harmless, honest and
#   clear, how far log-probabilities of preferred and rejected answers moved, labels, dollars and seconds: a table
#   (runs/study-algorithms/report/algorithms.txt) and a plot of gold against KL with the curve of the best of n (algorithms.svg).
# Costs: 14 to 21 minutes a seed on one core beside other work; no GPU, no key, no money (simulated labels); 2 GB of memory. What was stopped goes on when this is run again.
#
#   jobs/study_algorithms.sh                          into runs/study-algorithms
#   jobs/study_algorithms.sh --sweep.seeds="0 1 2 3"  any setting of inputs/study_algorithms.cfg
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0; }
folder=runs/study-algorithms
for argument in "$@"; do
  [[ $argument != --sweep.directory=* ]] || folder=${argument#*=}
done
jobs/sweep.sh inputs/study_algorithms.cfg "$@"
python3 analysis/study_plots.py algorithms "$folder"
