#!/usr/bin/env bash
# Policies compared by judges that no arm has learned from: the same bytes on 1, 2 and 3 ranks and after kills, in rounds that
# stop; who wrote what is hidden and counted rightly; money metered and capped; a study without a yardstick of its own; judges that
# cannot be, refused by name before anything starts.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/verdict.cfg

serve() {  # serve NAME: a server of its own; its address in $url
  start_server judge_server "$scratch/server-$1"
}
export TEST_JUDGE_KEY=sk-test-71c0ffee

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "policies are compared on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "verdicts are the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
  check "and the table says the same on 1 and $count ranks" bash -c \
    "diff <(sed -n '/^verdict/,/name the same side/p' '$scratch/1.log') <(sed -n '/^verdict/,/name the same side/p' '$scratch/$count.log')"
done

# The figures once more, from the shards and the samples alone.
for judge in referee checker; do
  "$rlaif" preferences export "$scratch/1/comparisons/$judge" "$scratch/$judge.jsonl" --form=full >/dev/null 2>&1
done
figures() {
  python3 - "$scratch" <<'P'
import collections, json, pathlib, sys
scratch = pathlib.Path(sys.argv[1])
verdict = json.loads((scratch / "1/report/results.json").read_text())["verdict"]
lines = lambda file: [json.loads(line) for line in file.read_text().splitlines()]
samples = {name: {row["prompt_id"]: row for row in lines(scratch / f"1/evaluation/{name}.jsonl")} for name in ("sft", "rlaif", "rlhf")}
assert verdict["policies"] == ["sft", "rlaif", "rlhf"] and verdict["own"] == "gold" and verdict["judged_samples"] == 2
stopped, swaps = 0, collections.Counter()
for judge in ("referee", "checker"):
    row, records = verdict["yardsticks"][judge], lines(scratch / f"{judge}.jsonl")
    assert row["learned_by"] == [] and row["failed"] == {} and row["asked"] + row["equal"] == len(records), (row["asked"], len(records))
    assert row["asked"] + row["equal"] + row["not_asked"] == verdict["comparisons"] == 3 * 40 * 2
    # Records of a block stand by prompt, pair of policies and sample; which pairs are still asked about shows in the texts.
    wins, prompts = collections.defaultdict(list), collections.defaultdict(set)
    pairs = [("rlaif", "sft"), ("rlhf", "sft"), ("rlaif", "rlhf")]
    left = iter(records)
    record = next(left, None)
    for item in range(40):
        for pair in pairs:
            a, b = (samples[name][item]["samples"] for name in pair)
            for k in range(2):
                texts = (a[k]["response"], b[k]["response"])
                if record is None or record["prompt_id"] & 0xffffffff != item or {record["first"], record["second"]} != set(texts):
                    continue
                swapped = record["first"] != texts[0]
                wins[pair].append(1 - record["p_first"] if swapped else record["p_first"])
                prompts[pair].add(item)
                swaps[swapped] += texts[0] != texts[1]
                record = next(left, None)
    assert record is None, record
    for pair in pairs:
        found = row["wins"]["_vs_".join(pair)]
        assert found["prompts"] == len(prompts[pair]) and found["prompts"] % 10 == 0, (pair, found, len(prompts[pair]))
        assert abs(found["win_rate"]["value"] - sum(wins[pair]) / len(wins[pair])) < 1e-12, (judge, pair)
        assert abs(found["named"]["value"] - sum((p > 0.5) + 0.5 * (p == 0.5) for p in wins[pair]) / len(wins[pair])) < 1e-12, (judge, pair)
        assert found["win_rate"]["low"] <= found["win_rate"]["value"] <= found["win_rate"]["high"]
        assert 0 < found["length_controlled"]["value"] < 1
        decided = found["sequence"]["decided"]
        assert decided == (not found["sequence"]["low"] <= 0.5 <= found["sequence"]["high"]), found
        assert decided or found["prompts"] == 40, found
        stopped += found["prompts"] < 40
    assert row["ratings"]["sft"] == {"value": 0, "low": 0, "high": 0} and len(row["ratings"]) == 3
assert stopped > 0 and min(swaps.values()) > 0.35 * sum(swaps.values()), (stopped, swaps)
gold = verdict["yardsticks"]["gold"]
assert "asked" not in gold and all(found["prompts"] == 40 for found in gold["wins"].values())
mean = lambda pair: sum(0.5 if abs(u - v) <= 1e-9 else float(u > v) for item in range(40) for k in range(2)
                        for u, v in [tuple(samples[name][item]["samples"][k]["utility"] for name in pair)]) / 80
assert abs(gold["wins"]["rlhf_vs_sft"]["win_rate"]["value"] - mean(("rlhf", "sft"))) < 1e-12
assert {(row["a"], row["b"]) for row in verdict["agreement"]} == {("referee", "checker"), ("referee", "gold"), ("checker", "gold")}
P
}
check "wins, prompts and who stood first are what shards and samples say" figures
check "the cost of it stands beside the labels" bash -c "'$rlaif' cost '$scratch/1' | grep -E '^referee +compare ' | grep -q human-label"
check "the plan bills it beforehand" bash -c "'$rlaif' study '$deck' --run.directory='$scratch/none' --dry-run |
  grep -q '^# judge referee, comparing policies: up to 240 labels, .160.80 at the price human-label'"
