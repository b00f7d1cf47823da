#!/usr/bin/env bash
# A rank that is stopped, as by a machine that hangs, ends the study: another rank names it and the collective, and the run goes
# on from its last state.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

run_ranks 2 "$rlaif" study inputs/smoke.cfg --run.directory="$scratch/run" --run.watchdog_minutes=0.05 >"$scratch/out" 2>&1 &
launcher=$!
pattern="^$rlaif study inputs/smoke.cfg --run.directory=$scratch/run "
for ((i = 0; i < 600; i++)); do
  compgen -G "$scratch/run/metrics/sft.jsonl" >/dev/null && break
  sleep 0.05
done
mapfile -t pids < <(pgrep -f "$pattern")
stopped=
for pid in "${pids[@]}"; do
  [[ $(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^OMPI_COMM_WORLD_RANK=//p') == 1 ]] && stopped=$pid
done
if [[ -z $stopped ]]; then
  fail "a stopped rank is named" "rank 1 was not found: $(tail -n 2 "$scratch/out" | tr '\n' ' ')"
  kill "$launcher" 2>/dev/null
  exit 0
fi
kill -STOP "$stopped"
begin=$SECONDS
wait "$launcher"
code=$?
kill -KILL "$stopped" 2>/dev/null
if [[ $code == 4 ]] && grep -Eq '^rlaif: rank 0: has waited [0-9.]+ s in .* \(collective [0-9]+\) at sft, .*not there: rank 1 \(says nothing' "$scratch/out"; then
  pass "a stopped rank is named"
  grep '^rlaif: rank 0: has waited' "$scratch/out"
else
  fail "a stopped rank is named" "exit code $code: $(grep '^rlaif: ' "$scratch/out" | head -c 300 | tr '\n' ' ')"
fi
if ((SECONDS - begin < 30)); then pass "soon after its limit"; else fail "soon after its limit" "$((SECONDS - begin)) s for a limit of 3"; fi
while pgrep -f "$pattern" >/dev/null; do sleep 0.1; done
ranks 2 study inputs/smoke.cfg --run.directory="$scratch/whole" >"$scratch/out" 2>&1
check "and the study goes on" ranks 2 study inputs/smoke.cfg --run.directory="$scratch/run"
check "to the same bytes" same_results "$scratch/whole" "$scratch/run"
check "without a word left behind" bash -c "[[ ! -e '$scratch/run/.watchdog' ]]"
