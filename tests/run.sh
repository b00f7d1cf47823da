#!/usr/bin/env bash
# Builds and runs all tests; the last line is `N passed, N failed, N skipped`, the exit code 1 on any failure.
#
#   tests/run.sh            all: build/release/tests/test_* once, mpi_* at 1, 2 and 3 ranks,
#                           tests/end_to_end/*.sh
#   tests/run.sh mpi_comm   only those whose name holds the text (test_text, mpi_, tokenizer, ...)
#
# Full output of each is kept in build/tests/*.log. Environment: TEST_SECONDS, the longest one program
# may take (default 1800); RLAIF_SHARED_DATA, the folder of shared test data.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
export filter=${1:-} logs=$root/build/tests TEST_SECONDS=${TEST_SECONDS:-1800}

jobs/setup.sh --tests
RLAIF_WERROR=${RLAIF_WERROR:-1} jobs/build.sh all
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh
export -f run_ranks processors
rm -rf "$logs"
mkdir -p "$logs"

# chosen FILE...: those whose name holds the filter
chosen() {
  local file name
  for file in "$@"; do
    name=$(basename "$file" .sh)
    [[ $name != *"$filter"* ]] || printf '%s\n' "$file"
  done
}

# logged NAME COMMAND...: output into NAME.log, exit code into NAME.rc; never fails itself. A line on the
# console says what it came to.
logged() {
  local name=$1 code=0 begin=$SECONDS
  shift
  timeout --kill-after=10 "$TEST_SECONDS" "$@" >"$logs/$name.log" 2>&1 </dev/null || code=$?
  printf '%d\n' "$code" >"$logs/$name.rc"
  printf '%-4s %-32s %4d s\n' "$([[ $code == 0 ]] && printf ok || printf 'FAIL')" "$name" $((SECONDS - begin))
}
export -f logged

shopt -s nullglob
mapfile -t unit < <(chosen build/release/tests/test_*)
mapfile -t parallel < <(chosen build/release/tests/mpi_*)
mapfile -t scripts < <(chosen tests/end_to_end/*.sh | grep -v '/lib\.sh$')

# shellcheck disable=SC2016  # expanded by the inner shell
[[ ${#unit[@]} == 0 ]] || printf '%s\0' "${unit[@]}" |
  xargs -0 -P "$(processors)" -I{} bash -c 'logged "$(basename "$1")" "$1" --gtest_color=no' _ {}
for binary in "${parallel[@]}"; do
  for ranks in 1 2 3; do
    # shellcheck disable=SC2016
    logged "$(basename "$binary")-$ranks-ranks" bash -c 'run_ranks "$@"' _ "$ranks" "$binary" --gtest_color=no
  done
done
# Ranks of scripts leave the processor to servers and other scripts while they wait.
export OMPI_MCA_mpi_yield_when_idle=1
# Scripts that measure, wait for a moment, kill or start a service have the machine to themselves; the others, which mostly
# wait for single ranks and servers, share it, the longest first.
listed() { awk -v word="$1" '!/^#/ { for (i = 2; i <= NF; ++i) if ($i == word) print $1 }' tests/end_to_end/scripts.txt; }
mapfile -t alone < <(listed alone)
mapfile -t first < <(listed first)
shared_scripts=() alone_scripts=()
for script in "${scripts[@]}"; do
  name=$(basename "$script" .sh)
  if [[ " ${alone[*]} " == *" $name "* ]]; then
    alone_scripts+=("$script")
  elif [[ " ${first[*]} " == *" $name "* ]]; then
    shared_scripts=("$script" "${shared_scripts[@]}")
  else
    shared_scripts+=("$script")
  fi
done
# shellcheck disable=SC2016
[[ ${#shared_scripts[@]} == 0 ]] || printf '%s\0' "${shared_scripts[@]}" |
  xargs -0 -P "$(processors)" -I{} bash -c 'logged "$(basename "$1" .sh)" bash "$1"' _ {}
for script in "${alone_scripts[@]}"; do
  logged "$(basename "$script" .sh)" bash "$script"
done

printf '\n'
python3 tests/count_results.py "$logs"
