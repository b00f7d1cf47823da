#!/usr/bin/env bash
# A sweep: planned, some cells run (two at once, which share stages), collected while cells are missing. Where a cluster can be
# started (see 50_slurm.sh) also as an array job over all cells.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sweep=$scratch/sweep
log() { printf '%s/%s.log' "$scratch" "$1"; }
# run_cell NAME ARGUMENTS...: one cell as a study
run_cell() { "$rlaif" study "$sweep/decks/$1.cfg" "${@:2}" >"$(log "$1")" 2>&1; }
says() { grep -Eq -- "$1" "$2"; }  # says PATTERN FILE
plan() { "$rlaif" sweep plan inputs/sweep.cfg --sweep.directory="$sweep" "$@" >"$scratch/planned" 2>&1; }
collect() { "$rlaif" sweep collect inputs/sweep.cfg --sweep.directory="$sweep" >"$scratch/collected" 2>&1; }

check "a sweep is planned" plan
check "of 2 judges x 2 label counts x 3 seeds" says '12 cells = 2 judge x 2 labels x 3 seed' "$scratch/planned"
check "with a deck a cell" bash -c "[[ \$(ls '$sweep/decks' | wc -l) == 12 && \$(wc -l <'$sweep/cells.jsonl') == 12 ]]"
check "planned again it is the same" bash -c "
  cp '$sweep/cells.jsonl' '$scratch/before'; '$rlaif' sweep plan inputs/sweep.cfg --sweep.directory='$sweep' >/dev/null && cmp '$scratch/before' '$sweep/cells.jsonl'"
check "nothing is done: collecting says so" collect
check "and names every cell" bash -c "[[ \$(grep -c 'not started' '$scratch/collected') == 12 ]]"

a=judge-small_labels-30_seed-0 b=judge-small_labels-90_seed-0 c=judge-large_labels-30_seed-0
ranks 2 study "$sweep/decks/$a.cfg" >"$(log "$a")" 2>&1 & first=$!
run_cell "$b" & second=$!
check "a cell runs on 2 ranks" wait "$first"
check "and on one another that started with it" wait "$second"
for stage in tokenizer sft judge-model-small judge-model-large annotate; do
  check "exactly one of the two made $stage" bash -c "
    [[ \$(cat '$(log $a)' '$(log $b)' | grep -c '^$stage: taken from') == 1 && \$(ls -d '$sweep/shared/$stage-'* | grep -vc lease) == 1 ]]"
done
check "each trained its own reward model" bash -c "! cat '$(log $a)' '$(log $b)' | grep -q 'reward-small: taken'"
check "no lease is left" bash -c "! ls '$sweep/shared' | grep -q lease"
check "alone and without sharing" run_cell "$b" --run.shared= --run.directory="$scratch/alone"
check "a cell comes to the same bytes" same_results "$scratch/alone" "$sweep/cells/$b"
check "a finished cell runs nothing again" bash -c "'$rlaif' study '$sweep/decks/$a.cfg' 2>&1 | grep -c 'done before' | grep -qx 8"

check "a reward model may have a size of its own" "$rlaif" study "$sweep/decks/$a.cfg" --run.directory="$scratch/network" --reward.start=network \
  --reward_network.hidden_size=16 --reward_network.num_layers=2 --reward_network.num_heads=2 --reward_network.num_kv_heads=2 --reward_network.intermediate_size=32
check "and has it" grep -q '"hidden_size": 16' "$scratch/network/models/reward-small/config.json"
check "that changes nothing before it" bash -c "
  diff -r '$scratch/network/preferences' '$sweep/cells/$a/preferences' && cmp '$scratch/network/models/sft/model.safetensors' '$sweep/cells/$a/models/sft/model.safetensors'"

# A cell of the other judge with a bit of the shared SFT model turned, and a lease that a dead process of this host left.
shared_model=$(echo "$sweep"/shared/sft-*/files/models/sft/config.json)
printf ' ' >>"$shared_model"
lease=$(basename "$(echo "$sweep"/shared/annotate-*)").lease
mv "$sweep"/shared/annotate-* "$scratch/annotate"
printf '{"host": "%s", "process": %d, "job": "", "owner": "elsewhere", "token": "t"}' "$(hostname)" "$(bash -c 'echo $$')" >"$sweep/shared/$lease"
check "a cell meets a damaged stage and a dead maker" run_cell "$c"
check "the damaged one is put aside by its name" says 'config.json: has checksum .* put aside' "$(log $c)"
check "the dead maker's work is done by another" says 'annotate: elsewhere .*is gone' "$(log $c)"
check "and comes to the same bytes" bash -c "diff -r '$scratch/annotate/files' '$sweep/shared/${lease%.lease}/files'"
check "and no lease is left" bash -c "! ls '$sweep/shared' | grep -q lease"

