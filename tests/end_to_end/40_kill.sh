#!/usr/bin/env bash
# The smoke study killed at random moments (all ranks, then one rank only) and started again each time ends in the
# same bytes as an undisturbed run. KILLS: how many times (default 4); SEED: of the moments.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kills=${KILLS:-4}
RANDOM=${SEED:-1}

begin=$(date +%s.%N)
if ! ranks 2 study inputs/smoke.cfg --run.directory="$scratch/whole" >"$scratch/whole.log" 2>&1; then
  fail "the undisturbed smoke study" "$(tail -n 2 "$scratch/whole.log" | tr '\n' ' ')"
  exit 0
fi
whole_ms=$(python3 -c "import time; print(int(1000 * (time.time() - $begin)))")

# killed DIRECTORY WHOM MILLISECONDS: starts the study, kills after a time; true where the kill came in time
killed() {
  run_ranks 2 "$rlaif" study inputs/smoke.cfg --run.directory="$1" >"$scratch/killed.log" 2>&1 &
  local launcher=$! pids
  sleep "$(python3 -c "print($3 / 1000)")"
  mapfile -t pids < <(pgrep -f "^$rlaif study inputs/smoke.cfg --run.directory=$1\$")
  if [[ ${#pids[@]} == 0 ]]; then
    wait $launcher
    return 1
  fi
  if [[ $2 == all ]]; then kill -9 $launcher "${pids[@]}" 2>/dev/null; else kill -9 "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null; fi
  wait $launcher 2>/dev/null
  # Nobody of the killed run may still write when the next one starts.
  while pgrep -f "^$rlaif study inputs/smoke.cfg --run.directory=$1\$" >/dev/null; do sleep 0.1; done
  return 0
}

for whom in all one; do
  directory=$scratch/killed-$whom count=0
  for ((i = 0; i < kills; i++)); do
    # Each start gets on average a share of the whole, so that the moments fall into all stages.
    killed "$directory" $whom $((500 + RANDOM % (2 * whole_ms / (kills + 1) + 1000))) && count=$((count + 1))
  done
  if ! ranks 2 study inputs/smoke.cfg --run.directory="$directory" >"$scratch/last.log" 2>&1; then
    fail "killed ($whom) and run again" "$(tail -n 2 "$scratch/last.log" | tr '\n' ' ')"
  elif ! same_results "$scratch/whole" "$directory" >"$scratch/out" 2>&1; then
    fail "killed ($whom) $count times ends in the same bytes" "$(head -n 3 "$scratch/out" | tr '\n' ' ')"
  else
    pass "killed ($whom) $count times ends in the same bytes"
  fi
done

# A stop asked for by a signal: exit code 75, and the next start goes on.
run_ranks 2 "$rlaif" study inputs/smoke.cfg --run.directory="$scratch/stopped" >"$scratch/stopped.log" 2>&1 &
launcher=$!
sleep "$(python3 -c "print($whole_ms / 3000)")"
pkill -USR2 -f "^$rlaif study inputs/smoke.cfg --run.directory=$scratch/stopped\$"
wait $launcher
code=$?
ranks 2 study inputs/smoke.cfg --run.directory="$scratch/stopped" >"$scratch/last.log" 2>&1
if [[ $code == 75 ]] && same_results "$scratch/whole" "$scratch/stopped" >"$scratch/out" 2>&1; then
  pass "a signal stops the study with exit code 75, and it ends in the same bytes"
else
  fail "a signal stops the study with exit code 75, and it ends in the same bytes" "exit code $code; $(head -n 3 "$scratch/out" | tr '\n' ' ')"
fi
