#!/usr/bin/env bash
# Runs the fuzz targets of tests/fuzz: all that the program reads from outside, under the address and undefined-behaviour
# sanitizers. With clang on the machine they are libFuzzer's, else a driver of our own with g++. On two cores about 10 minutes
# for over a million executions in all, besides 5 for the build.
#
#   jobs/fuzz.sh                    100 seconds a target
#   jobs/fuzz.sh 50000              so many executions a target
#   jobs/fuzz.sh 60s                so many seconds a target
#   TARGETS="deck reply" jobs/fuzz.sh 60s
#
# Ends with a table of executions and corpus size by target; what was found lies in build/fuzz/findings, one input a file
# (run it again: build/fuzz/fuzz/fuzz_TARGET FILE), and makes the exit code 1. Inputs that reached new code stay in
# build/fuzz/corpus for the next time. Environment: TARGETS, SEED (default 1), JOBS.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
amount=${1:-100s}
case $amount in
  -h | --help) sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  *s) limit=-max_total_time=${amount%s} ;;
  *) limit=-runs=$amount ;;
esac
[[ ${limit#*=} =~ ^[0-9]+$ ]] || { printf "fuzz: '%s': a number of executions, or of seconds as in 60s, was expected\n" "$amount" >&2; exit 1; }
folder=build/fuzz jobs=${JOBS:-$(source jobs/mpi_env.sh && processors)}

# clang alone is not enough: its runtime libraries are a package of their own.
compiler=()
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
printf 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n' >"$probe/probe.cpp"
if clang++ -std=c++20 -fsanitize=fuzzer,address,undefined "$probe/probe.cpp" -o "$probe/probe" >/dev/null 2>&1; then
  compiler=(-DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang)
fi
[[ -d $folder ]] && grep -q "CMAKE_CXX_COMPILER:.*clang" "$folder/CMakeCache.txt" 2>/dev/null && [[ ${#compiler[@]} == 0 ]] && rm -rf "$folder"
mkdir -p "$folder/findings" "$folder/logs"
cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRLAIF_CUDA=off -DRLAIF_BENCHMARKS=OFF "${compiler[@]}" \
  >"$folder/configure.log" 2>&1 || { cat "$folder/configure.log" >&2; exit 1; }

shopt -s nullglob
if [[ -z ${TARGETS:-} ]]; then
  TARGETS=
  for source in tests/fuzz/fuzz_*.cpp; do
    name=$(basename "$source" .cpp)
    TARGETS+=" ${name#fuzz_}"
  done
fi
read -ra targets <<<"$TARGETS"
cmake --build "$folder" -j "$jobs" --target "${targets[@]/#/fuzz_}"

# What the project ships is a good beginning too.
more_of() {
  case $1 in
    deck) printf '%s\n' inputs/*.cfg ;;
    json_files) printf '%s\n' inputs/*.json ;;
    json_lines) printf '%s\n' inputs/canaries.jsonl ;;
    config) printf '%s\n' tests/fixtures/model_families/*.json ;;
  esac
}

run_target() {
  local target=$1 own=$folder/corpus/$1 log=$folder/logs/$1.log
  mkdir -p "$own"
  for file in $(more_of "$target"); do cp "$file" "$own/"; done
  if ASAN_OPTIONS=detect_leaks=0 "$folder/fuzz/fuzz_$target" "$limit" "-seed=${SEED:-1}" -max_len=65536 -timeout=25 \
    -rss_limit_mb=4096 -malloc_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$folder/findings/$target-" \
    "$own" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    printf 'ok\n' >"$log.result"
  else
    printf 'FOUND, see %s\n' "$log" >"$log.result"
  fi
}
export -f run_target more_of
export folder limit SEED
printf '%s\0' "${targets[@]}" | xargs -0 -P "$jobs" -I{} bash -c 'shopt -s nullglob; run_target "$1"' _ {}

total=0 code=0
printf '%-16s %12s %8s  %s\n' target executions corpus result
for target in "${targets[@]}"; do
  log=$folder/logs/$target.log
  runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log" | tail -n 1)
  result=$(cat "$log.result")
  [[ $result == ok ]] || code=1
  size=$(find "$folder/corpus/$target" "tests/fuzz/corpus/$target" -type f | wc -l)
  printf '%-16s %12s %8s  %s\n' "$target" "${runs:-?}" "$size" "$result"
  total=$((total + ${runs:-0}))
done
printf '%-16s %12s\n' all "$total"
exit $code
