#!/usr/bin/env bash
# Builds the program into build/release/rlaif. From nothing about 12 CPU minutes (`CCACHE_DISABLE=1 time jobs/build.sh`), seven by
# the clock on two cores. Seconds after a change (ccache and precompiled headers are used).
#
#   jobs/build.sh          the program
#   jobs/build.sh all      also the tests and the benchmarks (their packages: jobs/setup.sh --tests)
#
# Environment: JOBS, how many compilers run at once (default: one a core, at most one for 1.5 GB of memory);
# RLAIF_WERROR=1, warnings are errors, as in CI (only with compilers that the project is tested with: g++ 12, 13, 14).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${1:-rlaif}
case $target in
  rlaif | all) ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  *) printf "build: unknown argument '%s'; known: rlaif, all\n" "$target" >&2; exit 1 ;;
esac

if [[ -z ${JOBS:-} ]]; then
  # A file that includes libtorch takes up to 1.5 GB to compile.
  memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  # shellcheck source=jobs/mpi_env.sh
  JOBS=$(source "$root/jobs/mpi_env.sh" && processors)
  ((memory_kb / 1500000 >= JOBS)) || JOBS=$((memory_kb / 1500000 > 0 ? memory_kb / 1500000 : 1))
fi

cd "$root"
switch=OFF
[[ $target == rlaif ]] || switch=ON
# Without the tests' packages the program alone must configure; a tree that has tests keeps them.
cache=build/release/CMakeCache.txt
[[ $switch == OFF && -f $cache ]] && grep -q '^RLAIF_TESTS:BOOL=ON' "$cache" && switch=ON
werror=OFF
if [[ ${RLAIF_WERROR:-0} == 1 ]]; then
  case $("${CXX:-c++}" --version 2>/dev/null | head -n 1)@$("${CXX:-c++}" -dumpversion) in
    *clang*) ;;
    *@1[234] | *@1[234].*) werror=ON ;;
  esac
fi
log=build/release.configure.log
mkdir -p build
cmake --preset release -DRLAIF_TESTS=$switch -DRLAIF_BENCHMARKS=$switch -DRLAIF_WERROR="$werror" \
  ${RLAIF_TORCH_DIR:+-DRLAIF_TORCH_DIR="$RLAIF_TORCH_DIR"} >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build build/release --target "$target" -j "$JOBS"
