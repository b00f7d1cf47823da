#!/usr/bin/env bash
# Money and people: what labels cost before and after, pairs for a person to look at, their labels in training, and a judge's
# bad input.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

serve() {  # serve NAME [ARGUMENTS]: a server of its own; its address in $url
  start_server judge_server "$scratch/server-$1" "${@:2}"
}
export TEST_JUDGE_KEY=sk-test-5b2e8a90
requests() { wc -l <"$scratch/server-$1/requests.jsonl"; }

# --- what labels cost, without a run ----------------------------------------------------------------
"$rlaif" cost --output "$scratch/cost.json" >"$scratch/cost.txt" 2>&1
check "the table of labels by people and by judges" python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
text, table = open(f"{scratch}/cost.txt").read(), json.load(open(f"{scratch}/cost.json"))
assert table["comparisons"] == 100000
totals = [(round(pair["people"]["total_usd"], 6), round(pair["ai"]["total_usd"], 6)) for pair in table["offers"]]
assert totals == [(67000, 6000), (50000, 5000)], totals
assert [pair["people"]["label_usd"] for pair in table["offers"]] == [0.67, 0.4]
for number in ("67,000.00", "6,000.00", "50,000.00", "5,000.00", "$40,000.00", "3,125 comparisons"):
    assert number in text, (number, text)
assert all(one[key] for one in table["assumptions"] for key in ("name", "unit", "as_of", "source"))
P
check "for any number of comparisons" bash -c "'$rlaif' cost --comparisons 1000 | grep -Eq '670\.00 ' && '$rlaif' cost --comparisons=1000 | grep -Eq ' 10,400\.00 '"
sed '/"team_people"/,/}/s/"value": 10/"value": 20/' inputs/cost_assumptions.json >"$scratch/own.json"
check "from the numbers of one file" bash -c "'$rlaif' cost --cost.assumptions='$scratch/own.json' | grep -q ' 90,000\.00 '"
sed '/"team_weeks"/s/team_weeks/team_weekz/' inputs/cost_assumptions.json >"$scratch/wrong.json"
expect_error "an unknown assumption" 3 "wrong.json: key 'assumptions\[6\]\.name': unknown assumption 'team_weekz'; the nearest known one is 'team_weeks'" cost --cost.assumptions="$scratch/wrong.json"
expect_error "a number of comparisons that is none" 2 "'many' was given, a number of at least 1 was expected" cost --comparisons=many
expect_error "a flag of another command" 2 "rlaif cost has no flag --count" cost --count=3
expect_error "costs of what is no run" 3 "has no run.json; a run directory was expected" cost "$scratch/server-none"

# --- the bill beforehand ----------------------------------------------------------------------------
serve clean
deck=$scratch/asked.cfg
sed -e '/^template/d' -e 's/^arms = .*/arms = rlaif/' inputs/smoke.cfg >"$deck"
cat >>"$deck" <<'P'

[judge.ai]
kind = openai
model = test
key_variable = TEST_JUDGE_KEY
price = example-hosted-judge
max_output_tokens = 64
concurrency = 16

[plan]
usd_per_rank_hour = 2.5
answer_tokens = 3
P
on() { printf -- '--run.directory=%s' "$scratch/$1"; }
at() { printf -- '--judge.ai.url=%s' "$url"; }
check "the bill beforehand, without key and server" bash -c "env -u TEST_JUDGE_KEY '$rlaif' study '$deck' '$(at)' '$(on run)' --dry-run >'$scratch/bill.txt' && [[ ! -e '$scratch/run' ]] && [[ \$(wc -l <'$scratch/server-clean/requests.jsonl') == 0 ]]"
"$rlaif" study "$deck" "$(at)" "$(on run)" --dry-run --cost.cap_usd=0.5 >"$scratch/capped-bill.txt" 2>&1
check "against the cap" grep -Eq 'all asked judges: likely .*; cost.cap_usd \$0.50: (covers|TOO LOW)' "$scratch/capped-bill.txt"
expect_error "a cap below the first request beforehand" 2 "cost.cap_usd: 1e-05 was given, .* the first request of judge ai may cost \\$" study "$deck" "$(at)" "$(on run)" --dry-run --cost.cap_usd=1e-5
sed '/^price = /d' "$deck" >"$scratch/unpriced.cfg"
expect_error "a model without a price beforehand" 2 "judge ai: no price for the model 'test': .*prices.json: unknown price 'test'" study "$scratch/unpriced.cfg" "$(at)" "$(on run)" --dry-run

