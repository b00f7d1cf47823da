#!/usr/bin/env bash
# Arms that learn from data sets they name: demonstrations of a file and of the mixture, pairs by another arm. The same bytes on any
# number of ranks and after kills; data that cannot be, refused by name before anything starts.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/demonstrations.cfg

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "supervised fine-tuning of arms on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "data sets and what learns from them are the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done

facts() {
  python3 - "$scratch/1" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
lines = [json.loads(line) for line in (run / "data/lessons/block-000000.jsonl").read_text().splitlines()]
given = [json.loads(line) for line in open("tests/decks/demonstrations.jsonl")]
assert lines == given, lines[0]
assert len(list((run / "data/drill").glob("block-*.jsonl"))) == 3
assert json.loads((run / "data/drill/manifest.json").read_text())["demonstrations"] == 60
rows = [json.loads(line) for line in (run / "metrics/finetune-taught.jsonl").read_text().splitlines()]
assert len(rows) == 24 * 2 // 6 and rows[-1]["loss"] < rows[0]["loss"], rows
arms = json.loads((run / "report/results.json").read_text())["arms"]
assert arms["taught"]["algorithm"] == "sft" and arms["taught"]["data"] == "lessons" and "labels" not in arms["taught"]
assert arms["paired"]["data"] == "own" and arms["paired"]["labels"] > 0 and arms["paired"]["judge"] == "ai"
assert (run / "models/taught/model.safetensors").exists() and (run / "preferences/own/manifest.json").exists()
P
}
check "demonstrations lie in data/, teach, and stand in the results" facts

cost() { "$rlaif" cost "$scratch/1" | grep -q 'annotate-own'; }
check "the costs name the stage that labelled the pairs of a data set" cost

page() { python3 analysis/report.py "$scratch/1" >/dev/null && grep -q 'Training on demonstrations' "$scratch/1/report/report.html"; }
check "the report has a section of supervised fine-tuning" page

DECK=$deck KILLS=${KILLS:-2} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs on demonstrations /'

on_none=--run.directory=$scratch/none
printf '{"prompt": "a", "response": "b"}\n{"prompt": "a"}\n' >"$scratch/lines.jsonl"
expect_error "a demonstration without a response" 3 'lines\.jsonl:2: .*response' study "$deck" --data.lessons.file="$scratch/lines.jsonl" \
  --run.directory="$scratch/lines" --sft.examples=48 --judge_model.steps=1 --annotate.prompts=20 --annotate.heldout_prompts=20
expect_error "an algorithm of pairs on demonstrations" 2 'learns from preferences, and \[data\.drill\] holds demonstrations' \
  study "$deck" --arm.paired.data=drill "$on_none"
expect_error "a file of demonstrations that is not there" 2 'data\.lessons\.file: no such file' study "$deck" \
  --data.lessons.file="$scratch/nowhere.jsonl" "$on_none"
expect_error "a key of another maker" 2 'data\.drill\.file: \[data\.drill\] has maker = mixture' study "$deck" --data.drill.file=x "$on_none"
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
