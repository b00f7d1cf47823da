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

# seconds_of MILLISECONDS: as sleep takes them
seconds_of() { python3 -c "print($1 / 1000)"; }

# started DIRECTORY: starts the study in the background and waits until its ranks are there, or are gone again; sets `launcher`
started() {
  run_ranks 2 "$rlaif" study "$deck" --run.directory="$1" >"$scratch/killed.log" 2>&1 &
  launcher=$!
  while kill -0 $launcher 2>/dev/null && ! pgrep -f "^$rlaif study $deck --run.directory=$1\$" >/dev/null; do sleep 0.02; done
}

# killed DIRECTORY WHOM MILLISECONDS: starts the study and kills it when its ranks have run for so long; true where there was
# somebody to kill
killed() {
  local pids
  started "$1"
  sleep "$(seconds_of "$3")"
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

# disturbed WHOM: killed at a moment of the study's time, and a second time on the way on; then run to its end. How long a study
# takes changes with what else the machine does: where it was over before the first kill, it begins anew and is killed earlier.
disturbed() {
  local directory=$scratch/killed longest=$whole_ms
  while true; do
    rm -rf "$directory"
    if killed "$directory" "$1" $((RANDOM % longest)); then
      struck=$((struck + 1))
      break
    fi
    longest=$((longest / 2))
    ((longest > 0)) || break
  done
  killed "$directory" "$1" $((RANDOM % (whole_ms / 2))) && struck=$((struck + 1))
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

# A stop asked for by a signal: exit code 75, and the next start goes on. Asked for earlier where the study was over before.
for ((wait_ms = whole_ms / 3; wait_ms > 0; wait_ms /= 2)); do
  rm -rf "$scratch/stopped"
  started "$scratch/stopped"
  sleep "$(seconds_of $wait_ms)"
  pkill -USR2 -f "^$rlaif study $deck --run.directory=$scratch/stopped\$"
  wait $launcher
  code=$?
  [[ $code == 0 ]] || break
done
ranks 2 study "$deck" --run.directory="$scratch/stopped" >"$scratch/last.log" 2>&1
if [[ $code == 75 ]] && same_results "$scratch/whole" "$scratch/stopped" >"$scratch/out" 2>&1; then
  pass "a signal stops the study with exit code 75, and it ends in the same bytes"
else
  fail "a signal stops the study with exit code 75, and it ends in the same bytes" "exit code $code; $(head -n 3 "$scratch/out" | tr '\n' ' ')"
fi
