#!/usr/bin/env bash
# Recorded pairs as the study's: labels by people that came with them, the same pairs labelled by judges, people asked where a judge
# is unsure. The same bytes on any number of ranks and after kills; files that cannot be, refused by name before anything starts.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/recorded.cfg

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "a study of recorded pairs on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "what is learned from recorded pairs is the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done

for store in people ai hybrid people-heldout; do
  "$rlaif" preferences export "$scratch/1/preferences/$store" "$scratch/$store.jsonl" --form=full >"$scratch/out" 2>&1 ||
    fail "export of $store" "$(tail -n 1 "$scratch/out")"
done
labels() {
  python3 - "$scratch" <<'P'
import json, pathlib, sys
scratch = pathlib.Path(sys.argv[1])
read = lambda name: [json.loads(line) for line in open(name)]
given, people = read("tests/decks/recorded.jsonl"), read(scratch / "people.jsonl")
side = {"a": 1.0, "b": 0.0, "tie": 0.5}
assert len(given) == len(people) == 48
for one, kept in zip(given, people):
    votes = [side[vote] for vote in one.get("annotators", [])]
    label = sum(votes) / len(votes) if votes else side[one["label"]]
    assert kept["prompt"] == one["prompt"] and kept["first"] == one["response_a"], kept
    assert abs(kept["p_first"] - label) < 1e-12 and kept["status"] == "ok" and kept["cost_usd"] == 0.67, kept
    assert kept["p_first_by_order"] == [None, None], kept
assert any(isinstance(one["prompt"], list) for one in people)
# People are asked where the judge is unsure, and then their label holds.
asked = 0
for one, hybrid, ai in zip(people, read(scratch / "hybrid.jsonl"), read(scratch / "ai.jsonl")):
    if len(hybrid["members"]) == 2:
        asked += 1
        assert hybrid["p_first"] == one["p_first"], (hybrid, one)
    else:
        assert hybrid["p_first"] == ai["p_first"], (hybrid, ai)
results = json.loads((scratch / "1/report/results.json").read_text())
held_out = len(read("tests/decks/recorded_heldout.jsonl"))
count = results["judges"]["hybrid"]["asked"]
assert count["ai"] == 48 + held_out and asked <= count["people"] <= count["ai"], (count, asked)
assert abs(results["judges"]["people"]["cost_usd"] - 48 * 0.67) < 1e-6, results["judges"]["people"]
assert "annotator_agreement_low" in results["judges"]["ai"] and "people_accuracy_low" in results["reward_model"]["asked"]
# Policies are asked the held-out pairs' own prompts, conversations too; the world knows no gold for those.
asked = read(scratch / "1/evaluation/human.jsonl")
talks = [one for one in asked if isinstance(one["prompt"], list)]
assert len(asked) == 24 and len(talks) == 2 and [turn["role"] for turn in talks[0]["prompt"]] in (["system", "user"], ["user", "assistant", "user"])
assert all("utility" not in sample for one in talks for sample in one["samples"])
facts = json.loads((scratch / "1/stages/annotate.json").read_text())["recorded"]
assert facts["train"]["pairs"] == 48 and facts["train"]["ties"] > 0 and facts["heldout"]["pairs"] == held_out, facts
assert 0 < facts["people_agree"] < 1, facts
P
}
check "labels of people are kept as they were given, judged beside, and asked for where a judge is unsure" labels

mixed() {
  ranks 2 study "$deck" --run.directory="$scratch/mixed" --reward.people=people --reward.people_labels=10 --reward.people_weight=2 || return 1
  python3 - "$scratch/mixed/stages" <<'P'
import json, pathlib, sys
facts = lambda name: json.loads(pathlib.Path(sys.argv[1], name + ".json").read_text())
assert facts("dpo-rlaif")["people_pairs"] == facts("dpo-human")["people_pairs"] == facts("reward-hybrid")["people_pairs"] == 10
P
}
check "people's labels take the place of the first ten of a judge's, at their own weight" mixed

# The closed world's own pairs, written to files and read again, are judged as they were when they were generated.
generated=$scratch/generated
ranks 2 study inputs/smoke.cfg --study.arms= --run.directory="$generated" >"$scratch/out" 2>&1 ||
  fail "the smoke study's pairs" "$(tail -n 1 "$scratch/out")"
for part in "" -heldout; do
  "$rlaif" preferences export "$generated/preferences/people$part" "$scratch/world$part.jsonl" --form=full >/dev/null
  python3 - "$scratch/world$part.jsonl" "$scratch/pairs$part.jsonl" <<'P'
import json, sys
with open(sys.argv[2], "w") as out:
    for line in open(sys.argv[1]):
        one = json.loads(line)
        label = "a" if one["p_first"] == 1 else "b"
        out.write(json.dumps({"id": str(one["id"]), "prompt": one["prompt"], "response_a": one["first"],
                              "response_b": one["second"], "subset": one["family"], "label": label}) + "\n")
P
done
from_files=(--study.pairs=files --data.files.maker=recorded --data.files.file="$scratch/pairs.jsonl"
  --data.files.heldout_file="$scratch/pairs-heldout.jsonl" --data.files.leave_out_unusable=true --judge.people.kind=given)
ranks 3 study inputs/smoke.cfg --study.arms= "${from_files[@]}" --run.directory="$scratch/files" >"$scratch/out" 2>&1 ||
  fail "the same pairs from files" "$(tail -n 1 "$scratch/out")"
