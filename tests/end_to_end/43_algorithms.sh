#!/usr/bin/env bash
# Arms by other algorithms than PPO, on the smoke study's labels: the same bytes on any number of ranks and after kills, and decks
# that cannot be, refused before anything starts.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/dpo.cfg

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "DPO beside PPO on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "DPO ends in the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done

facts() {
  python3 - "$scratch/1" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
results = json.loads((run / "report/results.json").read_text())
assert set(results["reward_model"]) == {"ppo"}, results["reward_model"]
assert results["arms"]["dpo"]["algorithm"] == "dpo" and results["arms"]["dpo"]["wall_seconds"] > 0
assert not (run / "checkpoints/dpo-dpo").exists()
rows = [json.loads(line) for line in (run / "metrics/dpo-dpo.jsonl").read_text().splitlines()]
assert abs(rows[0]["loss"] - rows[0]["nll"] * 0.1 - 0.6931471805599453) < 1e-6, rows[0]
assert rows[0]["margin"] == 0 and rows[-1]["margin"] > 0, rows[-1]
assert (run / "models/adapted/adapter_model.safetensors").exists()
stages = {row["stage"]: (row["kind"], row["of"]) for row in results["stages"]}
assert stages["dpo-adapted"] == ("dpo", "adapted"), stages
P
}
check "DPO starts at ln 2 with margin 0, needs no reward model, and stands in the results" facts

page() { python3 analysis/report.py "$scratch/1" >/dev/null && grep -q 'Training on pairs' "$scratch/1/report/report.html"; }
check "the report has a section of DPO" page

DECK=$deck KILLS=${KILLS:-2} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs of DPO /'

on_none=--run.directory=$scratch/none
expect_error "a key that the arm's algorithm does not have" 2 'arm.dpo.clip: \[arm.dpo\] has algorithm = dpo' \
  study "$deck" --arm.dpo.clip=0.1 "$on_none"
expect_error "DPO with beta 0" 2 "dpo.beta: '0' was given" study "$deck" --dpo.beta=0 "$on_none"
expect_error "an unknown algorithm" 2 'arm.dpo.algorithm: ' study "$deck" --arm.dpo.algorithm=dop "$on_none"
expect_error "an arm that starts from itself" 2 'arm.dpo.start' study "$deck" --arm.dpo.start=dpo "$on_none"
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