page() { python3 analysis/report.py "$scratch/1" >/dev/null && grep -q 'The verdict' "$scratch/1/report/report.html" && grep -q 'checker' "$scratch/1/report/report.html"; }
check "the page has the verdict" page
check "a finished study compares nothing again" bash -c "'$rlaif' study '$deck' --run.directory='$scratch/1' >'$scratch/again.log' 2>&1 && grep -q '^compare: done before' '$scratch/again.log'"

# A shard that was damaged and one that is lost.
cp -r "$scratch/1" "$scratch/damaged"
printf 'x' >>"$scratch/damaged/comparisons/checker/shard-000001.h5"
rm "$scratch/damaged/comparisons/referee/shard-000000.h5"
check "damage is found, and judged again" bash -c "'$rlaif' study '$deck' --run.directory='$scratch/damaged' >'$scratch/damaged.log' 2>&1 &&
  [[ \$(grep -c 'compare: .*the stage is run again' '$scratch/damaged.log') == 2 ]]"
check "to the same bytes" same_results "$scratch/1" "$scratch/damaged"

# People, who are told no more than a judge is.
cp -r "$scratch/1" "$scratch/people"
check "a page of what arms and sft answered" bash -c \
  "'$rlaif' spotcheck export '$scratch/people' comparisons/referee '$scratch/page.html' --name alice --count 20 | grep -q '20 pairs of comparisons/referee'"
label_all() {  # label_all LABELS: alice finds the longer response better
  python3 - "$scratch" "$1" <<'P'
import json, pathlib, re, sys
scratch, labels = sys.argv[1:]
page = pathlib.Path(scratch, "page.html").read_text(encoding="utf-8")
data = json.loads(re.search(r'<script type="application/json" id="pairs">(.*?)</script>', page, re.S)[1])
assert data["store"] == "comparisons/referee" and len(data["pairs"]) == 20
sft = list(map(json.loads, open(f"{scratch}/1/evaluation/sft.jsonl")))
with open(f"{scratch}/{labels}", "w") as out:
    for pair in data["pairs"]:
        assert not any(word in json.dumps(pair) for word in ("rlaif", "rlhf", "sft", "referee")), pair
        first, second = pair["shown"] if pair["order"] == "ab" else pair["shown"][::-1]
        assert first != second
        responses = [sample["response"] for row in sft if row["prompt"] == pair["prompt"] for sample in row["samples"]]
        assert first in responses or second in responses, pair  # one of the two is sft's
        label = "a" if len(first) > len(second) else "b" if len(first) < len(second) else "tie"
        out.write(json.dumps({"pair_id": pair["id"], "texts": pair["texts"], "store": data["store"], "labeler": data["labeler"],
                              "pick": pair["pick"], "order": pair["order"], "label": label, "seconds": 1.0}) + "\n")
P
}
check "hides whose they are" label_all alice.jsonl
check "labels by people come back" bash -c "'$rlaif' spotcheck import '$scratch/alice.jsonl' '$scratch/people' | grep -q 'people-alice: 20 labels (20 new'"
check "and are not asked for again" bash -c "'$rlaif' spotcheck export '$scratch/people' comparisons/referee '$scratch/next.html' --name alice --count 20 |
  grep -q '^20 pairs that alice has labelled are left out'"
