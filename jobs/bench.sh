#!/usr/bin/env bash
# The benchmarks: each kernel against its baseline, and a study at one rank against two.
#
# Shows: ratios of the micro-benchmarks in build/release/bench (a benchmark named Topic/baseline is what
#   the other rows of Topic are held against), then seconds and peak memory of every stage of a study
#   at 1 and 2 ranks.
# Costs: a minute for the micro-benchmarks; the study runs once per rank count and repetition from nothing,
#   so about three times a demo for the default deck. Close other programs: on two busy cores the
#   figures mean little.
#
#   jobs/bench.sh                                  micro-benchmarks and inputs/demo.cfg
#   jobs/bench.sh inputs/smoke.cfg 3               another deck, three repetitions (medians are printed)
#   jobs/bench.sh inputs/smoke.cfg 1 --run.seed=1  settings after the repetitions go to the study
#   jobs/bench.sh micro                            the micro-benchmarks only
# Environment: BENCH_RANKS, the rank counts (default "1 2"); BENCH_FILTER, for --benchmark_filter.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  -h | --help) sed -n '2,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
deck=${1:-inputs/demo.cfg}
repetitions=${2:-1}
shift $(($# < 2 ? $# : 2))
[[ $deck == micro || -f $deck ]] || { printf "bench: there is no deck '%s'\n" "$deck" >&2; exit 1; }
[[ $repetitions =~ ^[1-9][0-9]*$ ]] || { printf "bench: repetitions must be a count, not '%s'\n" "$repetitions" >&2; exit 1; }

jobs/setup.sh --tests
jobs/build.sh all
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh

out=build/bench
mkdir -p "$out"
shopt -s nullglob
results=()
for binary in build/release/bench/*_bench; do
  name=$(basename "$binary")
  printf 'bench: %s\n' "$name" >&2
  "$binary" ${BENCH_FILTER:+--benchmark_filter="$BENCH_FILTER"} --benchmark_out="$out/$name.json" \
    --benchmark_out_format=json --benchmark_min_time=0.2 >"$out/$name.log" 2>&1 ||
    { cat "$out/$name.log" >&2; exit 1; }
  [[ ! -s $out/$name.json ]] || results+=("$out/$name.json")
done
if [[ ${#results[@]} -gt 0 ]]; then
  python3 analysis/bench_table.py "${results[@]}"
else
  printf 'bench: no micro-benchmarks were built\n'
fi
[[ $deck != micro ]] || exit 0

name=$(basename "$deck" .cfg)
runs=()
for ((repetition = 1; repetition <= repetitions; ++repetition)); do
  for ranks in ${BENCH_RANKS:-1 2}; do
    run=runs/bench/$name-$ranks-$repetition
    rm -rf "$run"  # a study that finds itself done takes no time
    printf 'bench: %s at %d rank(s), repetition %d\n' "$deck" "$ranks" "$repetition" >&2
    run_ranks "$ranks" build/release/rlaif study "$deck" --run.directory="$run" "$@"
    runs+=("$run")
  done
done
printf '\n'
python3 analysis/stage_times.py "${runs[@]}"