# --- what a run used --------------------------------------------------------------------------------
prepared=(--reward.people=alice --reward.people_weight=4)
check "pairs judged by a server and by people" bash -c "source tests/end_to_end/lib.sh; for stage in sft annotate; do ranks 2 \$stage '$deck' '$(at)' '$(on run)' ${prepared[*]} || exit 1; done"
"$rlaif" cost "$scratch/run" --comparisons 1000000 --output "$scratch/run-cost.json" >"$scratch/run-cost.txt" 2>&1
"$rlaif" preferences export "$scratch/run/preferences/ai" "$scratch/ai.jsonl" --form=full >/dev/null 2>&1
check "the run's use by judge and stage" python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
measured = json.load(open(f"{scratch}/run-cost.json"))["measured"]
records = [json.loads(line) for line in open(f"{scratch}/ai.jsonl")]
rows = {(row["judge"], row["stage"]): row for row in measured["judges"]}
assert set(rows) == {(judge, stage) for judge in ("ai", "people") for stage in ("annotate", "annotate, held-out")}, rows.keys()
ai = rows["ai", "annotate"]
assert ai["pairs"] == len(records) and ai["labels"] == sum(one["status"] == "ok" for one in records) > 200
for key in ("input_tokens", "output_tokens"):
    assert ai[key] == sum(one[key] for one in records) > 0, key
assert abs(ai["cost_usd"] - sum(one["cost_usd"] for one in records)) < 1e-9
assert measured["usd_per_rank_hour"] == 2.5 and ai["rank_hours"] > 0
label = (ai["cost_usd"] + 2.5 * ai["rank_hours"]) / ai["labels"]
assert abs(ai["usd_a_label"] - label) < 1e-12 and abs(ai["projected_usd"] - 1e6 * label) < 1e-3
assert rows["people", "annotate"]["cost_usd"] / rows["people", "annotate"]["labels"] - 0.67 < 1e-9
billed = [json.loads(line) for line in open(f"{scratch}/server-clean/requests.jsonl")]
paid, = measured["answers"]
assert paid["answers"] == len(billed) and abs(paid["paid_usd"] - ai["cost_usd"] - rows["ai", "annotate, held-out"]["cost_usd"]) < 1e-6
assert [stage["stage"] for stage in measured["stages"]] == ["annotate", "sft", "tokenizer"]
for row in measured["stages"]:
    assert abs(row["machine_usd"] - row["ranks"] * row["wall_seconds"] / 3600 * 2.5) < 1e-9
P
"$rlaif" status "$scratch/run" --json >"$scratch/status.json" 2>&1
check "the run's status has the dollars so far" python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
status, paid = json.load(open(f"{scratch}/status.json")), json.load(open(f"{scratch}/run-cost.json"))["measured"]["answers"][0]
assert abs(status["paid"]["paid_usd"] - paid["paid_usd"]) < 1e-6 and status["paid"]["held_usd"] == 0, (status["paid"], paid)
assert status["paid"]["judges"]["ai"]["answers"] == paid["answers"] and status["state"] == "stopped", status
P
check "the bill beforehand held" python3 - "$scratch" <<'P'
import json, re, sys
scratch = sys.argv[1]
bill = open(f"{scratch}/bill.txt").read()
requests = int(re.search(r"requests +(\d+) ", bill)[1])
likely, worst = (float(re.search(rf"{word} .*\$([0-9.]+)$", bill, re.M)[1]) for word in ("likely", "worst"))
paid = json.load(open(f"{scratch}/run-cost.json"))["measured"]["answers"][0]
assert requests == 160 * 3 * 2 and 0.9 * requests < paid["answers"] <= requests, (requests, paid)
# The server counts a token for four bytes of the whole request: what is likely is near, and nothing is above the worst.
assert 0.6 * likely < paid["paid_usd"] < 1.4 * likely and paid["paid_usd"] < worst, (likely, worst, paid)
P
cp -r "$scratch/run" "$scratch/unfinished"
rm -f "$scratch/unfinished/preferences/ai/manifest.json" "$scratch/unfinished/stages/annotate.json"
check "a run that is not finished counts as far as it is" bash -c "'$rlaif' cost '$scratch/unfinished' | grep -q 'preferences/ai is not finished: what is there counts'"