people() {
  "$rlaif" evaluate "$deck" --run.directory="$scratch/people" >"$scratch/people.log" 2>&1 && grep -q '^people-alice .*rlaif_vs_sft' "$scratch/people.log" &&
    python3 - "$scratch" <<'P'
import json, pathlib, sys
scratch = pathlib.Path(sys.argv[1])
before, verdict = (json.loads((scratch / run / "report/results.json").read_text())["verdict"] for run in ("1", "people"))
alice = verdict["yardsticks"]["people-alice"]
assert alice["asked"] == 20 and alice["learned_by"] == [] and abs(alice["cost_usd"] - 20 * 0.67) < 1e-9, alice
prompts = [alice["wins"][pair]["prompts"] for pair in ("rlaif_vs_sft", "rlhf_vs_sft", "rlaif_vs_rlhf")]
assert 0 < sum(prompts) <= 20 and prompts[2] == 0, prompts
assert all(before["yardsticks"][name]["wins"] == verdict["yardsticks"][name]["wins"] for name in ("referee", "checker", "gold"))
agreement = {(row["a"], row["b"]): row for row in verdict["agreement"]}
assert len(agreement) == 6 and all(agreement[row["a"], row["b"]] == row for row in before["agreement"]), agreement.keys()
P
}
check "and stand in the table as a yardstick" people
check "with what they cost" bash -c "'$rlaif' cost '$scratch/people' | grep -Eq '^people-alice +compare '"
sed 's/"pair_id": "[0-9]*"/"pair_id": "7"/' "$scratch/alice.jsonl" | head -n 1 >"$scratch/wrong.jsonl"
expect_error "a label for a pair that is not there" 3 "wrong.jsonl:1: key 'pair_id': .*comparisons/referee holds no pair 7" spotcheck import "$scratch/wrong.jsonl" "$scratch/people"
expect_error "verdicts of a judge that was not asked" 3 'comparisons/ai: is no finished preference store.*comparisons/NAME of one of evaluate.by' \
  spotcheck export "$scratch/people" comparisons/ai "$scratch/none.html"

# A judge behind HTTP: killed while it compares, capped.
asked=(--judge.referee.kind=openai --judge.referee.model=test --judge.referee.key_variable=TEST_JUDGE_KEY --judge.referee.price=example-hosted-judge
  --judge.referee.max_output_tokens=64 --judge.referee.concurrency=4 --evaluate.by=referee --evaluate.prompts=120 --evaluate.stop_error_rate=0.01)
serve asked
requests() { wc -l <"$scratch/server-asked/requests.jsonl"; }
before_compare() { for stage in sft annotate reward ppo; do ranks 2 $stage "$deck" "${asked[@]}" --judge.referee.url="$url" --run.directory="$scratch/asked" || return 1; done; }
check "policies for a judge that is asked" before_compare
for name in whole killed capped; do cp -r "$scratch/asked" "$scratch/$name"; done
evaluate() {  # evaluate RANKS DIRECTORY [ARGUMENTS]
  ranks "$1" evaluate "$deck" "${asked[@]}" --judge.referee.url="$url" --run.directory="$scratch/$2" "${@:3}"
}
check "a judge behind HTTP compares them" evaluate 2 whole
before=$(requests)
kills=0
for after in 1 3; do  # shards that are there when it is killed
  (evaluate 2 killed >/dev/null 2>&1 &
    launcher=$!
    while kill -0 $launcher 2>/dev/null && [[ $(find "$scratch/killed/comparisons" -name 'shard-*.h5' 2>/dev/null | wc -l) -lt $after ]]; do sleep 0.01; done
    pgrep -f "run.directory=$scratch/killed\$" | xargs -r kill -9
    wait) 2>/dev/null
  [[ -e $scratch/killed/stages/compare.json ]] || kills=$((kills + 1))
done
check "it is killed while comparing" test "$kills" -gt 0
check "and goes on" evaluate 1 killed
check "to the same bytes" same_results "$scratch/whole" "$scratch/killed"
paid_once() {
  python3 - "$scratch/server-asked/requests.jsonl" "$before" <<'P'
import collections, json, sys
lines = [json.loads(line) for line in open(sys.argv[1])][int(sys.argv[2]):]
billed = collections.Counter(line["hash"] for line in lines if line["billed"])
twice = sum(count - 1 for count in billed.values())
assert len(billed) > 300 and twice <= 2 * 2 * 4, (len(billed), twice)  # at most those in flight at the kills
P
}
check "answers were paid once" paid_once
evaluate 2 capped --cost.cap_usd=0.01 >"$scratch/capped.log" 2>&1
code=$?
check "the cap holds for comparing too" bash -c "[[ $code == 4 ]] && grep -q cost.cap_usd '$scratch/capped.log'"
check "and with more it goes on" evaluate 2 capped --cost.cap_usd=5
check "to the same verdicts" diff -r "$scratch/whole/comparisons" "$scratch/capped/comparisons"
check "the results name what it cost" python3 - "$scratch/whole" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
marker = json.loads((run / "stages/compare.json").read_text())
row = marker["verdict"]["yardsticks"]["referee"]
assert row["cost_usd"] > 0 and row["input_tokens"] > 1000 and marker["paid"]["referee"]["cost_usd"] > 0, marker["paid"]
P

