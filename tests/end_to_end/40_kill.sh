#!/usr/bin/env bash
# The smoke study killed at random moments (all ranks, or one rank only) and started again each time ends in the same
# bytes as an undisturbed run. KILLS: how many runs are killed in either way (default 3); SEED: of the moments; DECK: another
# study.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kills=${KILLS:-3}
RANDOM=${SEED:-1}
deck=${DECK:-inputs/smoke.cfg}

begin=$(date +%s.%N)
if ! ranks 2 study "$deck" --run.directory="$scratch/whole" >"$scratch/whole.log" 2>&1; then
  fail "the undisturbed smoke study" "$(tail -n 2 "$scratch/whole.log" | tr '\n' ' ')"
  exit 0
fi
whole_ms=$(python3 -c "import time; print(int(1000 * (time.time() - $begin)))")

# killed DIRECTORY WHOM MILLISECONDS: starts the study, kills after a time; true where the kill came in time
killed() {
  run_ranks 2 "$rlaif" study "$deck" --run.directory="$1" >"$scratch/killed.log" 2>&1 &
  local launcher=$! pids
  sleep "$(python3 -c "print($3 / 1000)")"
  mapfile -t pids < <(pgrep -f "^$rlaif study $deck --run.directory=$1\$")
  if [[ ${#pids[@]} == 0 ]]; then
    wait $launcher
    return 1
  fi
  if [[ $2 == all ]]; then kill -9 $launcher "${pids[@]}" 2>/dev/null; else kill -9 "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null; fi
  wait $launcher 2>/dev/null
  # Nobody of the killed run may still write when the next one starts.
  while pgrep -f "^$rlaif study $deck --run.directory=$1\$" >/dev/null; do sleep 0.1; done
  return 0
}

# disturbed WHOM: killed once at a moment of the study's time, and a second time on the way on; then run to its end
disturbed() {
  local directory=$scratch/killed hits=0
  rm -rf "$directory"
  killed "$directory" "$1" $((300 + RANDOM % whole_ms)) && hits=$((hits + 1))
  killed "$directory" "$1" $((300 + RANDOM % (whole_ms / 2))) && hits=$((hits + 1))
  struck=$((struck + hits))
  ranks 2 study "$deck" --run.directory="$directory" >"$scratch/last.log" 2>&1 &&
    same_results "$scratch/whole" "$directory" >"$scratch/out" 2>&1
}

for whom in all one; do
  struck=0 wrong=0
  for ((i = 0; i < kills; i++)); do
    disturbed $whom || { wrong=$((wrong + 1)) && cat "$scratch/last.log" "$scratch/out" >>"$scratch/wrong"; }
  done
  if [[ $struck == 0 ]]; then
    fail "killed ($whom) runs end in the same bytes" "no kill came in time"
  elif [[ $wrong != 0 ]]; then
    fail "killed ($whom) runs end in the same bytes" "$wrong of $kills do not: $(tail -n 3 "$scratch/wrong" | tr '\n' ' ')"
  else
    pass "killed ($whom) runs end in the same bytes, $struck kills in $kills runs"
  fi
done

# A stop asked for by a signal: exit code 75, and the next start goes on.
run_ranks 2 "$rlaif" study "$deck" --run.directory="$scratch/stopped" >"$scratch/stopped.log" 2>&1 &
launcher=$!
sleep "$(python3 -c "print($whole_ms / 3000)")"
pkill -USR2 -f "^$rlaif study $deck --run.directory=$scratch/stopped\$"
wait $launcher
code=$?
ranks 2 study "$deck" --run.directory="$scratch/stopped" >"$scratch/last.log" 2>&1
if [[ $code == 75 ]] && same_results "$scratch/whole" "$scratch/stopped" >"$scratch/out" 2>&1; then
  pass "a signal stops the study with exit code 75, and it ends in the same bytes"
else
  fail "a signal stops the study with exit code 75, and it ends in the same bytes" "exit code $code; $(head -n 3 "$scratch/out" | tr '\n' ' ')"
fi
