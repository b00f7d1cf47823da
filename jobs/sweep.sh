#!/usr/bin/env bash
# Runs a sweep on this machine: plans it, runs its cells one after another, collects the table. On a cluster:
# slurm/submit.sh --sweep FOLDER.
#
# Shows: the table of a deck with a section [sweep], means over seeds with intervals; a table while cells are missing
#   (rlaif sweep collect).
# Costs: the deck's; cells that agree on a stage make it once. What was stopped goes on where it was when this is run again.
#
#   jobs/sweep.sh inputs/sweep.cfg                         a minute on two cores
#   jobs/sweep.sh inputs/sweep.cfg --sweep.seeds="0 1"     any setting of the deck
#   RANKS=1 jobs/sweep.sh inputs/sweep.cfg                 ranks of a cell that does not say (default 2)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  '' | -h | --help) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
deck=$1
shift
program=${RLAIF:-build/release/rlaif}
[[ -n ${RLAIF:-} ]] || { jobs/setup.sh && jobs/build.sh; }
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh

plan=$("$program" sweep plan "$deck" "$@")
printf '%s\n' "$plan"
folder=$(sed -n 's/^submit: .*--sweep //p' <<<"$plan")
failed=0
while IFS=$'\t' read -r number name ranks cell run; do
  [[ $number != number && ! -e $run/report/results.json ]] || continue
  [[ $ranks != 0 ]] || ranks=${RANKS:-2}
  printf '\ncell %s, %s\n' "$number" "$name"
  code=0
  run_ranks "$ranks" "$program" study "$cell" </dev/null || code=$?
  [[ $code != 75 ]] || exit 75
  [[ $code == 0 ]] || failed=1
done <"$folder/cells.tsv"
"$program" sweep collect "$deck" "$@"
exit $failed