# --- pairs for a person -----------------------------------------------------------------------------
export_page() { "$rlaif" spotcheck export "$scratch/run" ai "$scratch/$1" --name alice "${@:2}"; }
check "a page of pairs" bash -c "'$rlaif' spotcheck export '$scratch/run' ai '$scratch/page.html' --name alice --count 40 >'$scratch/said' && grep -Eq 'control +12 +30.0 %' '$scratch/said' && grep -Eq 'disagreement +12 +30.0 %' '$scratch/said' && grep -Eq 'uncertain +16 +40.0 %' '$scratch/said' && grep -q 'disagreement is with: people' '$scratch/said'"
export_page again.html --count 40 >/dev/null
export_page other.html --count 40 --seed 1 >/dev/null
check "the same pairs by the same seed" cmp "$scratch/page.html" "$scratch/again.html"
check "others by another" bash -c "! cmp -s '$scratch/page.html' '$scratch/other.html'"
expect_error "a judge that the run does not have" 3 "preferences/no-such: is no finished preference store" spotcheck export "$scratch/run" no-such "$scratch/none.html"
expect_error "a page of no pairs" 2 "'0' was given, a number of at least 1 was expected" spotcheck export "$scratch/run" ai "$scratch/none.html" --count=0
python3 -B tests/end_to_end/spotcheck_page.py "$rlaif" "$scratch"

# --- labels back into the run -----------------------------------------------------------------------
label_all() {  # label_all PAGE LABELS RULE: labels as the page writes them; RULE is Python over the pair and its record
  python3 - "$scratch/ai.jsonl" "$@" <<'P'
import json, re, sys
records = {str(one["id"]): one for one in map(json.loads, open(sys.argv[1]))}
page = open(sys.argv[2], encoding="utf-8").read()
data = json.loads(re.search(r'<script type="application/json" id="pairs">(.*?)</script>', page, re.S)[1])
with open(sys.argv[3], "w") as out:
    for pair in data["pairs"]:
        label = eval(sys.argv[4], {"pair": pair, "record": records[pair["id"]]})
        out.write(json.dumps({"pair_id": pair["id"], "texts": pair["texts"], "store": data["store"], "labeler": data["labeler"],
                              "pick": pair["pick"], "order": pair["order"], "label": label, "seconds": 2.5}) + "\n")
P
}
judges_label='{1.0: "a", 0.0: "b", 0.5: "tie"}[record["p_first"]]'
label_all "$scratch/page.html" "$scratch/same.jsonl" "$judges_label"
label_all "$scratch/page.html" "$scratch/opposite.jsonl" '{1.0: "b", 0.0: "a", 0.5: "a"}[record["p_first"]]'
expect_error "reward models that wait for people" 2 "reward.people = alice: .*preferences/spotcheck-alice is not there: .rlaif spotcheck export. makes a page" reward "$deck" "$(at)" "$(on run)" "${prepared[@]}"
refused() {  # refused NAME SED PATTERN: a line of labels that is wrong
  sed "$2" "$scratch/same.jsonl" >"$scratch/bad.jsonl"
  expect_error "$1" 3 "bad.jsonl:$3" spotcheck import "$scratch/bad.jsonl" "$scratch/run"
}
refused "a label that is not a, b or tie" '3s/"label": "[a-z]*"/"label": "c"/' "3: key 'label' is \"c\"; expected \"a\", \"b\" or \"tie\""
refused "a label without its order" '2s/"order"/"ordre"/' "2: .*order"
refused "a label of a pair that is not there" '4s/"pair_id": "[0-9]*"/"pair_id": "12"/' "4: key 'pair_id': .*preferences/ai holds no pair 12"
refused "a pair's number that is none" '4s/"pair_id": "/"pair_id": "x/' "4: key 'pair_id': digits were expected"
refused "a label of another run's pair" '5s/"texts": "[0-9a-f]*"/"texts": "0123456789abcdef"/' "5: key 'texts': .*the label is of another run"
refused "a pair labelled twice" '6p' "7: a second label of pair [0-9]*; the first is in line 6"
refused "labels of two people" '7s/alice/bob/' "7: key 'labeler': 'alice' was expected"
refused "a store's name that leaves the run" 's/"store": "ai"/"store": "..\/ai"/' "1: key 'store': a name of letters"
refused "a torn line" '8s/"label.*//' "8: "
check "and nothing of such files is kept" test ! -e "$scratch/run/preferences/spotcheck-alice"
: >"$scratch/empty.jsonl"
expect_error "a file without labels" 3 "empty.jsonl: holds no label" spotcheck import "$scratch/empty.jsonl" "$scratch/run"

