#!/usr/bin/env bash
# What jobs/bench_methods.sh makes of two sides' results, from sides made up here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Either side: reads the task, writes numbers of its own. The second one is half as fast and, asked so, computes another loss.
cat >"$scratch/side.py" <<'P'
import json, os, pathlib, sys
*_, task_file, result_file = sys.argv
task = json.loads(pathlib.Path(task_file).read_text())
peer = "trl" in sys.argv
log = open(pathlib.Path(__file__).parent / "runs", "a")
log.write(f"{'TRL' if peer else 'engine'} {task['do']}/{task.get('weights')} {task['threads']} {task['ranks']}\n")
result = {"tokens": 1000, "seconds": 20 if peer else 10, "training_seconds": 16 if peer else 8, "peak_mib": 3000 if peer else 1000,
          "parts": {"responses": 4 if peer else 2}, "responses": [{"prompt": 0, "tokens": [5], "reward": 1.0}]}
loss = 0.25 + (float(os.environ.get("OFF", "0")) if peer else 0.0)
if task["do"] == "dpo":
    line = {"loss": loss, "chosen_log_prob": -40.0, "rejected_log_prob": -50.0, "gradient_norm": 2.0}
    entry = {"logps/chosen": -40.0, "logps/rejected": -50.0}
else:
    line = {"reward": 0.5, "policy_loss": loss, "gradient_norm": 2.0, "entropy": 3.0, "kl_k3": 0.0}
    entry = {"reward": 0.5, "entropy": 3.0, "kl": 0.0}
if peer:
    result |= {"losses": [loss, loss], "norms": [2.0, 2.0], "log": [entry, entry]}
else:
    pathlib.Path(task["metrics"]).write_text(2 * (json.dumps(line) + "\n"))
pathlib.Path(result_file).write_text(json.dumps(result))
P
for side in engine trl; do
  printf '#!/bin/sh\nexec python3 "%s/side.py" "$@"\n' "$scratch" >"$scratch/$side"
  chmod +x "$scratch/$side"
done
bench() {
  rm -f "$scratch/runs"
  python3 analysis/bench_methods.py compare --engine "$scratch/engine" --model "$scratch" --work "$scratch/work" --trl "$scratch/trl" "$@"
}

check "two sides that agree are compared" bench --turns 2 --cores 1,2 --json "$scratch/results.json"
cp "$scratch/out" "$scratch/tables"
check "the tables hold both sides' medians and ratios" python3 - "$scratch/tables" <<'P'
import re, sys
text = open(sys.argv[1]).read()
assert "DIFFERS" not in text, text
for line in (r"dpo/lora: loss, after an update +0\.250000 +0\.250000 +0\.0e\+00",
             r"grpo/full, 2 cores: training, tokens/s +125 \(125-125\) +62\.5 \(62\.5-62\.5\) +2\.00x \(wanted 1\.5x\)",
             r"grpo/full, 2 cores: whole step, tokens/s +100 \(100-100\) +50 \(50-50\) +2\.00x \(wanted 2x\)",
             r"dpo/lora, 1 core: peak, MiB +1e\+03 \(1e\+03-1e\+03\) +3e\+03 .*0\.33x \(wanted 0\.5x\)",
             r"dpo/full, 1 core +TRL +responses 4"):
    assert re.search(line, text), (line, text)
P
check "the sides take turns" python3 - "$scratch/runs" <<'P'
import sys
runs = [line.split() for line in open(sys.argv[1])]
timed = runs[-32:]  # 2 turns, 2 counts of cores, 4 cells, 2 sides
assert [run[0] for run in timed] == ["engine", "TRL"] * 16, timed
assert all(a[1:] == b[1:] for a, b in zip(timed[::2], timed[1::2])), timed
assert [run[2] for run in timed[:16]] == ["1"] * 8 + ["2"] * 8, timed
P
OFF=0.001 bench --turns 0 --cells dpo/lora >"$scratch/out" 2>&1
code=$?
if [[ $code == 1 ]] && grep -q 'loss .*1\.0e-03 DIFFERS' "$scratch/out"; then
  pass "another loss is found"
else
  fail "another loss is found" "exit code $code: $(tail -n 3 "$scratch/out" | tr '\n' ' ')"
fi
bench --cells ppo >"$scratch/out" 2>&1
code=$?
if [[ $code == 2 ]] && grep -q "expected some of dpo/lora" "$scratch/out"; then
  pass "an unknown cell is refused"
else
  fail "an unknown cell is refused" "exit code $code: $(tail -n 3 "$scratch/out" | tr '\n' ' ')"
fi