# Prompts that neither the world nor rules know, conversations among them.
python3 - "$scratch" <<'P'
import json, sys
train = [{"prompt": f"Say something about {what}."} for what in "rain boats bread glass wool salt tea stairs owls maps paint ropes".split()]
held = [{"prompt": f"Why do people like {what}?"} for what in "rain boats bread glass wool".split()]
held += [{"prompt": [{"role": "user", "content": f"Tell me of {what}."}, {"role": "assistant", "content": "It is old."},
                     {"role": "user", "content": "How old?"}]} for what in ("salt", "tea", "owls")]
for name, rows in (("train", train), ("held", held)):
    open(f"{sys.argv[1]}/{name}.jsonl", "w").write("".join(json.dumps(row) + "\n" for row in rows))
P
own=(--task.train_prompts="$scratch/train.jsonl" --task.heldout_prompts="$scratch/held.jsonl" --study.judges=strict --study.arms=rlaif
  --arm.rlaif.judge=strict --judge.strict.kind=rules --judge.strict.price=local-judge --study.members="referee checker"
  --judge.checker.rules=inputs/rules_dialogue.json --evaluate.prompts=8 --evaluate.block=2)
without() { ranks 2 study "$deck" "${own[@]}" --evaluate.by="checker strict" --evaluate.by_own_judges=true --run.directory="$scratch/own" >"$scratch/own.log" 2>&1; }
check "a study without a yardstick of its own" without
check "marks a judge that has taught an arm" bash -c "grep -q '^strict \* .*rlaif_vs_sft' '$scratch/own.log' && grep -q 'strict has taught rlaif' '$scratch/own.log' && ! grep -q '^checker \*' '$scratch/own.log'"
check "has judges' words alone" python3 - "$scratch/own/report/results.json" <<'P'
import json, sys
results = json.load(open(sys.argv[1]))
verdict = results["verdict"]
assert results["yardstick"] == "none" and "own" not in verdict and list(verdict["yardsticks"]) == ["checker", "strict"], verdict
assert verdict["yardsticks"]["strict"]["learned_by"] == ["rlaif"] and verdict["yardsticks"]["checker"]["learned_by"] == []
assert "win_rate_vs_sft" not in results["arms"]["rlaif"] and "sft_against_itself" not in results and "kl" in results["arms"]["rlaif"]
assert verdict["yardsticks"]["checker"]["wins"]["rlaif_vs_sft"]["prompts"] == 8
P
check "and a page" python3 analysis/report.py "$scratch/own"
expect_error "without judges it has nothing to go by" 2 "evaluate.by: none of the held-out prompts is the world's, and there are no rules" \
  study "$deck" "${own[@]}" --evaluate.by= --run.directory="$scratch/nothing"

# A judge that an arm has learned from.
on_none=--run.directory=$scratch/none
expect_error "an arm's own judge" 2 "evaluate.by: judge 'ai' is no stranger to arm 'rlaif', which learns from 'ai' \(arm.rlaif.judge\)" \
  study "$deck" --evaluate.by=ai "$on_none"
expect_error "a judge that asks an arm's own" 2 "evaluate.by: judge 'panel' is no stranger to arm 'rlhf', which learns from 'people'" \
  study "$deck" --evaluate.by=panel --study.members="panel referee checker" --judge.panel.kind=ensemble --judge.panel.members="checker people" "$on_none"
expect_error "an unknown judge" 2 "evaluate.by: unknown judge 'refree'; the nearest known one is 'referee'" study "$deck" --evaluate.by=refree "$on_none"
expect_error "recorded verdicts" 2 "evaluate.by: judge 'referee' has recorded verdicts only" \
  study "$deck" --judge.referee.kind=replay --judge.referee.verdicts="$scratch/train.jsonl" "$on_none"
expect_error "the policy as its own judge" 2 "evaluate.by: judge 'referee' is the policy itself \(judge.referee.model = policy\)" \
  study "$deck" --judge.referee.kind=local --judge.referee.model=policy "$on_none"
expect_error "a study without arms" 2 'evaluate.by: .*study.arms is empty' study "$deck" --study.arms= "$on_none"
expect_error "more samples than there are" 2 'evaluate.judged_samples: at most evaluate.samples \(2\) was expected, found 3' study "$deck" --evaluate.judged_samples=3 "$on_none"
expect_error "an error rate of all" 2 "evaluate.stop_error_rate: '1' was given" study "$deck" --evaluate.stop_error_rate=1 "$on_none"
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
