#!/usr/bin/env bash
# Judges that are asked while a policy learns, and data that is the best, or best and worst, of n responses: the same bytes on any
# number of ranks and after kills; decks that cannot be, refused by name before anything starts.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/online.cfg

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "online DPO, judges as rewards and best of n on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "online DPO, judges as rewards and best of n end in the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done

facts() {
  python3 - "$scratch/1" <<'P'
import json, math, pathlib, sys
run = pathlib.Path(sys.argv[1])
results = json.loads((run / "report/results.json").read_text())
arms = results["arms"]
def rows(stage):
    return [json.loads(line) for line in (run / f"metrics/{stage}.jsonl").read_text().splitlines()]
online = rows("online_dpo-online")
assert len(online) == 4 and abs(online[0]["loss"] - math.log(2)) < 1e-5 and abs(online[0]["kl"]) < 1e-3, online[0]
assert all(0 < row["labels"] <= 6 and row["cost_usd"] > 0 for row in online), online
assert arms["online"]["labels"] == sum(row["labels"] for row in online), arms["online"]
assert abs(arms["online"]["cost_usd"] - sum(row["cost_usd"] for row in online)) < 1e-6
assert "labels" not in rows("online_dpo-online_model")[0]
direct = rows("rloo-direct")
# Three pairs a group of three, fewer where texts are equal; all rewards of a group add up to 3 / 2.
assert all(0 < row["labels"] <= 15 and abs(row["reward"] - 0.5) < 1e-9 for row in direct), direct
assert arms["direct"]["labels"] == sum(row["labels"] for row in direct) and arms["direct"]["cost_usd"] > 0
assert set(results["reward_model"]) == {"online_model", "worst"}, results["reward_model"]
picked = [json.loads(line) for block in sorted((run / "data/picked").glob("block-*.jsonl")) for line in block.read_text().splitlines()]
assert len(picked) == 30 and all(line["response"] and "score" in line for line in picked), picked[:2]
assert arms["best"]["labels"] == arms["online_model"]["labels"] > 0, (arms["best"], arms["online_model"])
def records(store):
    return sum(shard["records"] for shard in json.loads((run / f"preferences/{store}/manifest.json").read_text())["shards"])
pairs = json.loads((run / "stages/annotate-widened.json").read_text())["pairs"]
assert 0 < pairs <= 20 and records("widened") == records("ai") + pairs and records("widened-heldout") == records("ai-heldout")
curve = results["best_of_n"]["ai"]
assert list(curve) == ["1", "2", "4", "8"] and curve["1"]["kl_bound"] == 0 and abs(curve["8"]["kl_bound"] - 1.204) < 1e-3, curve
scores = [row["score"] for row in curve.values()]
assert scores == sorted(scores) and scores[0] < scores[-1], scores
assert set(results["best_of_n"]) == {"ai", "widened"}, results["best_of_n"].keys()
P
}
check "verdicts are counted and paid by the arm that asks, and the best of n has its curve" facts

cost() { "$rlaif" cost "$scratch/1" >"$scratch/cost" && grep -q 'online_dpo-online' "$scratch/cost" && grep -q 'rloo-direct' "$scratch/cost"; }
check "the costs name the stages whose judge was asked while a policy learned" cost

bill() {
  "$rlaif" study "$deck" --dry-run --run.directory="$scratch/none" >"$scratch/plan" &&
    grep -q '^# judge ai, online: up to 24 labels, \$1.44 at the price ai-label' "$scratch/plan" &&
    grep -q '^# judge ai, direct: up to 45 labels' "$scratch/plan" && ! grep -q '^# judge ai, widened' "$scratch/plan"
}
check "a dry run says what judges will cost that are asked while policies learn" bill

page() {
  python3 analysis/report.py "$scratch/1" >/dev/null && grep -q 'Training on pairs as they are drawn' "$scratch/1/report/report.html" &&
    grep -q 'Best of n' "$scratch/1/report/report.html"
}
check "the report has sections of online DPO and of the best of n" page

DECK=$deck KILLS=${KILLS:-2} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs of online DPO, judges as rewards and best of n /'

on_none=--run.directory=$scratch/none
expect_error "a judge as the reward of single responses" 2 "ppo.reward = judge: 2 to 22 responses to a prompt were expected, which it compares; arm 'worst' draws 1" \
  study "$deck" --arm.worst.reward=judge "$on_none"
expect_error "a judge as the reward of one response a prompt" 2 "reinforce.reward = judge: 2 to 22 responses" \
  study "$deck" --arm.direct.algorithm=reinforce --arm.direct.reward=judge "$on_none"
expect_error "a temperature of 0 where two responses are drawn" 2 "online_dpo.temperature: '0' was given" \
  study "$deck" --online_dpo.temperature=0 "$on_none"
expect_error "a judge that nothing has labels of" 2 "data.picked.judge: .*one of study.judges was expected" \
  study "$deck" --data.picked.judge=nobody "$on_none"
expect_error "demonstrations for an algorithm of pairs" 2 'learns from preferences, and \[data.picked\] holds demonstrations' \
  study "$deck" --arm.worst.data=picked "$on_none"
expect_error "a best of one" 2 "data.picked.responses: '1' was given" study "$deck" --data.picked.responses=1 "$on_none"
expect_error "rules of a judge without rules" 2 "data.picked.reward = rules: judge 'ai' .*has no file of rules" \
  study "$deck" --data.picked.reward=rules "$on_none"
expect_error "a loss that cannot be, of online DPO" 2 "online_dpo.label_smoothing = 0.1: online_dpo.loss = conservative or robust" \
  study "$deck" --online_dpo.label_smoothing=0.1 "$on_none"
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
