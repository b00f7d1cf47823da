#!/usr/bin/env bash
# Judges made of judges: the same bytes on any number of ranks, who was asked, what a judge must come to before anything
# learns from it, a study of judges alone, and decks that are wrong.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"


cat >"$scratch/fitted.json" <<'P'
{"judges": {
  "small": {"pairs": 200, "agreement": 0.6, "temperature": 1.5, "weight": 0.5, "confusion": [[0.6, 0.4], [0.3, 0.7]], "length_slope": 0.02},
  "big": {"pairs": 200, "agreement": 0.8, "temperature": 0.8, "weight": 1.5, "confusion": [[0.9, 0.1], [0.2, 0.8]], "length_slope": 0},
  "brief": {"pairs": 200, "agreement": null, "temperature": 1, "weight": 0.2, "confusion": [[0.5, 0.5], [0.5, 0.5]], "length_slope": 0},
  "ai": {"pairs": 200, "agreement": 0.8, "temperature": 1, "weight": 1, "confusion": [[0.8, 0.2], [0.2, 0.8]], "length_slope": 0}},
 "thresholds": {"ai": [0.502]}}
P
deck=$scratch/combined.cfg
sed -e '/^template/d' -e 's/^judges = .*/judges = ai panel levels small big people\nmembers = brief\njudge_models = judge small/' \
  inputs/smoke.cfg >"$deck"
cat >>"$deck" <<'P'

[judge_network.small]
hidden_size = 32
num_layers = 1
intermediate_size = 48

[judge_model.small]
steps = 20
batch = 12

[judge.small]
model = small
template = judge_verdict_first.txt
price = example-small-hosted-judge
calibration = fitted.json
length_correction = true

[judge.big]
model = judge
template = judge_verdict_first.txt
price = example-hosted-judge

[judge.brief]
kind = rules
price = local-judge

[judge.ai]
kind = cascade
members = small big
calibration = fitted.json

[judge.panel]
kind = ensemble
members = small big brief
vote = dawid_skene
calibration = fitted.json

[judge.levels]
kind = hierarchy
members = small ai
gate = 0.51
P
sed -i "s|judge_verdict_first.txt|$root/inputs/judge_verdict_first.txt|" "$deck"
study() {  # study RANKS DIRECTORY [ARGUMENTS]
  local count=$1 directory=$2
  shift 2
  ranks "$count" study "$deck" --run.directory="$scratch/$directory" "$@"
}

check "a study with combined judges on 2 ranks" study 2 two
check "and on 1 rank" study 1 one
check "gives the same bytes" same_results "$scratch/one" "$scratch/two"
check "a judge model of another name is trained" test -s "$scratch/two/models/small/model.safetensors" -a -s "$scratch/two/metrics/judge-model-small.jsonl"

for judge in ai panel levels small big; do
  for part in "" -heldout; do
    "$rlaif" preferences export "$scratch/two/preferences/$judge$part" "$scratch/$judge$part.jsonl" --form=full >/dev/null
  done
done
check "a cascade's verdict is that of the member that was sure, or of the last" python3 - "$scratch" <<'P'
import json, math, sys
scratch = sys.argv[1]
def records(judge):
    return [json.loads(line) for part in ("", "-heldout") for line in open(f"{scratch}/{judge}{part}.jsonl")]
def confidence(p, temperature):
    p = 1 / (1 + math.exp(-math.log(p / (1 - p)) / temperature))
    return max(p, 1 - p)
def close(a, b):
    return abs(a - b) < 1e-5
small, big, ai, levels, panel = map(records, ("small", "big", "ai", "levels", "panel"))
assert len(small) == len(big) == len(ai) > 200
escalated = by_level = 0
for s, b, a, l, p in zip(small, big, ai, levels, panel):
    sure = confidence(s["p_first"], 1.5) >= 0.502
    if abs(confidence(s["p_first"], 1.5) - 0.502) > 1e-5:  # batches differ in the last digits
        escalated += not sure
        assert close(a["p_first"], (s if sure else b)["p_first"]), (s, b, a)
        assert close(a["cost_usd"], s["cost_usd"] + (0 if sure else b["cost_usd"])), (s, b, a)
        assert a["rationale"].startswith("small ") and (", big " in a["rationale"]) == (not sure), a
    gated = max(s["p_first"], 1 - s["p_first"]) >= 0.51
    by_level += gated
    assert close(l["p_first"], (s if gated else a)["p_first"]), (s, a, l)
    votes = [(0.6, 0.4, 0.3, 0.7, s["p_first"]), (0.9, 0.1, 0.2, 0.8, b["p_first"])]
    first = second = 1.0
    for f1, f2, s1, s2, said in votes:
        first, second = first * (f1 if said > 0.5 else f2), second * (s1 if said > 0.5 else s2)
    assert close(p["p_first"], first / (first + second)), (s, b, p)
