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
rows = [json.loads(line) for line in (run / "metrics/kto-kto.jsonl").read_text().splitlines()]
assert abs(rows[0]["loss"] - 0.5) < 1e-6 and abs(rows[0]["kl"]) < 1e-6, rows[0]
assert rows[-1]["desirable_reward"] > rows[-1]["undesirable_reward"], rows[-1]
stages = {row["stage"]: (row["kind"], row["of"]) for row in results["stages"]}
assert stages["dpo-adapted"] == ("dpo", "adapted"), stages
P
}
check "DPO starts at ln 2 with margin 0, KTO at a half; they need no reward model and stand in the results" facts

page() { python3 analysis/report.py "$scratch/1" >/dev/null && grep -q 'Training on pairs' "$scratch/1/report/report.html"; }
check "the report has a section of DPO" page

DECK=$deck KILLS=${KILLS:-2} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs of DPO /'

gradients=tests/decks/policy_gradients.cfg
for count in 1 2 3; do
  ranks "$count" study "$gradients" --run.directory="$scratch/gradients-$count" >"$scratch/gradients-$count.log" 2>&1 ||
    fail "GRPO, RLOO and REINFORCE on $count rank(s)" "$(tail -n 2 "$scratch/gradients-$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "GRPO, RLOO and REINFORCE end in the same bytes on 1 and $count ranks" \
    same_results "$scratch/gradients-1" "$scratch/gradients-$count"
done

gradient_facts() {
  python3 - "$scratch/gradients-1" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
results = json.loads((run / "report/results.json").read_text())
assert set(results["reward_model"]) == {"grpo", "dapo", "gspo", "reinforce", "remax"}, results["reward_model"]
assert not (run / "models/reward-strict").exists(), "the rules were the reward themselves"
def rows(stage):
    return [json.loads(line) for line in (run / f"metrics/{stage}.jsonl").read_text().splitlines()]
for stage in ("grpo-grpo", "grpo-dapo", "grpo-gspo", "rloo-rloo", "reinforce-reinforce", "reinforce-remax"):
    first, last = rows(stage)[0], rows(stage)[-1]
    assert first["step"] == 1 and last["step"] == 4, stage
    assert first["ratio_max_deviation"] < 1e-3 and first["ratio_least"] <= 1 <= first["ratio_most"], (stage, first)
    assert first["absolute_advantage"] > 0 and first["failed"] == 0 and first["gradient_norm"] > 0, (stage, first)
    assert ("silent_groups" in first) == (not stage.startswith("reinforce")), (stage, first)
assert "kl_k2" in rows("grpo-grpo")[0] and "kl_k2" not in rows("grpo-dapo")[0]
assert rows("grpo-dapo")[0]["kl_coefficient"] == 0 and rows("rloo-rloo")[0]["kl_coefficient"] == 0.05
assert (run / "models/gspo/adapter_model.safetensors").exists()
P
}
check "GRPO, RLOO and REINFORCE say what they did, with a reward model and with rules" gradient_facts
gradient_page() {
  python3 analysis/report.py "$scratch/gradients-1" >/dev/null &&
    for title in GRPO RLOO REINFORCE; do grep -q "Training by $title" "$scratch/gradients-1/report/report.html" || return 1; done
}
check "the report has sections of GRPO, RLOO and REINFORCE" gradient_page

DECK=$gradients KILLS=${KILLS:-2} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs of GRPO, RLOO and REINFORCE /'

on_none=--run.directory=$scratch/none
expect_error "a group of one" 2 "grpo.responses: '1' was given, an integer from 2 to 10000 was expected" \
  study "$gradients" --grpo.responses=1 "$on_none"
expect_error "a temperature of 0" 2 "rloo.temperature: '0' was given" study "$gradients" --rloo.temperature=0 "$on_none"
expect_error "clip bounds that cross" 2 'arm.grpo: clip_high of at least clip was expected' \
  study "$gradients" --grpo.clip=0.3 --arm.grpo.clip_high=0.1 --arm.dapo.preset=none --arm.gspo.preset=none "$on_none"
expect_error "a dual clip within the bounds" 2 'arm.remax: a dual_clip above 1 . clip_high was expected' \
  study "$gradients" --arm.remax.dual_clip=1.1 "$on_none"
expect_error "a key that contradicts its preset" 2 'arm.gspo: ratio = token contradicts preset = gspo, which has sequence' \
  study "$gradients" --arm.gspo.ratio=token "$on_none"
expect_error "a number that contradicts its preset" 2 'arm.dapo: clip_high = 0.3 contradicts preset = dapo, which has 0.28' \
  study "$gradients" --arm.dapo.clip_high=0.3 "$on_none"
expect_error "rules as the reward of a judge without rules" 2 "grpo.reward = rules: judge 'ai' of arm 'grpo' has no file of rules" \
  study "$gradients" --arm.grpo.reward=rules "$on_none"
silent() {
  ranks 2 study tests/decks/silent.cfg --run.directory="$scratch/silent" >"$scratch/silent.log" 2>&1 &&
    grep -q 'grpo-grpo: in step 1 the responses of every prompt are all worth the same' "$scratch/silent.log"
}
check "where all groups are silent training goes on and says so" silent
expect_error "a key that the arm's algorithm does not have" 2 'arm.dpo.clip: \[arm.dpo\] has algorithm = dpo' \
  study "$deck" --arm.dpo.clip=0.1 "$on_none"
expect_error "KTO with beta 0" 2 "kto.beta: '0' was given" study "$deck" --kto.beta=0 "$on_none"
expect_error "DPO with beta 0" 2 "dpo.beta: '0' was given" study "$deck" --dpo.beta=0 "$on_none"
expect_error "an unknown algorithm" 2 'arm.dpo.algorithm: ' study "$deck" --arm.dpo.algorithm=dop "$on_none"
expect_error "an arm that starts from itself" 2 'arm.dpo.start' study "$deck" --arm.dpo.start=dpo "$on_none"
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
