#!/usr/bin/env bash
# Rounds of iterative training: each from the last one's policy, with pairs and a judge of its own.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The deck of rounds on the smoke study's sizes.
cat >"$scratch/rounds.cfg" <<D
[study]
judges = ai
members = self both
rounds = strong own joint
[round.strong]
judge = ai
[round.own]
judge = self
[round.joint]
judge = both
[judge]
min_agreement = 0.99
proceed_below_min_agreement = true
canary_rate = 0.1
[judge.self]
model = policy
template = $root/inputs/judge_verdict_first.txt
[judge.ai]
template = $root/inputs/judge_verdict_first.txt
[judge.both]
kind = ensemble
members = ai self
vote = mean
[model]
hidden_size = 32
num_layers = 2
num_heads = 4
num_kv_heads = 2
intermediate_size = 64
[judge_network]
hidden_size = 32
num_layers = 1
intermediate_size = 64
[sft]
examples = 300
register_examples = 30
judge_examples = 120
epochs = 1
batch = 15
[judge_model]
steps = 10
batch = 12
[annotate]
prompts = 40
heldout_prompts = 20
block = 10
max_new_tokens = 16
[reward]
epochs = 1
batch = 10
[ppo]
steps = 4
prompts_per_step = 12
minibatch = 6
value_only_steps = 1
max_new_tokens = 16
[evaluate]
prompts = 20
samples = 2
block = 10
max_new_tokens = 16
resamples = 100
D

check "three rounds on 2 ranks" ranks 2 study "$scratch/rounds.cfg" --run.directory="$scratch/two"
cp "$scratch/out" "$scratch/two.log"
check "three rounds on 1 rank" ranks 1 study "$scratch/rounds.cfg" --run.directory="$scratch/one"
check "1 and 2 ranks give the same bytes" same_results "$scratch/one" "$scratch/two"
check "rounds of low-rank adapters" ranks 2 study "$scratch/rounds.cfg" --run.directory="$scratch/lora" \
  --reward.lora_rank=4 --ppo.lora_rank=4 --ppo.value_lora_rank=4 --lora.first_layer=1
check "the report has a row a round, from the right starts, with intervals" python3 - "$scratch/two/report/results.json" "$scratch/lora/report/results.json" <<'P'
import json, sys
for file in sys.argv[1:]:
    r = json.load(open(file))
    rows = r["rounds"]
    assert [(x["round"], x["start"], x["judge"]) for x in rows] == [("strong", "sft", "ai"), ("own", "strong", "self"), ("joint", "own", "both")], rows
    for row in rows:
        assert row["ci_low"] <= row["win_rate_vs_start"] <= row["ci_high"], row
        assert "win_rate_vs_sft" in r["arms"][row["round"]] and r["arms"][row["round"]]["labels"] > 0, row
    assert r["below_min_agreement"]["judges"]["ai"] < 0.99, r["below_min_agreement"]
P
check "the report says first that judges are below what was asked for" grep -q '^BELOW judge.min_agreement' "$scratch/two.log"
check "the pairs of a round are of its start's responses" python3 - "$scratch" "$rlaif" <<'P'
import json, subprocess, sys
scratch, rlaif = sys.argv[1:]
texts = {}
for store in ("ai", "own", "joint"):
    out = f"{scratch}/{store}.jsonl"
    subprocess.run([rlaif, "preferences", "export", f"{scratch}/two/preferences/{store}", out, "--form=full"], check=True)
    rows = [json.loads(line) for line in open(out)]
    assert rows
    texts[store] = {json.dumps([row.get("prompt"), row.get("first"), row.get("second")], sort_keys=True) for row in rows}
assert not texts["own"] & texts["joint"] and not texts["ai"] & texts["own"]
P

# Killed in the middle of the second round, and gone on with on another number of ranks.
cp -r "$scratch/two" "$scratch/again"
rm -rf "$scratch/again"/stages/{reward-own,ppo-own,annotate-joint,agreement-joint,reward-joint,ppo-joint,evaluate}.json \
  "$scratch/again"/{models/{reward-own,own,reward-joint,joint},preferences/joint,preferences/joint-heldout,metrics/{reward-own,ppo-own,reward-joint,ppo-joint}.jsonl}
check "rounds go on where they stopped" ranks 3 study "$scratch/rounds.cfg" --run.directory="$scratch/again"
check "and end in the same bytes" same_results "$scratch/again" "$scratch/two"
check "the cost table knows the rounds" bash -c "'$rlaif' cost '$scratch/two' | grep -Eq 'annotate-own'"
check "the dry run lists the rounds' stages" bash -c "'$rlaif' study '$scratch/rounds.cfg' --dry-run | grep -q 'annotate-joint'"

expect_error "a round that starts from a later one" 2 'round\.own\.start: .*joint.*before this one' \
  study "$scratch/rounds.cfg" --round.own.start=joint --run.directory="$scratch/bad"
expect_error "an arm named as a judge" 2 'a judge has this name' \
  study inputs/smoke.cfg "--study.arms=rlaif people" --arm.people.judge=ai --arm.people.start=rlaif --run.directory="$scratch/bad"