assert 0 < escalated < len(ai), escalated
marker = json.load(open(f"{scratch}/two/stages/annotate.json"))
assert marker["asked"]["ai"]["small"] == len(ai) and abs(marker["asked"]["ai"]["big"] - escalated) <= 2, (marker["asked"], escalated)
assert marker["asked"]["panel"] == {"small": len(ai), "big": len(ai), "brief": len(ai)}, marker["asked"]
results = json.load(open(f"{scratch}/two/report/results.json"))
assert results["judges"]["ai"]["asked"] == marker["asked"]["ai"], results["judges"]["ai"]
# The report's own account: members on the held-out pairs they were asked about, the cascade against its members alone.
held = {judge: [json.loads(line) for line in open(f"{scratch}/{judge}-heldout.jsonl")] for judge in ("small", "big", "ai")}
members = results["judges"]["ai"]["members"]
assert members["small"]["asked"] == members["small"]["answered"] == len(held["ai"])
assert members["big"]["asked"] == sum(", big " in one["rationale"] for one in held["ai"]), members
step, = results["judges"]["ai"]["cascade"]
assert step["judge"] == "small" and step["threshold"] == 0.502 and step["pairs"] <= len(held["ai"])
assert abs(step["chosen"]["agreement"] - results["judges"]["ai"]["heldout"]["agreement"]["value"]) < 2 / step["pairs"], step["chosen"]
assert abs(step["last"]["agreement"] - results["judges"]["big"]["heldout"]["agreement"]["value"]) < 1e-9
assert abs(step["curve"][0]["agreement"] - results["judges"]["small"]["heldout"]["agreement"]["value"]) < 1e-9
assert step["curve"][0]["share_asked"] == 0 and step["curve"][-1]["share_asked"] == 1
assert [p["share_asked"] for p in step["curve"]] == sorted(p["share_asked"] for p in step["curve"])
costs = {(row["judge"], row["stage"]): row for row in results["costs"]["judges"]}
assert abs(costs["ai", "annotate"]["cost_usd"] - results["judges"]["ai"]["cost_usd"]) < 1e-6 and len(costs) == 12, costs.keys()
assert "run" not in results["costs"]
assert "price" not in results["judges"]["ai"] and results["judges"]["ai"]["cost_usd"] < results["judges"]["small"]["cost_usd"] + results["judges"]["big"]["cost_usd"]
print(escalated, "of", len(ai), "escalated;", by_level, "decided by the first level")
P

