# Sourced by the end-to-end tests: where things are, and how a result is said.
# shellcheck shell=bash
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh
rlaif=${RLAIF:-$root/build/release/rlaif}
shared=${RLAIF_SHARED_DATA:-$root/../shared}
scratch=$(mktemp -d)
servers=()
trap '[[ ${#servers[@]} == 0 ]] || kill "${servers[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT
mkdir "$scratch/session"
export OMPI_MCA_orte_tmpdir_base=$scratch/session  # of runs without a launcher; run_ranks makes its own

pass() { printf 'PASS %s\n' "$1"; }
fail() { printf 'FAIL %s: %s\n' "$1" "$2"; }
skip() { printf 'SKIP %s: %s\n' "$1" "$2"; }

# check NAME COMMAND...: PASS where the command succeeds
check() {
  local name=$1
  shift
  if "$@" >"$scratch/out" 2>&1; then pass "$name"; else fail "$name" "$(tail -n 3 "$scratch/out" | tr '\n' ' ')"; fi
}

# ranks N ARGUMENTS...: the program on N ranks (1: without a launcher)
ranks() {
  local count=$1
  shift
  if [[ $count == 1 ]]; then "$rlaif" "$@"; else run_ranks "$count" "$rlaif" "$@"; fi
}

# start_server PROGRAM FOLDER [ARGUMENTS]: a server of these tests (judge_server, words_server) that keeps what it is asked in
# the folder, and ends with the script; its address in $url, its process in $server
start_server() {
  local program=$1 folder=$2
  shift 2
  mkdir -p "$folder"
  rm -f "$folder/port"
  python3 "tests/end_to_end/$program.py" "$folder" "$@" >"$folder/log" 2>&1 &
  server=$!
  servers+=("$server")
  for _ in {1..100}; do [[ -f $folder/port ]] && break; sleep 0.1; done
  # shellcheck disable=SC2034  # for who starts it
  url=http://127.0.0.1:$(cat "$folder/port")/v1
}

# expect_error NAME CODE PATTERN ARGUMENTS...: on 1 and 3 ranks the program says exactly one line of its own that
# matches the pattern, and exits with the code.
expect_error() {
  local name=$1 code=$2 pattern=$3 count got lines
  shift 3
  for count in 1 3; do
    timeout 120 bash -c 'source tests/end_to_end/lib.sh; ranks "$@"' _ "$count" "$@" >"$scratch/out" 2>&1
    got=$?
    lines=$(grep -c '^rlaif: ' "$scratch/out")
    if [[ $got != "$code" ]]; then
      fail "$name on $count ranks" "exit code $got, $code was expected: $(head -c 300 "$scratch/out" | tr '\n' ' ')"
    elif ! grep -Eq "^rlaif: (rank [0-9]+: )?.*$pattern" "$scratch/out"; then
      fail "$name on $count ranks" "no line matches '$pattern': $(head -c 300 "$scratch/out" | tr '\n' ' ')"
    elif [[ $lines != 1 ]]; then
      fail "$name on $count ranks" "$lines lines instead of one: $(grep '^rlaif: ' "$scratch/out" | head -c 300 | tr '\n' ' ')"
    else
      pass "$name on $count ranks"
    fi
  done
}

# unlisted RUN: done markers that list no files, so that what is wrong in a file is met by its reader and not by the checksum
unlisted() {
  python3 - "$1" <<'P'
import json, pathlib, sys
for file in pathlib.Path(sys.argv[1], "stages").glob("*.json"):
    marker = json.loads(file.read_text())
    for key in ("files", "inputs", "checksum"):
        marker.pop(key, None)
    file.write_text(json.dumps(marker))
P
}

# same_results A B: the artefacts of two runs are the same bytes, timings aside. Prints what differs.
same_results() {
  local folder difference=0
  for folder in models preferences metrics evaluation comparisons rounds data; do
    [[ $folder =~ ^(comparisons|rounds|data)$ ]] && [[ ! -e $1/$folder && ! -e $2/$folder ]] && continue
    diff -rq "$1/$folder" "$2/$folder" || difference=1
  done
  return $difference
}
