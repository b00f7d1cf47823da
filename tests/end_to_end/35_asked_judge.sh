#!/usr/bin/env bash
# A judge behind HTTP in a whole study: faults are never scores, nothing is paid twice, the cap holds, the key shows nowhere.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

serve() {  # serve NAME [ARGUMENTS]: a server of its own; its address in $url
  start_server judge_server "$scratch/server-$1" "${@:2}"
}
export TEST_JUDGE_KEY=sk-test-9f4d1c7b

deck=$scratch/asked.cfg
sed '/^template/d' inputs/smoke.cfg >"$deck"
cat >>"$deck" <<'P'

[judge.ai]
kind = openai
model = test
key_variable = TEST_JUDGE_KEY
price = example-hosted-judge
max_output_tokens = 64
concurrency = 16
P
study() {  # study RANKS DIRECTORY [ARGUMENTS]
  local count=$1 directory=$2
  shift 2
  ranks "$count" study "$deck" --judge.ai.url="$url" --run.directory="$scratch/$directory" "$@"
}
once() {  # once NAME: every request of the server was billed at most once
  python3 - "$scratch/server-$1/requests.jsonl" <<'P'
import collections, json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
billed = collections.Counter(line["hash"] for line in lines if line["billed"])
twice = [key for key, count in billed.items() if count > 1]
assert billed and not twice, f"{len(twice)} of {len(billed)} requests were billed more than once"
assert all(line["key"] == "Bearer sk-test-9f4d1c7b" for line in lines)
print(len(lines), "requests,", len(billed), "billed")
P
}

serve clean
check "a study with an asked judge on 2 ranks" study 2 two
check "no request was paid twice" once clean
before=$(wc -l <"$scratch/server-clean/requests.jsonl")
cp -r "$scratch/two" "$scratch/again"
rm -rf "$scratch/again/preferences" "$scratch/again/stages/annotate.json"
check "the pairs judged again on 3 ranks" ranks 3 annotate "$deck" --judge.ai.url="$url" --run.directory="$scratch/again"
check "stored answers cost nothing" test "$before" -gt 500 -a "$(wc -l <"$scratch/server-clean/requests.jsonl")" == "$before"
check "and give the same preferences" diff -r "$scratch/two/preferences" "$scratch/again/preferences"

# Commands beside the study keep answers and spend the cap in the run directory too: one at a time.
printf '{"prompt": "Where does Carl live?", "response_a": "In Rome.", "response_b": "In Oslo."}\n' >"$scratch/pairs.jsonl"
printf '{"prompt": "Where does Carl live?", "response_a": "In Rome.", "response_b": "In Oslo.", "label": "a"}\n' >"$scratch/labelled.jsonl"
held() {  # held ARGUMENTS...: exit code 4, and the holder is named
  "$rlaif" "$@" --judge.ai.url="$url" --run.directory="$scratch/two" >"$scratch/said" 2>&1
  [[ $? == 4 ]] && grep -q 'another job holds this run directory: host elsewhere, process 12' "$scratch/said" || { head -c 300 "$scratch/said"; return 1; }
}
exec 8>"$scratch/two/run.lock"
flock -n 8
printf 'host elsewhere, process 12\n' >&8
check "judge waits its turn where it pays" held judge "$deck" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/verdicts.jsonl" --io.judge=ai
check "calibrate waits its turn where it pays" held calibrate "$deck" --calibrate.pairs="$scratch/labelled.jsonl" --calibrate.output="$scratch/fitted" --calibrate.judges=ai
check "judge needs no turn where it does not pay" "$rlaif" judge "$deck" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/verdicts.jsonl" \
  --io.judge=people --run.directory="$scratch/two" --judge.people.kind=rules --judge.people.price=local-judge
exec 8>&-
check "and pays when it is free" "$rlaif" judge "$deck" --judge.ai.url="$url" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/verdicts.jsonl" \
  --io.judge=ai --run.directory="$scratch/two"

serve faulty --faults 0.3
check "a study through 30 % faults" study 2 faulty
check "the same preferences but for verdicts that never came" python3 - "$scratch" "$rlaif" <<'P'
import json, subprocess, sys
scratch, rlaif = sys.argv[1:]
def records(run):
    subprocess.run([rlaif, "preferences", "export", f"{scratch}/{run}/preferences/ai", f"{scratch}/{run}.jsonl", "--form=full"],
                   check=True, capture_output=True)
    return [json.loads(line) for line in open(f"{scratch}/{run}.jsonl")]
clean, faulty = records("two"), records("faulty")
assert len(clean) == len(faulty) > 200, (len(clean), len(faulty))
lost = 0
for a, b in zip(clean, faulty):
    if b["status"] == "ok":
        assert a["p_first"] == b["p_first"], (a, b)
    else:
        lost += 1
assert lost < len(faulty) / 2, lost
P

serve killed --faults 0.1
for seconds in 1.6 2.1; do
  (
    ranks 2 study "$deck" --judge.ai.url="$url" --run.directory="$scratch/killed" >/dev/null 2>&1 &
    sleep "$seconds"
    pkill -9 -f "run.directory=$scratch/killed"
    wait
  ) 2>/dev/null
done
check "a study that was killed twice while asking" study 2 killed
check "whose answers were each paid once" python3 - "$scratch" <<'P'
import collections, json, pathlib, sys
scratch = pathlib.Path(sys.argv[1])
lines = [json.loads(line) for line in open(scratch / "server-killed" / "requests.jsonl")]
billed = collections.Counter(line["hash"] for line in lines if line["billed"] and not line["fault"])
# An answer on its way while the asker was killed is lost with it; there are at most as many as requests in flight.
twice = sum(count - 1 for count in billed.values())
assert len(lines) > 500 and twice <= 2 * 2 * 16, (len(lines), twice)
print(len(lines), "requests;", twice, "answers were lost in flight")
P

serve capped
expect_capped() {
  study 2 capped --cost.cap_usd=0.02 >"$scratch/capped.log" 2>&1
  [[ $? == 4 ]] && grep -q "cap" "$scratch/capped.log" && python3 - "$scratch/server-capped/requests.jsonl" <<'P'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines
P
}
check "the cap ends the job with what was paid kept" expect_capped
check "and the job goes on under a higher cap" study 1 capped --cost.cap_usd=50
check "without paying anything twice" once capped

env -u TEST_JUDGE_KEY "$rlaif" study "$deck" --judge.ai.url="$url" --run.directory="$scratch/nokey" >"$scratch/nokey.log" 2>&1
check "a missing key is a clear line" grep -Eq "^rlaif: .*TEST_JUDGE_KEY" "$scratch/nokey.log"
check "the key is in no file and no log" bash -c "! grep -rqa 'sk-test-9f4d1c7b' '$scratch'/two '$scratch'/faulty '$scratch'/killed '$scratch'/capped '$scratch'/*.log"