cp -r "$scratch/two" "$scratch/again"
rm -f "$scratch"/again/preferences/ai/shard-00000[1-3].h5 "$scratch/again/stages/annotate.json" "$scratch"/again/preferences/*/manifest.json
check "shards that are gone are judged again on 3 ranks" ranks 3 annotate "$deck" --run.directory="$scratch/again"
check "to the same bytes" diff -r "$scratch/two/preferences" "$scratch/again/preferences"
check "and who was asked is what it was" python3 - "$scratch" <<'P'
import json, sys
one, two = (json.load(open(f"{sys.argv[1]}/{run}/stages/annotate.json"))["asked"] for run in ("two", "again"))
assert one == two, (one, two)
P

printf '{"prompt": "What is 2 plus 3?", "response_a": "2 plus 3 is 5.", "response_b": "2 plus 3 is 6."}\n' >"$scratch/pairs.jsonl"
check "a combined judge and a member answer pairs of one's own" bash -c "
  for judge in ai panel brief; do
    '$rlaif' judge '$deck' --run.directory='$scratch/two' --io.judge=\$judge --io.input='$scratch/pairs.jsonl' --io.output='$scratch/'\$judge.said || exit 1
    grep -q '\"status\":\"ok\"' '$scratch/'\$judge.said || exit 1
  done"

# --- before anything learns ----------------------------------------------------------------------
copy() { rm -rf "$scratch/$1"; cp -r "$scratch/two" "$scratch/$1"; }
copy short; rm -f "$scratch"/short/stages/{reward,ppo}-* "$scratch"/short/stages/evaluate.json
expect_error "a judge below judge.min_agreement" 3 \
  "judge 'ai' agrees with gold on [0-9]+ held-out pairs in [0-9.]+ % of them: [0-9.]+ points less than judge.min_agreement = 99.0 %.*style.*constitution.*ensemble.*cascade" \
  study "$deck" --run.directory="$scratch/short" --judge.min_agreement=0.99
check "nothing was trained on it" bash -c "! ls '$scratch'/short/stages/reward-* 2>/dev/null"
check "the study goes on where the deck says so" bash -c "
  $(declare -f study ranks run_ranks processors); rlaif='$rlaif' scratch='$scratch' deck='$deck'
  study 2 short --judge.min_agreement=0.99 --judge.proceed_below_min_agreement=true >'$scratch/short.out' 2>'$scratch/short.err'"
check "its report says so in the first line" bash -c "head -1 '$scratch/short.out' | grep -Eq '^BELOW judge.min_agreement = 0.99: judge ai agrees in 0\.[0-9]+'"
check "and so do results.json and the page" bash -c "
  python3 analysis/report.py '$scratch/short' >/dev/null && grep -q 'Below judge.min_agreement (99.0 %):' '$scratch/short/report/report.html' &&
  python3 -c 'import json; assert list(json.load(open(\"$scratch/short/report/results.json\")))[0] == \"below_min_agreement\"'"
# Cards of models name their deck, and these are two.
check "with the same models as without" bash -c "
  for folder in models preferences metrics evaluation; do diff -rq -x README.md '$scratch/short/'\$folder '$scratch/two/'\$folder || exit 1; done"

# --- a file of rules as the reward --------------------------------------------------------------------
awk '/^\[/ {keep = !/^\[judge/} keep' inputs/smoke.cfg | sed -e 's/^judges = .*/judges = brief\nmembers =\njudge_models =/' -e 's/^arms = .*/arms = ruled/' >"$scratch/ruled.cfg"
printf '[judge]\nmin_agreement = 0\n[judge.brief]\nkind = rules\nprice = local-judge\n[arm.ruled]\njudge = brief\n' >>"$scratch/ruled.cfg"
sed -i 's/^\[ppo\]/&\nreward = rules/' "$scratch/ruled.cfg"
for count in 1 3; do
  check "a policy that learns from rules on $count ranks" ranks $count study "$scratch/ruled.cfg" --run.directory="$scratch/ruled-$count"
done
check "is the same on both" same_results "$scratch/ruled-1" "$scratch/ruled-3"
check "and another one than by the reward model, whose score is that of the rules" python3 - "$scratch" "$rlaif" "$scratch/ruled.cfg" <<'P'
import json, subprocess, sys
scratch, rlaif, deck = sys.argv[1:]
fact = json.load(open(f"{scratch}/ruled-1/stages/ppo-ruled.json"))["reward"]
assert fact["rules"] and 0 < fact["standard_deviation"] and 0 < fact["mean"], fact
subprocess.run([rlaif, "study", deck, f"--run.directory={scratch}/by-model", "--ppo.reward=model"], check=True, capture_output=True)
by_rules, by_model = (open(f"{scratch}/{run}/metrics/ppo-ruled.jsonl").read() for run in ("ruled-1", "by-model"))
assert by_rules != by_model
# Standardised over the labelled responses of the policy's start: the first step's mean is near 0.
assert abs(json.loads(by_rules.splitlines()[0])["reward"]) < 1, by_rules.splitlines()[0]
P
expect_error "rules as the reward of a judge that has none" 2 "ppo.reward = rules: judge 'ai' of arm 'rlaif' has no file of rules" study "$deck" --run.directory="$scratch/wrong" --ppo.reward=rules

# --- judges alone --------------------------------------------------------------------------------
check "a study without arms ends with its judges" study 2 judges --study.arms= --annotate.prompts=20
check "whose results are of judges alone" python3 - "$scratch/judges" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
results = json.load(open(run / "report/results.json"))
assert "arms" not in results and set(results["judges"]) == {"ai", "panel", "levels", "small", "big", "people"}
for name, row in results["judges"].items():
    assert row["gold_agreement_low"] <= row["gold_agreement"] <= row["gold_agreement_high"], (name, row)
    assert (name == "people") == ("same_position_rate" not in row), (name, row)
    assert row["usd_per_1000"] >= 0 and row["rank_seconds"] >= 0