same_verdicts() {
  local judge
  for judge in ai people; do
    "$rlaif" preferences export "$generated/preferences/$judge" "$scratch/a.jsonl" --form=full >/dev/null
    "$rlaif" preferences export "$scratch/files/preferences/$judge" "$scratch/b.jsonl" --form=full >/dev/null
    python3 - "$scratch/a.jsonl" "$scratch/b.jsonl" <<'P' || return 1
import json, sys
a, b = ({one["id"]: one for one in map(json.loads, open(name))} for name in sys.argv[1:])
assert len(b) > 300 and set(b) <= set(a), (len(a), len(b))
for id, one in b.items():
    for key in ("prompt", "first", "second", "family", "status", "rationale", "cost_usd"):
        assert one[key] == a[id][key], (id, key, one[key], a[id][key])
    # A float32 judge's last bits depend on what is judged beside.
    assert abs(one["p_first"] - a[id]["p_first"]) < 1e-5, (id, one["p_first"], a[id]["p_first"])
P
  done
}
check "the world's pairs from files have the verdicts that they had when they were generated" same_verdicts

DECK=$deck KILLS=${KILLS:-2} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs on recorded pairs /'

page() { python3 analysis/report.py "$scratch/1" >/dev/null && test -s "$scratch/1/report/report.html"; }
check "a study of recorded pairs has its report" page
spotcheck() {
  "$rlaif" spotcheck export "$scratch/1" ai "$scratch/page.html" --name alice --count 48 &&
    grep -q 'Assistant: Good morning\.' "$scratch/page.html"
}
check "people are shown conversations as transcripts" spotcheck

on_none=--run.directory=$scratch/none
sed -n 3p tests/decks/recorded.jsonl | cat tests/decks/recorded_heldout.jsonl - >"$scratch/leak.jsonl"
expect_error "a prompt of the held-out part that is learned from" 3 'leak\.jsonl:25: record .train-2. asks the prompt of line 3 of' \
  study "$deck" --data.recorded.heldout_file="$scratch/leak.jsonl" "$on_none"
expect_error "labels that came with pairs, of pairs that come without" 2 'judge\.people\.kind = given: the pairs of \[annotate\]' \
  study inputs/smoke.cfg --judge.people.kind=given "$on_none"
expect_error "pairs of a section that is not there" 2 "study\.pairs: .*'recordet'" study "$deck" --study.pairs=recordet "$on_none"
expect_error "pairs that are demonstrations" 2 'study\.pairs = shown: a data set with maker = recorded' study inputs/smoke.cfg \
  --study.pairs=shown --data.shown.maker=mixture "$on_none"
expect_error "no file of pairs" 2 'data\.none\.file: a file of pairs' study inputs/smoke.cfg --study.pairs=none \
  --data.none.maker=recorded "$on_none"
head -n 4 tests/decks/recorded_heldout.jsonl >"$scratch/few.jsonl"
expect_error "a share that holds nothing out" 3 'few\.jsonl: leaves no pair to hold out' study "$deck" \
  --data.recorded.file="$scratch/few.jsonl" --data.recorded.heldout_file= --data.recorded.heldout_share=1e-9 "$on_none"
sed 's/"id": "train-1"/"id": "train-0"/' tests/decks/recorded.jsonl >"$scratch/twice.jsonl"
expect_error "two pairs of one id" 3 "twice\.jsonl:2: id 'train-0' is that of line 1 already" study "$deck" --data.recorded.file="$scratch/twice.jsonl" "$on_none"
python3 - "$scratch" <<'P'
# Prompts that the world does not know, without labels too.
import json, sys
for part in ("", "_heldout"):
    rows = [json.loads(line) for line in open(f"tests/decks/recorded{part}.jsonl")]
    for i, row in enumerate(rows):
        row["prompt"] = f"What about{part} {i}?"
    for name, keys in (("strange", ()), ("bare", ("label", "annotators"))):
        with open(f"{sys.argv[1]}/{name}{part}.jsonl", "w") as out:
            out.writelines(json.dumps({key: value for key, value in row.items() if key not in keys}) + "\n" for row in rows)
P
of() { printf -- '--data.recorded.file=%s --data.recorded.heldout_file=%s' "$scratch/$1.jsonl" "$scratch/$1_heldout.jsonl"; }
# shellcheck disable=SC2046  # two arguments
expect_error "prompts that nobody knows, and no judge of policies" 2 "evaluate\.by: none of the held-out prompts is the world's" \
  study "$deck" $(of strange) "$on_none"
# shellcheck disable=SC2046
expect_error "labels that are to be given and are not there" 2 'judge\.people\.kind = given: no pair of \[data\.recorded\] has a label' \
  study "$deck" $(of bare) "$on_none"
# shellcheck disable=SC2046
expect_error "simulated people on prompts that they do not know" 2 'judge\.people\.kind = annotators: simulated people know the world' \
  study "$deck" $(of strange) --judge.people.kind=annotators --evaluate.by=ai --evaluate.by_own_judges=true "$on_none"
cp -r "$scratch/1/models/sft" "$scratch/strict"
printf '%s' "{% if messages[0].role == 'system' %}{{ raise_exception('there are no system turns here') }}{% endif %}{% for m in messages %}{{ m.content + '<|endoftext|>' }}{% endfor %}" \
  >"$scratch/strict/chat_template.jinja"
expect_error "roles in an order that the template does not take" 3 \
  'recorded\.jsonl: a prompt with the turns system user .* cannot be asked: .*there are no system turns here' study "$deck" \
  --model.folder="$scratch/strict" --sft.examples=0 --sft.register_examples=0 --run.directory="$scratch/refused"
expect_error "recorded labels as a judge of new responses" 2 "evaluate\.by: judge 'people' has the labels of recorded pairs only" \
  study "$deck" --evaluate.by=people "$on_none"
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