d=judge-small_labels-30_seed-1
check "a cell is begun" "$rlaif" sft "$sweep/decks/$d.cfg"
check "results are collected while cells are missing" collect
check "3 of 12 are there" says '3 of 12 cells are done' "$scratch/collected"
check "the begun one is named" says "$d  stopped: 4 stages done, the last judge-model-large" "$scratch/collected"
check "8 others were not started" bash -c "[[ \$(grep -c 'not started' '$scratch/collected') == 8 ]]"
check "the table is there as JSON and CSV" python3 - "$sweep" $a <<'P'
import csv, json, pathlib, sys
sweep = pathlib.Path(sys.argv[1])
collected = json.loads((sweep / "report/sweep.json").read_text())
one = json.loads((sweep / "cells" / sys.argv[2] / "report/results.json").read_text())
group = collected["groups"][0]
assert group["values"] == {"judge": "small", "labels": "30"} and group["n"] == 1 and group["of"] == 3, group["values"]
assert group["metrics"]["arms.rlaif.win_rate_vs_sft"]["mean"] == one["arms"]["rlaif"]["win_rate_vs_sft"]
assert one["arms"]["rlaif"]["labels"] == 30, one["arms"]["rlaif"]["labels"]
rows = list(csv.DictReader(open(sweep / "report/sweep.csv")))
assert any(r["judge"] == "large" and r["labels"] == "30" and r["metric"] == "arms.rlaif.kl" for r in rows)
P

printf '[sweep]\naxis.x = ppo.stps: 1 | 2\n' >"$scratch/wrong.cfg"
expect_error "a cell whose deck does not resolve is named" 2 "cell 0 \(x-1\): .*unknown key 'ppo.stps'" sweep plan "$scratch/wrong.cfg"
expect_error "a sweep deck is no study" 2 'rlaif sweep plan' study inputs/sweep.cfg
check "another deck in the cells' folders is refused" bash -c "
  ! '$rlaif' sweep plan inputs/sweep.cfg --sweep.directory='$sweep' --ppo.steps=3 2>'$scratch/refused' && grep -q 'begun with another deck' '$scratch/refused'"

cluster=tests/support/slurm_cluster.sh
if [[ -n $("$cluster" missing) ]]; then
  skip "a sweep as an array job" "not installed here (slurm-wlm, munge): $("$cluster" missing)"
  exit 0
fi
trap '"$cluster" down "$scratch/slurm" >/dev/null 2>&1; rm -rf "$scratch"' EXIT
if ! "$cluster" up "$scratch/slurm" 2 4 >"$scratch/up.log" 2>&1; then
  skip "a sweep as an array job" "it does not start: $(tail -n 1 "$scratch/up.log")"
  exit 0
fi
# shellcheck source=/dev/null
source "$scratch/slurm/env.sh"
export RLAIF=$rlaif RLAIF_LEAST_FREE_KIB=1024 RLAIF_LAUNCHER=srun
sweep=$scratch/array
check "a sweep is planned for the cluster" plan
submit() { slurm/submit.sh --ntasks-per-node=1 -t 20 --output="$scratch/array-%a.log" --sweep "$sweep" >"$scratch/said" 2>&1; }
check "its 12 cells are submitted as an array" submit
job=$(sed -n 's/^submit: job \([0-9]*\):.*/\1/p' "$scratch/said")
for _ in {1..600}; do
  [[ -n $(squeue -h -j "$job" 2>/dev/null) ]] || break
  sleep 1
done
check "all cells are collected into one table" bash -c "
  '$rlaif' sweep collect inputs/sweep.cfg --sweep.directory='$sweep' >'$scratch/collected' && grep -q '12 of 12 cells are done' '$scratch/collected'"
for stage in tokenizer sft judge-model-small judge-model-large annotate; do
  check "$stage was made once a seed" bash -c "
    [[ \$(ls -d '$sweep/shared/$stage-'* | wc -l) == 3 && \$(cat '$scratch'/array-*.log | grep -c '^$stage: taken from') == 9 ]]"
done
check "with nothing left to submit" bash -c "slurm/submit.sh --sweep '$sweep' | grep -q 'are done'"
cat "$scratch/collected"