cp -r "$scratch/run" "$scratch/plain"
cp -r "$scratch/run" "$scratch/same"
import_into() { "$rlaif" spotcheck import "$scratch/$2" "$scratch/$1" >"$scratch/said" 2>&1; }
check "labels become a store" import_into same same.jsonl
check "that says how far the judge agrees" bash -c "grep -q 'spotcheck-alice: 40 labels (40 new, 0 changed, 0 as before)' '$scratch/said' && grep -Eq 'all +40 labels +100.0 % \(100.0 - 100.0\)' '$scratch/said' && grep -Eq 'control +12 labels' '$scratch/said'"
check "whole and by a source of its own" bash -c "'$rlaif' preferences validate '$scratch/same/preferences/spotcheck-alice' && '$rlaif' preferences show '$scratch/same/preferences/spotcheck-alice' | grep -q '^judge *spotcheck-alice'"
cp -r "$scratch/same/preferences/spotcheck-alice" "$scratch/first-import"
import_into same same.jsonl
check "labels that are there already change nothing" bash -c "grep -q '0 new, 0 changed, 40 as before' '$scratch/said' && diff -r '$scratch/first-import' '$scratch/same/preferences/spotcheck-alice'"
head -n 15 "$scratch/same.jsonl" >"$scratch/part-1.jsonl"; tail -n 25 "$scratch/same.jsonl" >"$scratch/part-2.jsonl"
cp -r "$scratch/run" "$scratch/parts"
import_into parts part-2.jsonl && import_into parts part-1.jsonl
check "in parts and in any order they are the same bytes" diff -r "$scratch/first-import" "$scratch/parts/preferences/spotcheck-alice"
check "the costs of a run count them at people's price" bash -c "'$rlaif' cost '$scratch/same' | grep -Eq '^spotcheck-alice +spotcheck .* 40 +0 +40 .* 26\.80 '"
check "labelled pairs are not exported again" bash -c "'$rlaif' spotcheck export '$scratch/same' ai '$scratch/next.html' --name alice --count 40 | grep -q '^40 pairs that alice has labelled are left out'"

# --- training with them -----------------------------------------------------------------------------
train() { ranks "$1" reward "$deck" "$(at)" "$(on "$2")" "${@:3}"; }
rewrite_deck() {  # rewrite_deck RUN KEY VALUE: a run made under another value of one key
  python3 - "$scratch/$1" "$2" "$3" "$deck" "$rlaif" "${@:4}" <<'P'
import json, pathlib, subprocess, sys
run, key, value, deck, rlaif, *keys = sys.argv[1:]
shown = subprocess.run([rlaif, "study", deck, "--dry-run", *keys], capture_output=True, text=True, check=True).stdout
new = shown.split("# deck hash ")[1].split()[0]
file = pathlib.Path(run, "run.json")
described = json.loads(file.read_text())
old, described["deck_hash"], described["deck"][key] = described["deck_hash"], new, value
described.pop("checksum")  # what has none is not checked
file.write_text(json.dumps(described))
for marker in pathlib.Path(run, "stages").glob("*.json"):
    facts = json.loads(marker.read_text().replace(old, new))
    facts.pop("checksum")
    marker.write_text(json.dumps(facts))
P
}
rewrite_deck plain reward.people "" "$(at)" "$(on plain)" --reward.people_weight=4
check "reward models without people" train 2 plain --reward.people_weight=4
rewrite_deck same reward.people_weight 1 "$(at)" "$(on same)" --reward.people=alice
check "with people who say what the judge said, at weight 1" train 1 same --reward.people=alice
check "are the same bytes" diff -r "$scratch/plain/models/reward-ai" "$scratch/same/models/reward-ai"
import_into run opposite.jsonl
check "people who disagree with the judge" grep -Eq 'disagreement +12 labels +0\.0 % \(0\.0 - 0\.0\) of 12' "$scratch/said"
cp -r "$scratch/run" "$scratch/three"
check "change the reward model" train 2 run "${prepared[@]}"
check "by their number and weight" python3 - "$scratch" <<'P'
import json, sys
facts = json.load(open(f"{sys.argv[1]}/run/stages/reward-ai.json"))
plain = json.load(open(f"{sys.argv[1]}/plain/stages/reward-ai.json"))
assert (facts["people"], facts["people_pairs"], facts["people_weight"]) == ("alice", 40, 4), facts
assert facts["pairs"] == plain["pairs"] and "people" not in plain
P
check "to another one" bash -c "! diff -rq '$scratch/run/models/reward-ai' '$scratch/plain/models/reward-ai'"
check "that is the same bytes on 3 ranks" bash -c "source tests/end_to_end/lib.sh; ranks 3 reward '$deck' '$(at)' '$(on three)' ${prepared[*]} && diff -r '$scratch/run/models/reward-ai' '$scratch/three/models/reward-ai'"
import_into run same.jsonl
check "newer labels than a stage was trained with are said" grep -q "stage reward-ai was trained before these labels" "$scratch/said"
expect_error "a weight of people that is none" 2 "reward.people_weight: '0' was given, a number above 0 was expected" study "$deck" "$(at)" "$(on fresh)" --reward.people_weight=0

