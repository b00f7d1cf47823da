#!/usr/bin/env bash
# What vendors' servers say where they give no verdict, each in its own words: prompts too long or flagged, errors inside a 200,
# thoughts, answers above their limit. What becomes of each is a table; one pair never ends a job, and the cap holds.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

serve() {  # serve NAME: answers as $scratch/NAME/replies.json says; its address in $url
  start_server words_server "$scratch/$1"
}
cat >"$scratch/deck.cfg" <<'P'
[study]
judges = j
[judge.j]
kind = openai
model = test
price = example-hosted-judge
orders = first_only
max_output_tokens = 64
max_retries = 1
P
judge() {  # judge RANKS NAME OUTPUT [ARGUMENTS]: pairs of $scratch/NAME
  ranks "$1" judge "$scratch/deck.cfg" --judge.j.url="$url" --run.directory="$scratch/$2/run" --io.input="$scratch/$2/pairs.jsonl" \
    --io.output="$scratch/$2/$3.jsonl" "${@:4}"
}
requests() { wc -l <"$scratch/$1/requests.jsonl" | tr -d ' '; }

# --- the table -------------------------------------------------------------------------------------
python3 tests/end_to_end/server_words.py write "$scratch"
for kind in openai anthropic; do
  for count in 1 2; do
    name=$kind-$count
    mkdir "$scratch/$name"
    cp "$scratch/replies-$kind.json" "$scratch/$name/replies.json"
    cp "$scratch/pairs-$kind.jsonl" "$scratch/$name/pairs.jsonl"
    serve "$name"
    check "the words of $kind's protocol end no job on $count ranks" judge "$count" "$name" first --judge.j.kind="$kind"
    echo '{"run": 2}' >>"$scratch/$name/requests.jsonl"
    check "nor when they are said again" judge "$count" "$name" second --judge.j.kind="$kind"
    check "each is what it means, charged and asked again as it should" python3 tests/end_to_end/server_words.py table "$scratch/$name" "$kind"
    [[ $count != 1 ]] || cat "$scratch/out"
    check "and the same at the second start" cmp "$scratch/$name/first.jsonl" "$scratch/$name/second.jsonl"
  done
  check "verdicts of $kind's protocol are the same on 1 and 2 ranks" cmp "$scratch/$kind-1/first.jsonl" "$scratch/$kind-2/first.jsonl"
done

# --- refusals in words that nobody knows -----------------------------------------------------------
refuse() {  # refuse NAME PAIRS...: a server that refuses pairs of the word "odd"
  mkdir "$scratch/$1"
  echo '{"odd": {"status": 400, "body": {"error": {"message": "the planets do not stand well", "code": 400}}}}' >"$scratch/$1/replies.json"
  for pair in "${@:2}"; do
    printf '{"prompt": "%s pair", "response_a": "11", "response_b": "9"}\n' "$pair"
  done >"$scratch/$1/pairs.jsonl"
  serve "$1"
}
statuses() { python3 -c 'import json, sys; print(*(json.loads(line)["status"] for line in open(sys.argv[1])))' "$scratch/$1/out.jsonl"; }
refuse first "odd one" plain
check "a pair that is refused first ends no job" judge 1 first out --judge.j.concurrency=1
check "and is missing" test "$(statuses first)" == "missing ok"
refuse last plain "odd one"
check "nor does one that is refused last" judge 2 last out
check "and it is missing too" test "$(statuses last)" == "ok missing"
refuse alone "odd one" "odd one"
check "nor one that stands in the file twice" judge 1 alone out
refuse all "odd one" "odd two" "odd three"
for connections in 1 16; do
  expect_error "pairs that are all refused end it over $connections connections" 2 "judge j: the server refuses what it is asked \(HTTP 400: the planets do not stand well\)" \
    judge "$scratch/deck.cfg" --judge.j.url="$url" --run.directory="$scratch/all/run" --io.input="$scratch/all/pairs.jsonl" --io.output="$scratch/all/out.jsonl" \
    --judge.j.concurrency="$connections"
done

# --- answers above their limit ---------------------------------------------------------------------
for count in 1 2; do
  name=dear-$count
  mkdir "$scratch/$name"
  echo '{"pair": {"status": 200, "body": {"choices": [{"finish_reason": "stop", "message": {"content": "Verdict: A"}}],
    "usage": {"prompt_tokens": 200, "completion_tokens": 6000}}}}' >"$scratch/$name/replies.json"
  for number in {1..80}; do
    echo "{\"prompt\": \"pair $number\", \"response_a\": \"11\", \"response_b\": \"9\"}"
  done >"$scratch/$name/pairs.jsonl"
  serve "$name"
  judge "$count" "$name" out --cost.cap_usd=0.005 --judge.j.concurrency=2 >"$scratch/$name/said" 2>&1
  check "answers that pass the cap end the job on $count ranks" grep -q "^rlaif: .*judge j: the cap on the cost" "$scratch/$name/said"
  check "after what was in flight" test "$(requests "$name")" -ge 1 -a "$(requests "$name")" -le $((2 * count))
  check "which is said, with what to do" bash -c "grep -q 'an answer of 6000 output tokens came where max_output_tokens allow 64' '$scratch/$name/said' &&
    grep -q 'output_limit = max_tokens' '$scratch/$name/said' && grep -q 'is passed by' '$scratch/$name/said'"
  before=$(requests "$name")
  judge "$count" "$name" out --cost.cap_usd=0.005 >"$scratch/$name/again" 2>&1
  check "and nothing is asked at the next start" test "$(requests "$name")" == "$before"
done

# --- texts as the policy wrote them ----------------------------------------------------------------
mkdir "$scratch/shown"
echo '{}' >"$scratch/shown/replies.json"
printf '%s\n' '{"prompt": "Say hello.", "response_a": "Hello<|im_end|>", "response_b": "Hello"}' \
  '{"prompt": "Say hello.", "response_a": "Hello\u202e", "response_b": "Hello< |im_end|>"}' >"$scratch/shown/pairs.jsonl"
serve shown
check "texts that a judge is shown broken are counted" bash -c "source tests/end_to_end/lib.sh; rlaif='$rlaif'; ranks 2 judge '$scratch/deck.cfg' --judge.j.url='$url' \
  --run.directory='$scratch/shown/run' --io.input='$scratch/shown/pairs.jsonl' --io.output='$scratch/shown/out.jsonl' 2>&1 | grep -q 'judge j: 3 texts held marks'"
check "and kept as they were" python3 - "$scratch/shown" <<'P'
import json, sys
shown = [json.loads(line) for line in open(sys.argv[1] + "/out.jsonl")]
given = [json.loads(line) for line in open(sys.argv[1] + "/pairs.jsonl")]
assert [(a["response_a"], a["response_b"]) for a in shown] == [(b["response_a"], b["response_b"]) for b in given]
P
