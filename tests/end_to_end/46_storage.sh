#!/usr/bin/env bash
# File systems that fail: each failure ends the study with exit code 4 and one line that names the file and the cause, and
# the study goes on to the same bytes where the failure is gone. (A full disk and a second job: 30_bad_input.sh.)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ! ranks 2 study inputs/smoke.cfg --run.directory="$scratch/whole" >"$scratch/whole.log" 2>&1; then
  fail "the undisturbed smoke study" "$(tail -n 2 "$scratch/whole.log" | tr '\n' ' ')"
  exit 0
fi
study=(study inputs/smoke.cfg --run.directory="$scratch/run" --run.checkpoint_every_steps=2)
# From here stages are run again: this leaves what PPO and the evaluation start from.
begin() {
  rm -rf "$scratch/run"
  cp -r "$scratch/whole" "$scratch/run"
  (cd "$scratch/run" && rm -rf stages/{reward-people,ppo-*,evaluate}.json models/{reward-people,rlaif,rlhf} metrics/{reward-people,ppo-*}* evaluation report)
}

# ended NAME PATTERN: the last start ended with exit code 4 and one line that matches; the next one goes on to the end
ended() {
  local lines
  lines=$(grep -c '^rlaif: ' "$scratch/out")
  if [[ $code != 4 ]]; then
    fail "$1" "exit code $code, 4 was expected: $(tail -n 2 "$scratch/out" | tr '\n' ' ')"
  elif [[ $lines != 1 ]] || ! grep -Eq "^rlaif: (rank [0-9]+: )?.*$2" "$scratch/out"; then
    fail "$1" "no single line matches '$2': $(grep '^rlaif: ' "$scratch/out" | head -c 300 | tr '\n' ' ')"
  elif ! ranks 2 "${study[@]}" >"$scratch/again" 2>&1 || ! same_results "$scratch/whole" "$scratch/run" >>"$scratch/again"; then
    fail "$1" "it does not go on to the same bytes: $(tail -n 2 "$scratch/again" | tr '\n' ' ')"
  else
    pass "$1"
  fi
}

shim=$scratch/failing_io.so
if cc -shared -fPIC -O1 -o "$shim" tests/end_to_end/failing_io.c -ldl 2>"$scratch/out"; then
  # failing NAME PATTERN SETTINGS...
  failing() {
    begin
    env LD_PRELOAD="$shim" "${@:3}" "$rlaif" "${study[@]}" >"$scratch/out" 2>&1
    code=$?
    ended "$1" "$2"
  }
  failing "a stale handle where metrics are written" "metrics/reward-people.jsonl: .*Stale file handle" FAIL_CALL=write FAIL_PATH=metrics/reward FAIL_ERRNO=116 FAIL_AFTER=3
  failing "a quota that is used up by a checkpoint" "checkpoints/.*: write: Disk quota exceeded" FAIL_CALL=write FAIL_PATH=checkpoints/ppo FAIL_ERRNO=122 FAIL_AFTER=9
  failing "a model that cannot be synced" "models/rlaif/.*: .*Input/output error" FAIL_CALL=fsync FAIL_PATH=models/rlaif FAIL_ERRNO=5
  failing "a done marker that cannot be renamed" "stages/ppo-rlaif.json: .*Permission denied" FAIL_CALL=rename FAIL_PATH=stages/ppo-rlaif FAIL_ERRNO=13
  failing "a file that cannot be opened" "models/.*: .*Stale file handle" FAIL_CALL=open FAIL_PATH=models/sft FAIL_ERRNO=116
  begin
  check "writes that are always short lose nothing" env LD_PRELOAD="$shim" FAIL_SHORT=1000 "$rlaif" "${study[@]}"
  check "and end in the same bytes" same_results "$scratch/whole" "$scratch/run"
else
  for name in "a stale handle where metrics are written" "a quota that is used up by a checkpoint" "writes that are always short lose nothing"; do
    skip "$name" "no C compiler"
  done
fi

begin
(ulimit -f 200 && PMIX_MCA_gds=hash "$rlaif" "${study[@]}" >"$scratch/out" 2>&1)
code=$?
ended "a limit on the size of files" "File too large"

begin
if [[ $(id -u) == 0 ]]; then
  if mount --bind "$scratch/run" "$scratch/run" 2>/dev/null && mount -o remount,bind,ro "$scratch/run" 2>/dev/null; then
    "$rlaif" "${study[@]}" >"$scratch/out" 2>&1
    code=$?
    umount "$scratch/run"
    ended "a folder that is mounted read-only" "run/.*: Read-only file system"
  else
    umount "$scratch/run" 2>/dev/null
    skip "a folder that is mounted read-only" "mounting is not allowed here"
  fi
  skip "a folder without permission" "root may write everywhere"
else
  chmod -R a-w "$scratch/run"
  "$rlaif" "${study[@]}" >"$scratch/out" 2>&1
  code=$?
  chmod -R u+w "$scratch/run"
  ended "a folder without permission" "run/.*: Permission denied"
  skip "a folder that is mounted read-only" "mounting is root's"
fi

# The second of two jobs says who is there, by host and process, and leaves the first one alone.
begin
ranks 2 "${study[@]}" >"$scratch/first" 2>&1 &
launcher=$!
for ((i = 0; i < 200; i++)); do
  # Who holds it stands in it; to try the lock itself would take it, and the first job might find it so.
  [[ -z $(cat "$scratch/run/run.lock" 2>/dev/null) ]] || break
  sleep 0.05
done
mapfile -t first < <(pgrep -f "^$rlaif ${study[*]}\$")
kill -STOP "${first[@]}"  # so that it is still there, however slow the second one starts
SLURM_JOB_ID=77 "$rlaif" "${study[@]}" >"$scratch/out" 2>&1
code=$?
kill -CONT "${first[@]}"
holder=$(tr -d '\n' <"$scratch/run/run.lock")
if [[ $code == 4 ]] && grep -qF "another job holds this run directory: $holder" "$scratch/out" && [[ $holder == "host $(hostname), process "* ]]; then
  pass "a second job on one run directory says who holds it"
else
  fail "a second job on one run directory says who holds it" "exit code $code, $(tail -n 1 "$scratch/out")"
fi
if wait $launcher && same_results "$scratch/whole" "$scratch/run" >"$scratch/out" 2>&1; then
  pass "and the first goes on to the same bytes"
else
  fail "and the first goes on to the same bytes" "$(tail -n 2 "$scratch/first" "$scratch/out" | tr '\n' ' ')"
fi