# --- a judge's bad input: one clear line each, and what was paid for is kept -------------------------
python3 - "$scratch" <<'P'
import json, sys
with open(f"{sys.argv[1]}/pairs.jsonl", "w") as out:
    for i in range(24):
        out.write(json.dumps({"prompt": f"What is {i} plus 3?", "response_a": f"It is {i + 3}.", "response_b": f"It is {i + 4}."}) + "\n")
P
ask=(judge "$deck" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/verdicts.jsonl" --judge.ai.max_retries=1)
refusing() { serve "$1"; printf '%s' "$2" >"$scratch/server-$1/refuse"; }
refusing key key
expect_error "a key that the server refuses" 2 "judge ai: the server refuses the key in the environment variable TEST_JUDGE_KEY \(HTTP 401\)" "${ask[@]}" "$(at)" "$(on bad-key)"
refusing model model
expect_error "an unknown model" 2 "judge ai: no model 'test' at http://127.0.0.1" "${ask[@]}" "$(at)" "$(on bad-model)"
refusing echo echo
expect_error "a refusal that repeats the key" 2 "judge ai: the server refuses access for this key \(HTTP 403: no access with Bearer \[key\]\)" "${ask[@]}" "$(at)" "$(on bad-echo)"
url=http://127.0.0.1:9/v1
expect_error "a server that is not there" 4 "judge ai: no connection to http://127.0.0.1:9/v1/chat/completions in 2 attempts" "${ask[@]}" "$(at)" "$(on bad-server)"
serve tls
url=https${url#http}
expect_error "TLS to a server that speaks none" 4 "judge ai: no (trusted )?connection to https://127.0.0.1" "${ask[@]}" "$(at)" "$(on bad-tls)"
if openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout "$scratch/tls.pem" -out "$scratch/tls.crt" >/dev/null 2>&1; then
  cat "$scratch/tls.crt" >>"$scratch/tls.pem"
  serve signed --certificate "$scratch/tls.pem"
  url=https${url#http}
  expect_error "a certificate that nobody vouches for" 4 "judge ai: no trusted connection to https://127.0.0.1.*CURL_CA_BUNDLE" "${ask[@]}" "$(at)" "$(on bad-certificate)"
else
  skip "a certificate that nobody vouches for" "openssl is not installed"
fi
expect_error "no key" 2 "judge ai: expected a key in the environment variable NO_SUCH_KEY, which is not set" "${ask[@]}" "$(at)" "$(on bad-none)" --judge.ai.key_variable=NO_SUCH_KEY
expect_error "a model without a price" 2 "judge ai: no price for the model 'test': .*add an entry, or name another one as judge.ai.price" judge "$scratch/unpriced.cfg" "${ask[@]:2}" "$(at)" "$(on bad-price)"
serve capped
expect_error "a cap below the first request" 4 "judge ai: the cap on the cost leaves too little for a first request: [0-9]+ requests were not sent" "${ask[@]}" "$(at)" "$(on bad-cap)" --cost.cap_usd=1e-5
check "for which nothing was asked" test "$(requests capped)" == 0
serve long
check "pairs longer than the judge's context are a status" bash -c "'$rlaif' ${ask[*]} '$(at)' '$(on long)' --judge.ai.context_tokens=100 && [[ \$(grep -c '\"status\":\"truncated\"' '$scratch/verdicts.jsonl') == 24 ]] && [[ \$(wc -l <'$scratch/server-long/requests.jsonl') == 0 ]]"
refusing too-long long
check "also where the server says so" bash -c "'$rlaif' ${ask[*]} '$(at)' '$(on too-long)' && [[ \$(grep -c '\"status\":\"truncated\"' '$scratch/verdicts.jsonl') == 24 ]]"
refusing later "key 21"
"$rlaif" "${ask[@]}" "$(at)" "$(on later)" --judge.ai.concurrency=1 >"$scratch/later.log" 2>&1
check "a key that is refused on the way ends the job" grep -q "^rlaif: judge ai: the server refuses the key" "$scratch/later.log"
rm "$scratch/server-later/refuse"
check "and what was paid for is kept" bash -c "'$rlaif' ${ask[*]} '$(at)' '$(on later)' && [[ \$(wc -l <'$scratch/server-later/requests.jsonl') == 49 ]]"

check "the key is in no file of a run, no page, no label, no bill and no log" bash -c "
  [[ \$(find '$scratch/run' '$scratch/later' -type f | wc -l) -gt 20 ]] && ! grep -rqa --exclude-dir='server-*' 'sk-test-5b2e8a90' '$scratch'"
