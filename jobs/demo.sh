#!/usr/bin/env bash
# The demonstration: does feedback from an AI judge train as good a policy as feedback from people?
#
# Shows: in a small closed world whose right answers can be computed, a policy is tuned from SFT twice, once
#   on labels of an AI judge (rlaif) and once on labels of simulated annotators who disagree and err
#   (rlhf). Both are held against SFT and against each other by a gold score that neither judge nor
#   annotators see. The report has win rates with intervals, training curves and sample answers.
# Costs: no GPU, no network once set up, no API key, 2 GB of memory; about 4 minutes on two cores after
#   the first build. A run that is stopped goes on where it was when this is run again.
#
#   jobs/demo.sh                              the whole of it, into runs/demo
#   jobs/demo.sh --run.seed=1 --run.directory=runs/seed1   any setting of the deck
#   jobs/demo.sh --dry-run                    the resolved deck and the stages, nothing run
#   RANKS=4 jobs/demo.sh                      ranks (default 2); the results do not depend on it
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

run=runs/demo
report=1
previous=
for argument in "$@"; do
  case $argument in
    --run.directory=*) run=${argument#*=} ;;
    --dry-run | -h | --help) report=0 ;;
  esac
  [[ $previous != --run.directory ]] || run=$argument
  previous=$argument
done

jobs/setup.sh
jobs/build.sh
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh

run_ranks "${RANKS:-2}" build/release/rlaif study inputs/demo.cfg "$@"
if [[ $report == 1 ]]; then
  python3 analysis/report.py "$run"
fi
