#!/usr/bin/env bash
# Verdicts by the thousand through a server that fails 30 % of its requests, on 2 ranks, killed twice on the way: each is there
# once, none is made from a fault, none is paid twice, the cap holds. Environment: VERDICTS, how many pairs (default 600).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pairs=${VERDICTS:-600}
export TEST_JUDGE_KEY=sk-test-9f4d1c7b
server=
serve() {  # serve NAME [ARGUMENTS]
  kill $server 2>/dev/null
  start_server judge_server "$scratch/$1" "${@:2}"
}
python3 - "$scratch/pairs.jsonl" "$pairs" <<'P'
import json, sys
with open(sys.argv[1], "w") as out:
    for i in range(int(sys.argv[2])):
        out.write(json.dumps({"prompt": f"How many apples are {i} and {i % 7}?", "response_a": f"There are {i + i % 7}.",
                              "response_b": f"I would say {i + 1 + i % 5}, but who counts them."}) + "\n")
P
cat >"$scratch/deck.cfg" <<'P'
[study]
judges = asked
[judge.asked]
kind = openai
model = test
key_variable = TEST_JUDGE_KEY
price = example-hosted-judge
max_output_tokens = 64
concurrency = 16
max_retries = 40
total_seconds = 600
P
judge() {  # judge DIRECTORY OUTPUT [ARGUMENTS]: on 2 ranks
  ranks 2 judge "$scratch/deck.cfg" --judge.asked.url="$url" --run.directory="$scratch/$1" --io.input="$scratch/pairs.jsonl" \
    --io.output="$scratch/$2" "${@:3}"
}
billed() {  # billed NAME: how many requests the server has been paid for
  python3 -c 'import json, sys; print(sum(json.loads(line)["billed"] for line in open(sys.argv[1])))' "$scratch/$1/requests.jsonl" 2>/dev/null || echo 0
}

serve clean
check "$pairs pairs without faults" judge run-clean clean.jsonl

serve faulty --faults 0.3
for share in 1 2; do  # killed at a third and at two thirds of the way
  (
    judge run-faulty faulty.jsonl >/dev/null 2>&1 &
    for _ in {1..6000}; do
      (($(billed faulty) >= pairs * 2 * share / 3)) && break
      sleep 0.1
    done
    pkill -9 -f "run.directory=$scratch/run-faulty"
    wait
  ) 2>/dev/null
done
check "$pairs pairs through 30 % faults, killed twice" judge run-faulty faulty.jsonl
check "each verdict is there once, and none is made from a fault" python3 - "$scratch" <<'P'
import json, sys
clean, faulty = ([json.loads(line) for line in open(f"{sys.argv[1]}/{name}.jsonl")] for name in ("clean", "faulty"))
key = lambda row: (row["prompt"], row["response_a"], row["response_b"])
assert [key(row) for row in clean] == [key(row) for row in faulty], "other pairs"
assert len(set(map(key, faulty))) == len(faulty)
ok = [(a, b) for a, b in zip(clean, faulty) if b["status"] == "ok"]
assert all(a["status"] == "ok" for a in clean)
wrong = sum(a["p_a_by_order"] != b["p_a_by_order"] for a, b in ok)
assert wrong == 0, f"{wrong} verdicts differ from those without faults"
assert all(row["p_a"] is None for row in faulty if row["status"] != "ok")
print(len(faulty), "verdicts,", len(ok), "ok")
P
cat "$scratch/out"
check "no request was paid twice, but those in flight at a kill" python3 - "$scratch" <<'P'
import collections, json, sys
lines = [json.loads(line) for line in open(f"{sys.argv[1]}/faulty/requests.jsonl")]
answered = collections.Counter(line["hash"] for line in lines if line["billed"] and not line["fault"])
twice = sum(count - 1 for count in answered.values())
assert len(lines) > len(answered) * 1.2, "faults were drawn"
assert twice <= 2 * 2 * 16, f"{twice} answers were paid again"
print(len(lines), "requests,", len(answered), "answered,", sum(1 for line in lines if line["fault"]), "faults,", twice, "lost in flight")
P
cat "$scratch/out"

serve capped --faults 0.3
cap=$(python3 - "$scratch/clean/requests.jsonl" <<'P'
import json, sys
print(round(sum(t[0] * 1.0 + t[1] * 4.0 for t in (json.loads(line)["tokens"] for line in open(sys.argv[1]))) / 1e6 / 3, 4))
P
)
judge run-capped capped.jsonl --cost.cap_usd="$cap" >"$scratch/capped.log" 2>&1
check "the cap ends the job" grep -Eq "^rlaif: .*cap" "$scratch/capped.log"
check "and was not exceeded" python3 - "$scratch" "$cap" <<'P'
import json, sys
lines = [json.loads(line) for line in open(f"{sys.argv[1]}/capped/requests.jsonl")]
paid = sum(line["tokens"][0] * 1.0 + line["tokens"][1] * 4.0 for line in lines if line["billed"]) / 1e6
cap = float(sys.argv[2])
assert 0.5 * cap < paid <= cap, (paid, cap)
print(f"{paid:.6f} USD of {cap:.6f} USD were billed")
P
cat "$scratch/out"
