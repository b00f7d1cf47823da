#!/usr/bin/env bash
# Bits flipped in and ends cut off the files of runs: the next start names the file, or the damage is harmless; either way it ends
# in the bytes of the undamaged run or in an error, and nothing is trained on what is damaged. DAMAGE: how many flips and how
# many cuts, over finished runs and runs that were stopped on their way (default 9 of each); SEED: of the draws.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
count=${DAMAGE:-9} seed=${SEED:-1}
deck=(study inputs/smoke.cfg)

if ! ranks 2 "${deck[@]}" --run.directory="$scratch/whole" >"$scratch/whole.log" 2>&1; then
  fail "the undamaged smoke study" "$(tail -n 2 "$scratch/whole.log" | tr '\n' ' ')"
  exit 0
fi

# States of a run on its way: labelled in part, and in the middle of a reward model and of PPO with checkpoints and metrics. Stages
# done are taken from the whole run; a stop at a step leaves the rest.
# stopped NAME STAGE TEXT: a run of which TEXT of the stage's progress has been seen, then stopped by a signal
stopped() {
  local directory=$scratch/$1 launcher
  cp -r "$scratch/whole" "$directory"
  (cd "$directory" && case $2 in
    annotate) rm -rf stages/{annotate,agreement,reward-*,ppo-*,evaluate}.json preferences models/{reward-*,rlaif,rlhf} metrics/{reward,ppo}-* evaluation report ;;
    reward-ai) rm -rf stages/{reward-*,ppo-*,evaluate}.json models/{reward-*,rlaif,rlhf} metrics/{reward,ppo}-* evaluation report ;;
    ppo-rlaif) rm -rf stages/{ppo-*,evaluate}.json models/{rlaif,rlhf} metrics/ppo-* evaluation report ;;
  esac)
  ranks 2 "${deck[@]}" --run.directory="$directory" --run.checkpoint_every_steps=2 >"$scratch/$1.log" 2>&1 &
  launcher=$!
  local i
  for ((i = 0; i < 1200; i++)); do
    if compgen -G "$directory/$3" >/dev/null; then
      kill -9 "$launcher" 2>/dev/null
      mapfile -t pids < <(pgrep -f "^$rlaif study inputs/smoke.cfg --run.directory=$directory ")
      [[ ${#pids[@]} == 0 ]] || kill -9 "${pids[@]}" 2>/dev/null
      break
    fi
    sleep 0.05
  done
  wait "$launcher" 2>/dev/null
  while pgrep -f "^$rlaif study inputs/smoke.cfg --run.directory=$directory " >/dev/null; do sleep 0.1; done
  [[ ! -f $directory/stages/$2.json ]]
}
states=(whole)
stopped labelling annotate "preferences/people/shard-000002.h5" && states+=(labelling)
stopped rewarding reward-ai "checkpoints/reward-ai/step-00000006*" && states+=(rewarding)
stopped tuning ppo-rlaif "checkpoints/ppo-rlaif/step-00000004*" && states+=(tuning)
if [[ ${#states[@]} == 1 ]]; then
  fail "runs stopped on their way" "none could be stopped in time"
else
  pass "runs stopped on their way, ${#states[@]} states with the finished one"
fi

# otherwise STATE FILE STAGE BEFORE: the state, with a record that the stage began with another outcome of the one before
otherwise() {
  rm -rf "$scratch/otherwise"
  cp -r "$scratch/$1" "$scratch/otherwise"
  python3 - "$scratch/otherwise/$2" "$4" <<'P' || return 1
import json, sys
record = json.load(open(sys.argv[1]))
record["inputs"][sys.argv[2]] = "0" * 16
del record["checksum"]
json.dump(record, open(sys.argv[1], "w"))
P
  touch "$scratch/stamp"
  ranks 2 "${deck[@]}" --run.directory="$scratch/otherwise" >"$scratch/otherwise.log" 2>&1 || return 1
  grep -qF "$3: is run again, stage $4 came out otherwise" "$scratch/otherwise.log" && same_results "$scratch/whole" "$scratch/otherwise"
}
made_again() { [[ -n $(find "$1" -type f) && -z $(find "$1" -type f ! -newer "$scratch/stamp") ]]; }
check "a done stage begins again where an earlier one came out otherwise" otherwise whole stages/annotate.json annotate sft
check "and keeps nothing of what it had made" made_again "$scratch/otherwise/preferences"
if [[ -d $scratch/tuning/begun ]]; then
  check "so does one that was cut off" otherwise tuning begun/ppo-rlaif.json ppo-rlaif reward-ai
  check "not from its checkpoints" bash -c "! grep -q 'ppo-rlaif: continuing' '$scratch/otherwise.log'"
fi

# outcome STATE FILE: how a start over a damaged run ended; empty where it should not have ended so
outcome() {
  local code=0 named=no
  ranks 2 "${deck[@]}" --run.directory="$scratch/damaged" >"$scratch/damaged.log" 2>&1 || code=$?
  grep -aqF "$(basename "$2")" <(grep -aE "warning|^rlaif: " "$scratch/damaged.log") && named=yes
  if [[ $code != 0 ]]; then
    [[ $code == 3 && $named == yes ]] && echo "refused"
  elif same_results "$scratch/whole" "$scratch/damaged" >"$scratch/different"; then
    [[ $named == yes ]] && echo "named" || echo "harmless"
  elif [[ $named == yes && $2 == metrics/* && -f $scratch/$1/stages/$(basename "$2" .jsonl).json ]]; then
    echo "named"  # steps that are done: nothing is trained again for the sake of a plot
  fi
}

for how in flip cut; do
  wrong=0 all=
  for ((i = 0; i < count; i++)); do
    state=${states[i % ${#states[@]}]}
    rm -rf "$scratch/damaged"
    cp -r "$scratch/$state" "$scratch/damaged"
    did=$(python3 tests/end_to_end/damage.py "$scratch/damaged" "$seed-$i" "$how")
    came_to=$(outcome "$state" "${did%% *}")
    printf '%s %s: %s: %s\n' "$how" "$state" "$did" "${came_to:-WRONG}"
    all+="${came_to:-wrong} "
    [[ -n $came_to ]] || { wrong=$((wrong + 1)) && tail -n 5 "$scratch/damaged.log" && cat "$scratch/different"; }
  done
  tally=$(tr ' ' '\n' <<<"$all" | sed '/^$/d' | sort | uniq -c | awk '{printf "%s%d %s", (NR > 1 ? ", " : ""), $1, $2}')
  if [[ $wrong != 0 ]]; then
    fail "$how: each damage is named or harmless" "$wrong of $count are not"
  else
    pass "$how: each damage is named or harmless"
    printf '%s\n' "$tally"
  fi
done