difference = results["agreement_differences"]["small"]["big"]
assert abs(difference["value"] - results["judges"]["small"]["gold_agreement"] + results["judges"]["big"]["gold_agreement"]) < 1e-9, difference
assert difference["low"] <= difference["value"] <= difference["high"]
assert [stage["stage"] for stage in results["stages"]] == ["tokenizer", "sft", "judge-model", "judge-model-small", "annotate", "judges"]
assert not (run / "models/reward-ai").exists() and not (run / "evaluation").exists()
P
check "and have a page" bash -c "python3 analysis/report.py '$scratch/judges' >/dev/null && grep -q 'Who was asked' '$scratch/judges/report/report.html'"

# --- an asked judge as member ---------------------------------------------------------------------
start_server judge_server "$scratch/server"
export TEST_JUDGE_KEY=sk-test-4be1
sed -e 's/^members = brief/members = brief dear/' -e 's/^members = small big$/members = small dear/' "$deck" >"$scratch/asked.cfg"
cat >>"$scratch/asked.cfg" <<P

[judge.dear]
kind = openai
model = test
url = $url
key_variable = TEST_JUDGE_KEY
price = example-hosted-judge
max_output_tokens = 64
P
check "pairs by a cascade whose last member is a server" ranks 2 study "$scratch/asked.cfg" --run.directory="$scratch/asked" --study.arms=
check "which is asked for what the first was not sure of, and paid under its own name" python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
marker = json.load(open(f"{scratch}/asked/stages/annotate.json"))
asked, paid = marker["asked"]["ai"], marker["paid"]
assert set(paid) == {"dear"} and 0 < asked["dear"] < asked["small"], (asked, paid)
lines = [json.loads(line) for line in open(f"{scratch}/server/requests.jsonl")]
assert len({line["hash"] for line in lines}) == len(lines) == paid["dear"]["requests"], (len(lines), paid)
assert len(lines) <= 2 * asked["dear"], (len(lines), asked)  # both orders, equal requests once
P

# --- probes for a model in this process, a server and recorded verdicts ------------------------------
python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
with open(f"{scratch}/labelled.jsonl", "w") as pairs, open(f"{scratch}/told.jsonl", "w") as told:
    for i in range(30):
        row = {"id": f"sum/{i}", "prompt": f"What is {i} plus 3?", "response_a": f"{i} plus 3 is {i + 3}.", "response_b": f"{i} plus 3 is {i + 4}.", "label": "a"}
        pairs.write(json.dumps(row) + "\n")
    ids = [f"sum/{i}" for i in range(30)] + [json.loads(line)["id"] for line in open("inputs/probes.jsonl")]
    for place, one in enumerate(ids):
        for order in ("ab", "ba"):
            told.write(json.dumps({"pair_id": one, "judge": "t", "style": "s", "order": order, "verdict": "b" if place % 3 == 0 else "a"}) + "\n")
P
sed -e 's/^members = brief dear/members = brief dear told/' "$scratch/asked.cfg" >"$scratch/probed.cfg"
printf '\n[judge.told]\nkind = replay\nverdicts = %s\nrecorded_judge = t\nrecorded_style = s\n' "$scratch/told.jsonl" >>"$scratch/probed.cfg"
for count in 1 2; do
  check "judges of three kinds on labelled pairs and probes, $count rank(s)" ranks $count calibrate "$scratch/probed.cfg" --run.directory="$scratch/asked" \
    --calibrate.judges="small dear told" --calibrate.pairs="$scratch/labelled.jsonl" --calibrate.probes=inputs/probes.jsonl --calibrate.resamples=50 \
    --calibrate.output="$scratch/probed-$count"
  wc -l <"$scratch/server/requests.jsonl" >"$scratch/asked-$count"
done
check "give the same files" diff -r "$scratch/probed-1" "$scratch/probed-2"
check "and the server was asked once" cmp "$scratch/asked-1" "$scratch/asked-2"
check "each judge answers the probes through a prompt of its own" python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
probes = json.load(open(f"{scratch}/probed-1/calibration.json"))["probes"]
kinds = {json.loads(line)["kind"] for line in open("inputs/probes.jsonl")}
count = sum(1 for _ in open("inputs/probes.jsonl"))
for judge in ("small", "dear", "told"):
    assert set(probes[judge]) == kinds | {"all"} and probes[judge]["all"]["probes"] == count, judge
    assert probes[judge]["all"]["answered"] == count, (judge, probes[judge]["all"])
