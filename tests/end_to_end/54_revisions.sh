#!/usr/bin/env bash
# Answers revised under a constitution: chains, demonstrations and pairs are the same bytes on any number of ranks and after kills; a
# writer behind a server that fails and is killed is paid once a text and within the cap; decks that cannot be are refused by name.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/revisions.cfg
server=

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "a study of revisions on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "chains, and what learns from them, are the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done

facts() {
  python3 - "$scratch/1" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
lines = lambda name: [json.loads(line) for file in sorted((run / "data").glob(name)) for line in file.read_text().splitlines()]
chains, heldout = lines("revised/chains-*.jsonl"), lines("revised/heldout-chains-*.jsonl")
assert len(chains) == 50 and sum(chain["revised"] for chain in chains) == 40 and len(heldout) == 16
taken = {"changed", "unchanged"}
for chain in chains + heldout:
    names = [step["principle"] for step in chain["steps"]]
    assert len(names) == len(set(names)) == (2 if chain["revised"] else 0), names
def last(chain):
    kept = [step["revision"] for step in chain["steps"] if step["outcome"] in taken]
    return kept[-1] if kept else None
assert any(last(chain) for chain in chains) and any(last(chain) for chain in heldout)
whole = [chain["answer"] for chain in chains if chain["ended"] and chain["answer"].strip()]
expected = [last(chain) if chain["revised"] else chain["answer"] for chain in chains]
expected = [text for text, chain in zip(expected, chains) if text and (chain["revised"] or chain["ended"])]
assert sorted(row["response"] for row in lines("revised/block-*.jsonl")) == sorted(expected)
assert sorted(row["response"] for row in lines("answers/block-*.jsonl")) == sorted(whole)
marker = json.loads((run / "stages/data-revised.json").read_text())
of_steps = marker["revisions"]["steps"]
assert [sum(step.values()) for step in of_steps] == [56, 56], of_steps
assert sum(one["drawn"] for one in marker["revisions"]["principles"].values()) == 112
assert marker["writer"]["name"] == "self" and marker["writer"]["digest"] == marker["policy"]["digest"]
pairs = json.loads((run / "stages/annotate-pairs.json").read_text())["by_construction"]
assert pairs["pairs"] == pairs["judged"] == pairs["agree"] > 0 and pairs["ties"] == 0, pairs
arms = json.loads((run / "report/results.json").read_text())["arms"]
assert arms["taught"]["data"] == "revised" and arms["control"]["data"] == "answers" and arms["preferred"]["start"] == "taught"
P
}
check "every step is kept, and arms learn from those that the deck chooses" facts
page() {
  python3 analysis/report.py "$scratch/1" >/dev/null && grep -q 'The constitution at work' "$scratch/1/report/report.html" &&
    grep -q 'step 2, revision: ' "$scratch/1/report/report.html"
}
check "the report has the principles, the steps and a chain" page
DECK=$deck KILLS=1 bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs on revisions /'

# A writer behind HTTP: the models are there already, and its texts are paid for.
export TEST_WRITER_KEY=sk-test-4b1d
serve() {  # serve NAME [ARGUMENTS]
  kill $server 2>/dev/null
  start_server judge_server "$scratch/$1" --texts "${@:2}"
}
cat >"$scratch/asked.cfg" <<E
include = $root/$deck
[study]
arms = taught
[run]
shared = $scratch/shared
[data.revised]
writer = big
[writer.big]
kind = openai
model = test
key_variable = TEST_WRITER_KEY
price = example-hosted-judge
max_output_tokens = 40
concurrency = 4
max_retries = 40
E
asked() {  # asked DIRECTORY [ARGUMENTS]: on 2 ranks
  ranks 2 study "$scratch/asked.cfg" --writer.big.url="$url" --run.directory="$scratch/$1" "${@:2}"
}
billed() { python3 -c 'import json, sys; print(sum(json.loads(line)["billed"] for line in open(sys.argv[1])))' "$scratch/$1/requests.jsonl" 2>/dev/null || echo 0; }

serve clean
check "a writer behind HTTP" asked run-clean
texts=$(billed clean)
"$rlaif" status "$scratch/run-clean" --json >"$scratch/status.json"
"$rlaif" cost "$scratch/run-clean" --output "$scratch/cost.json" >/dev/null
check "status and cost have what the writer was paid" python3 - "$scratch" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
due = json.loads((run / "run-clean/stages/data-revised.json").read_text())["revisions"]["cost_usd"]
paid = json.loads((run / "status.json").read_text())["paid"]
assert due > 0 and abs(paid["writers"]["big"]["paid_usd"] - due) < 1e-6 and abs(paid["paid_usd"] - due) < 1e-6, (due, paid)
answers = {one.get("writer"): one["paid_usd"] for one in json.loads((run / "cost.json").read_text())["measured"]["answers"]}
assert abs(answers["big"] - due) < 1e-6, answers
P

