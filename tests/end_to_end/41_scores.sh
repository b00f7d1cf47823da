#!/usr/bin/env bash
# Judges that score one response, as rewards: the same bytes on any number of ranks and after kills, failures counted and never a
# score, the bill of rollouts; a server that is asked for scores through faults; decks that cannot be, refused by name.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/scores.cfg

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "scores as rewards on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "scores as rewards end in the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done

facts() {
  python3 - "$scratch/1" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
results = json.loads((run / "report/results.json").read_text())
rows = lambda stage: [json.loads(line) for line in (run / f"metrics/{stage}.jsonl").read_text().splitlines()]
# One score a response, not one verdict a pair; of both kinds of failure all are counted, and none is a score.
for stage, labels in (("grpo-group", 15), ("rloo-left_out", 15), ("reinforce-single", 6), ("grpo-reasoned", 15), ("ppo-classic", 24)):
    for row in rows(stage):
        assert row["labels"] == labels and 0 <= row["failed"] <= 1, (stage, row)
        assert row["reward"] is None or -1 <= row["reward"] <= 1, (stage, row)
        assert abs(row["cost_usd"] - 0.06 * labels) < 1e-9, (stage, row)
assert any(row["failed"] < 1 for row in rows("grpo-group")), rows("grpo-group")
# A reason that may have 3 tokens never ends: nobody has a score, nothing is learned, all is counted.
for row in rows("grpo-reasoned"):
    assert row["failed"] == 1 and row["reward"] is None and row["absolute_advantage"] is None and row["gradient_norm"] == 0, row
weights = lambda policy: (run / f"models/{policy}/model.safetensors").read_bytes()
assert weights("reasoned") == weights("sft") and weights("group") != weights("sft")
assert results["judges"]["reasoned"]["scores"]["failed"] == results["judges"]["reasoned"]["scores"]["responses"] > 0
assert {"spearman", "within_prompt", "reliability", "use_of_scale"} <= set(results["judges"]["scorer"]["scores"])
assert results["arms"]["group"]["labels"] == sum(row["labels"] for row in rows("grpo-group"))
assert json.loads((run / "stages/grpo-group.json").read_text())["reward"] == {"judge": "scorer", "scored": "responses"}
# As a judge of pairs it has no order to prefer.
scorer = results["judges"]["scorer"]
assert scorer["same_position_rate"] == 0 and scorer["statuses"]["ok"] > 0, scorer
P
}
check "single responses are scored, counted and paid; what fails is no score" facts
cost() { "$rlaif" cost "$scratch/1" >"$scratch/cost" && grep -Eq '^scorer +grpo-group +ai-label +0 +45 +45 ' "$scratch/cost" && grep -Eq '^levels +rloo-levelled ' "$scratch/cost" && grep -Eq '^scorer +rloo-compared +ai-label +[0-9]+ +0 ' "$scratch/cost"; }
check "the costs have the responses that a judge scored in a column of their own" cost
bill() {
  "$rlaif" study "$deck" --dry-run --run.directory="$scratch/none" >"$scratch/plan" &&
    grep -q '^# judge scorer, group: up to 45 labels of single responses, \$2.70 at the price ai-label' "$scratch/plan" &&
    grep -q '^# judge scorer, classic: up to 48 labels of single responses' "$scratch/plan" &&
    grep -q '^# judge scorer, compared: up to 45 labels, ' "$scratch/plan"
}
check "a dry run has rollouts times price" bill

DECK=$deck KILLS=${KILLS:-1} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs of scores as rewards /'

# --- a server ------------------------------------------------------------------------------------
start_server judge_server "$scratch/server" --faults 0.3
asked=$scratch/asked.cfg
cat >"$asked" <<P
include = $root/inputs/smoke.cfg
[study]
judges = ai hosted
arms = hosted
[grpo]
steps = 3
prompts_per_step = 5
responses = 3
minibatch = 15
max_new_tokens = 24
[arm.hosted]
algorithm = grpo
judge = hosted
reward = judge_score
[judge.hosted]
kind = openai
model = test
url = $url
style = $root/inputs/judge_styles/score_reasoned.txt
principles = $root/inputs/principles.txt
price = example-hosted-judge
max_output_tokens = 64
concurrency = 16
P
check "a server is asked for scores on 2 ranks, through 30 % faults" ranks 2 study "$asked" --run.directory="$scratch/hosted"
paid() {
  python3 - "$scratch" <<'P'
import collections, json, pathlib, sys
scratch = pathlib.Path(sys.argv[1])
lines = [json.loads(line) for line in (scratch / "server/requests.jsonl").read_text().splitlines()]
billed = collections.Counter(line["hash"] for line in lines if line["billed"])
assert len(billed) > 20 and set(billed.values()) == {1}, billed.most_common(3)
rows = [json.loads(line) for line in (scratch / "hosted/metrics/grpo-hosted.jsonl").read_text().splitlines()]
scored = sum(round((1 - row["failed"]) * 15) for row in rows)
assert 0 < scored <= 45 and all(-1 <= row["reward"] <= 1 for row in rows), rows
P
}
check "every score is paid once, and those on the scale alone are rewards" paid
dry() {
  "$rlaif" study "$asked" --dry-run --run.directory="$scratch/none" >"$scratch/plan" && grep -q '1 answer(s) a score, 45 single responses among what is scored' "$scratch/plan"
}
check "a dry run bills the server's rollouts" dry

# --- what cannot be ------------------------------------------------------------------------------
on_none=--run.directory=$scratch/none
expect_error "a score of a judge that compares" 2 "grpo.reward = judge_score: judge 'ai' of arm 'group' compares responses and scores none" \
  study "$deck" --arm.group.judge=ai "$on_none"
expect_error "principle by principle where pairs are compared" 2 "judge.ai.principle_use: sample or all was expected where .* compares two responses" \
  study "$deck" --judge.ai.principle_use=each "$on_none"
expect_error "a gate above the scale" 2 "judge.each.level_gate: at most 10" study "$deck" --judge.each.level_gate=11 "$on_none"
expect_error "a judge model that learns verdicts from a template of scores" 2 "judge_model.verdict_first_template: .*a template without '%% scores' was expected" \
  study "$deck" --judge_model.verdict_first_template="$root/inputs/judge_score.txt" "$on_none"
expect_error "a judge model that learns scores from a template of pairs" 2 "judge_model.score_template: .*a template with '%% scores: 1 10' was expected" \
  study "$deck" --judge_model.score_template="$root/inputs/judge_verdict_first.txt" "$on_none"
template() {  # template NAME CODE PATTERN TEXT: a template that is refused when it is read
  printf '%b' "$4" >"$scratch/template.txt"
  expect_error "$1" "$2" "$3" study "$deck" --judge.scorer.template="$scratch/template.txt" "$on_none"
}
template "a scale that ends before it begins" 3 "template.txt:1: scores: expected two whole numbers from 0 to 100" '%% scores: 10 1\n{principle} {prompt} {response}\n'
template "a template of scores that shows a pair" 3 'template.txt:2: \{first\} has no place where one response is scored' '%% scores: 1 10\n{principle} {prompt} {first} {second}\n'
template "a template of scores without a response" 3 'the placeholder \{response\} is missing' '%% scores: 1 10\n{principle} {prompt}\n'
template "a template of pairs that shows one response" 3 'template.txt:1: \{response\} has no place where two responses are compared' '{principle} {prompt} {response}\n'
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