fooled = sum(1 for place in range(30, 30 + count) if place % 3 == 0) / count
assert abs(probes["told"]["all"]["fooled"]["value"] - fooled) < 1e-9, probes["told"]["all"]
# A judge that always names one position is fooled in one order alone; the server's verdicts follow from the texts.
assert 0 < probes["dear"]["all"]["fooled"]["value"] < 1, probes["dear"]["all"]
P

# --- plans and wrong decks -----------------------------------------------------------------------
check "a plan names judge models, members and the agreement asked for" bash -c "
  '$rlaif' study '$deck' --judge.min_agreement=0.7 --dry-run >'$scratch/plan' &&
  grep -q '#   judge-model-small *20 steps' '$scratch/plan' && grep -q '#   agreement *ai: 70.0 % or more' '$scratch/plan' &&
  grep -q '# judge panel, member brief' '$scratch/plan'"
for other in cascade judges demo smollm2 summaries_8b_1_node dialogue_8b_8_nodes; do
  check "inputs/$other.cfg resolves" bash -c "'$rlaif' study inputs/$other.cfg --dry-run --model.folder= >/dev/null"
done

wrong() {  # wrong NAME CODE PATTERN KEY=VALUE...
  local name=$1 code=$2 pattern=$3
  shift 3
  expect_error "$name" "$code" "$pattern" study "$deck" --run.directory="$scratch/wrong" "${@/#/--}"
}
wrong "an unknown member" 2 "judge.panel.members: unknown judge 'smal'; the nearest known one is 'small'" judge.panel.members="smal big"
wrong "one member" 2 "judge.panel.members: names of two judges and more were expected, found 1" judge.panel.members=big
wrong "a member that stands twice" 2 "judge.panel.members: 'big' stands twice" judge.panel.members="big small big"
wrong "a judge that is its own member" 2 "judge.ai.members: a judge cannot be its own member: ai -> levels -> ai" judge.ai.members="small levels"
wrong "members of a judge that has none" 2 "judge.big.members: \[judge.big\] has kind = local, and unknown key 'members'" judge.big.members="small ai"
wrong "a vote without calibration" 2 "judge.panel.calibration: .*dawid_skene.*rlaif calibrate" judge.panel.calibration=
wrong "a cascade without thresholds" 2 "judge.ai.thresholds: .*judge.ai.calibration" judge.ai.calibration=
wrong "thresholds that are none" 2 "judge.ai.thresholds: 'high' was given, numbers parted by white space was expected" judge.ai.thresholds=high
wrong "too many thresholds" 2 "judge.ai.thresholds: one for each member but the last was expected, 1 in all, found 2" judge.ai.thresholds="0.6 0.7"
wrong "a gate that is no confidence" 2 "judge.levels.gate: '0.3' was given, a number from 0.5 to 1 was expected" judge.levels.gate=0.3
wrong "more members than there are" 2 "judge.panel.least_members: from 0 to 3" judge.panel.least_members=4
wrong "a correction without calibration" 2 "judge.small.calibration: length_correction" judge.small.calibration=
wrong "an arm whose judge labels nothing" 2 "arm.rlaif.judge: 'brief' stands in study.members" arm.rlaif.judge=brief
wrong "a name in both lists" 2 "study.members: 'big' was given, a name that nothing else has" study.members="brief big"
python3 - "$scratch" <<'P'
import json, sys
fitted = json.load(open(f"{sys.argv[1]}/fitted.json"))
json.dump({"judges": fitted["judges"]}, open(f"{sys.argv[1]}/no_thresholds.json", "w"))
del fitted["judges"]["big"]
json.dump(fitted, open(f"{sys.argv[1]}/without_big.json", "w"))
P
wrong "a calibration that lacks a member" 3 "without_big.json: judge 'big' was not calibrated" judge.panel.calibration="$scratch/without_big.json"
wrong "a calibration that lacks the thresholds" 3 "no_thresholds.json: holds no thresholds of the cascade 'ai'" judge.ai.calibration="$scratch/no_thresholds.json"
wrong "a calibration that is not there" 2 "judge.ai.calibration: no such file" judge.ai.calibration="$scratch/none.json"
sed -i 's/"temperature": 1.5/"temperature": 1.25/' "$scratch/fitted.json"
expect_error "another calibration is another deck" 3 "checksum of judge.ai.calibration" study "$deck" --run.directory="$scratch/two"