serve faulty --faults 0.3
(
  asked run-faulty >/dev/null 2>&1 &
  for _ in {1..600}; do
    (($(billed faulty) >= texts / 2)) && break
    sleep 0.05
  done
  pkill -9 -f "run.directory=$scratch/run-faulty"
  wait
) 2>/dev/null
check "a writer that fails 30 % of its requests, killed half-way" asked run-faulty
check "writes the same chains and demonstrations" diff -r "$scratch/run-clean/data" "$scratch/run-faulty/data"
check "and each text was paid once, but those in flight at the kill" python3 - "$scratch" "$texts" <<'P'
import collections, json, sys
lines = [json.loads(line) for line in open(f"{sys.argv[1]}/faulty/requests.jsonl")]
answered = collections.Counter(line["hash"] for line in lines if line["billed"])
again = sum(answered.values()) - int(sys.argv[2])
assert len(lines) > 1.2 * int(sys.argv[2]), "faults were drawn"
assert 0 <= again <= 2 * 4, f"{again} texts were paid again"
steps = json.load(open(f"{sys.argv[1]}/run-faulty/stages/data-revised.json"))["revisions"]["steps"]
names = set().union(*steps)
assert {"changed", "truncated", "empty", "filtered", "repeats_request", "stock_closing"} <= names, names
P
paid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["revisions"]["cost_usd"])' "$scratch/run-clean/stages/data-revised.json")
serve capped
cap=$(python3 -c "print(round($paid / 2, 5))")
asked run-capped --cost.cap_usd="$cap" >"$scratch/capped.log" 2>&1
check "the cap ends the writing" grep -Eq '^rlaif: .*writer big: the cap on the cost is reached' "$scratch/capped.log"
check "and is not exceeded" python3 - "$scratch/capped/requests.jsonl" "$cap" <<'P'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
paid = sum(line["tokens"][0] * 1.0 + line["tokens"][1] * 4.0 for line in lines if line["billed"]) / 1e6
assert 0.3 * float(sys.argv[2]) < paid <= float(sys.argv[2]), paid
P
"$rlaif" study "$scratch/asked.cfg" --writer.big.url="$url" --run.directory="$scratch/dry" --dry-run >"$scratch/dry.txt"
check "a dry run has the writer's bill" grep -Eq '^# writer big: test, price example-hosted-judge' "$scratch/dry.txt"
check "with as many requests as chains may ask for" grep -Eq '^#   requests +224 +\(up to 56 prompts\)' "$scratch/dry.txt"

printf '{"principles": [{"id": "a", "text": "T", "critique_request": "C?"}]}' >"$scratch/bare.json"
printf '{"principles": [{"id": "a", "text": "T"}, {"id": "b", "text": "U", "level": 3}]}' >"$scratch/gap.json"
printf '%%%% user\n{prompt} {response} {draft}\n' >"$scratch/odd.txt"
none=(--run.directory="$scratch/none")
wrong() { expect_error "$1" "$2" "$3" study "$deck" "${@:4}" "${none[@]}"; }
wrong "a data set of revisions without a writer" 2 'data\.revised\.writer: unknown writer .big.; the nearest known one is .self.' --data.revised.writer=big
wrong "a kind of writer that is none" 2 "writer\.self\.kind: unknown kind of writer 'lokal'; the nearest known one is 'local'" --writer.self.kind=lokal
wrong "a key of another kind of writer" 2 'writer\.self\.url: .*kind = local' --writer.self.url=http://x
wrong "a principle without a revision request" 3 "bare\.json: principle 'a' has no 'revision_request'" \
  --data.revised.principles="$scratch/bare.json"
wrong "levels with a gap" 3 'gap\.json: has principles of level 1 and 3, and none of level 2' --data.revised.principles="$scratch/gap.json"
wrong "a template with a place that chains do not have" 3 "odd\.txt:2: unknown placeholder 'draft'" --data.revised.critique_template="$scratch/odd.txt"
wrong "more turns than principles that come once" 2 'data\.revised\.turns = 5: at most 4' --data.revised.turns=5
wrong "steps that no chain has" 2 "data\.answers\.steps = '1\.\.3': expected all, last" --data.answers.steps=1..3
wrong "steps of no chains" 2 'data\.answers\.of = pairs: a data set with maker = revisions was expected' --data.answers.of=pairs
wrong "pairs without held-out chains" 2 'data\.revised\.heldout_prompts: at least 1 was expected' --data.revised.heldout_prompts=0
wrong "a writer that nothing makes" 2 "writer\.self\.model: .*no stage before it makes 'wrtier'" --writer.self.model=wrtier
wrong "a cap below the first chain" 2 'cost\.cap_usd: 1e-05 was given.*the first chain of writer big may cost' --dry-run \
  --writer.big.kind=openai --writer.big.model=test --writer.big.price=example-hosted-judge --writer.big.url=http://127.0.0.1:1 \
  --data.revised.writer=big --cost.cap_usd=1e-5
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
