#!/usr/bin/env bash
# Files in the forms of others: `rlaif convert` from any of them into any other, compressed or not, with a split by prompt; what cannot
# be, refused by line; the same as TRL's and datasets' own functions make of them.
# Environment: RECORDS_TRL, a Python that has trl and datasets (pip install trl==1.16.0 datasets==5.2.0; torch is not needed).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python3 - "$scratch" <<'P'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
lines = []
for number in range(200):  # 100 prompts, two pairs each; one is a tie
    label = "tie" if number == 7 else "ab"[number % 2]
    lines.append({"id": f"q/{number}", "prompt": f"Question {number // 2}?", "response_a": f"Yes, {number}.", "response_b": f"No, {number}.",
                  "label": label})
(folder / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
P
convert() { "$rlaif" convert "$@"; }
check "a command converts pairs" convert "$scratch/pairs.jsonl" "$scratch/preference.jsonl" --to preference
said() { grep -q 'preference.jsonl: 199 pairs' "$scratch/out" && grep -q '1 left out of it, the first: the record of line 8 ' "$scratch/out"; }
if said; then pass "it says what it wrote and what it left out"; else fail "it says what it wrote and what it left out" "$(tr '\n' ' ' <"$scratch/out")"; fi

all_ways() {
  local form from=$scratch/preference.jsonl
  for form in pairs implicit-preference-conversational openai-preference transcripts preference-conversational preference; do
    convert "$from" "$scratch/$form.next.jsonl$1" --to "$form" || return 1
    from=$scratch/$form.next.jsonl$1
  done
  convert "$from" "$scratch/last.jsonl" --to preference && cmp "$scratch/last.jsonl" "$scratch/preference.jsonl"
}
for ending in "" .gz .zst; do
  check "a way through all forms of pairs${ending:+ in $ending} ends in the same bytes" all_ways "$ending"
done
for count in 2 3; do
  same_by_ranks() { ranks "$count" convert "$scratch/pairs.jsonl" "$scratch/ranks.jsonl.gz" --to pairs && cmp "$scratch/ranks.jsonl.gz" "$scratch/one.jsonl.gz"; }
  convert "$scratch/pairs.jsonl" "$scratch/one.jsonl.gz" --to pairs >/dev/null
  check "$count ranks write the same bytes" same_by_ranks
done

check "a share of the prompts is held out" convert "$scratch/pairs.jsonl" "$scratch/train.jsonl" "$scratch/heldout.jsonl" --to pairs --split 0.2
split() {
  python3 - "$scratch" <<'P'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
sides = [[json.loads(line) for line in (folder / name).read_text().splitlines()] for name in ("train.jsonl", "heldout.jsonl")]
prompts = [{line["prompt"] for line in side} for side in sides]
assert sum(map(len, sides)) == 200 and not prompts[0] & prompts[1] and sum(map(len, prompts)) == 100, prompts
assert 8 <= len(prompts[1]) <= 36, len(prompts[1])  # four standard deviations of 100 draws at 0.2
print(len(prompts[1]))
P
}
check "all pairs of a prompt fall to one side, about as many as were asked for" split
stays() {
  tail -n 100 "$scratch/pairs.jsonl" >"$scratch/half.jsonl"
  convert "$scratch/half.jsonl" "$scratch/half-train.jsonl" "$scratch/half-heldout.jsonl" --to pairs --split 0.2
  grep -Fxv -f "$scratch/heldout.jsonl" "$scratch/half-heldout.jsonl" && return 1
  grep -Fxv -f "$scratch/train.jsonl" "$scratch/half-train.jsonl" && return 1
  return 0
}
check "a prompt stays on its side whatever else is in the file" stays

bad() { printf '%s\n' "$2" "$3" >"$scratch/$1.jsonl"; }
good='{"prompt": "p", "chosen": "c", "rejected": "r"}'
out=$scratch/never.jsonl
bad mixed "$good" '{"chosen": "a b", "rejected": "a c"}'
expect_error "mixed forms in one file" 3 'mixed\.jsonl:2: mixed forms: .*implicit-preference .*line 1 of the form preference' convert "$scratch/mixed.jsonl" "$out" --to pairs
bad conflict "$good" '{"prompt": "p", "chosen": "r", "rejected": "c"}'
expect_error "conflicting labels of one pair" 3 'conflict\.jsonl:2: this pair has another label in line 1' convert "$scratch/conflict.jsonl" "$out" --to pairs
bad system "$good" '{"prompt": [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, {"role": "user", "content": "c"}], "chosen": "c", "rejected": "r"}'
expect_error "two system turns" 3 "system\.jsonl:2: key 'prompt': turn 2 is a second system turn" convert "$scratch/system.jsonl" "$out" --to pairs
bad assistant "$good" '{"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "chosen": "c", "rejected": "r"}'
expect_error "an assistant turn last in a prompt" 3 "assistant\.jsonl:2: key 'prompt': the last turn is the assistant's" convert "$scratch/assistant.jsonl" "$out" --to pairs
bad role "$good" '{"prompt": [{"role": "tool", "content": "a"}], "chosen": "c", "rejected": "r"}'
expect_error "a role that is not known" 3 "role\.jsonl:2: key 'prompt': turn 1 is by 'tool'" convert "$scratch/role.jsonl" "$out" --to pairs
bad form '{"question": "q", "answers": []}' ""
expect_error "a form that is not known" 3 'form\.jsonl:1: the form is not known: the keys "question", "answers" were found; expected pairs in one of' convert "$scratch/form.jsonl" "$out" --to pairs
gzip -c "$scratch/pairs.jsonl" | head -c 900 >"$scratch/cut.jsonl.gz"
expect_error "gzip cut short" 3 'cut\.jsonl\.gz:[0-9]+: the compressed file \(gzip\) is cut short' convert "$scratch/cut.jsonl.gz" "$out" --to pairs
cp "$scratch/cut.jsonl.gz" "$scratch/cut.jsonl"
expect_error "gzip cut short under another name" 3 'cut\.jsonl:[0-9]+: .*\(gzip\) is cut short' preferences import "$scratch/cut.jsonl" "$scratch/store"
convert "$scratch/pairs.jsonl" "$scratch/whole.jsonl.zst" --to pairs >/dev/null && head -c 300 "$scratch/whole.jsonl.zst" >"$scratch/cut.jsonl.zst"
expect_error "zstd cut short" 3 'cut\.jsonl\.zst:[0-9]+: the compressed file \(zstd\) is cut short' convert "$scratch/cut.jsonl.zst" "$out" --to pairs
printf 'PAR1\x15\x04' >"$scratch/data.parquet"
expect_error "Parquet as it is" 3 'data\.parquet:1: the file is in Parquet; .*jobs/convert_dataset\.py' convert "$scratch/data.parquet" "$out" --to pairs
bad equal '{"prompt": "p", "chosen": "c", "rejected": "c"}' '{"prompt": "p", "chosen": "c", "rejected": ""}'
expect_error "nothing to learn from" 3 'equal\.jsonl: holds no pairs; .*besides the 2 .*equal\.jsonl:1: the two responses are equal' convert "$scratch/equal.jsonl" "$out" --to pairs
expect_error "a form that is not written" 2 "unknown form 'preferences'.*'preference'" convert "$scratch/pairs.jsonl" "$out" --to preferences
expect_error "demonstrations as pairs" 3 'holds demonstrations; expected pairs' convert tests/decks/demonstrations.jsonl "$out" --to pairs
expect_error "no form" 2 '[-][-]to FORM was expected' convert "$scratch/pairs.jsonl" "$out"
expect_error "a share that is none" 2 '[-][-]split: a share between 0 and 1' convert "$scratch/pairs.jsonl" "$out" "$scratch/two.jsonl" --to pairs --split 1.5
expect_error "a share without a second file" 2 'a file for the prompts that are held out was expected' convert "$scratch/pairs.jsonl" "$out" --to pairs --split 0.5
printf '{"system": "Be brief.", "question": "6 times 7?", "chosen": "It is 42.", "rejected": "It is 43."}\n' >"$scratch/question.jsonl"
expect_error "a prompt under another name" 3 "question\.jsonl:1: key 'question' stands beside 'chosen' and 'rejected', and no 'prompt'" \
  convert "$scratch/question.jsonl" "$out" --to pairs
printf '{"prompt": "q", "response_a": "x", "response_b": "y", "winner": "b"}\n' >"$scratch/winner.jsonl"
expect_error "a label under another name" 3 "winner\.jsonl:1: key 'winner' says who is better, and there is no 'label'" \
  convert "$scratch/winner.jsonl" "$out" --to preference
printf '{"prompt": "q", "response_a": "x", "response_b": "y", "label": "tie"}\n' >"$scratch/ties.jsonl"
expect_error "ties alone in a form that has none" 3 'nothing is left to write' convert "$scratch/ties.jsonl" "$out" --to preference
printf '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "x", "weight": 0}]}\n' >"$scratch/weight.jsonl"
expect_error "an answer that nobody is to learn" 3 'weight\.jsonl:1: .*weight 0' convert "$scratch/weight.jsonl" "$out" --to messages
mkfifo "$scratch/pipe"
expect_error "a pipe" 3 'pipe: is no regular file' convert "$scratch/pipe" "$out" --to pairs
expect_error "one file to write, twice" 2 'two files to write were expected' convert "$scratch/pairs.jsonl" "$out" "$scratch/./$(basename "$out")" --to pairs --split 0.2
expect_error "the file that is read as the one to write" 2 'is the file that is read' convert "$scratch/pairs.jsonl" "$scratch/./pairs.jsonl" --to pairs
expect_error "a folder to write to" 2 'is no regular file' convert "$scratch/pairs.jsonl" "$out" "$scratch" --to pairs --split 0.2
if [[ -e $out ]]; then fail "refused files leave nothing behind" "$out is there"; else pass "refused files leave nothing behind"; fi

python=${RECORDS_TRL:-}
datasets=.venv-datasets/bin/python3
if [[ -z $python ]]; then
  skip "the forms are what TRL and datasets make of them" "RECORDS_TRL names no Python that has trl and datasets"
elif ! "$python" -c 'import trl.data_utils, datasets' 2>/dev/null; then
  skip "the forms are what TRL and datasets make of them" "$python has no trl or no datasets"
else
  datasets=$python
  HF_HUB_OFFLINE=1 HF_HOME="$scratch/cache" "$python" -B tests/end_to_end/records_equality.py "$rlaif" "$scratch" 2>"$scratch/equality.err"
  code=$?
  [[ $code == 0 ]] || fail "the forms are what TRL and datasets make of them" "$(tail -n 2 "$scratch/equality.err" | tr '\n' ' ')"
fi
if "$datasets" -c 'import pyarrow' 2>/dev/null; then
  "$datasets" -B tests/end_to_end/convert_datasets.py "$rlaif" "$scratch"
else
  skip "Parquet and Arrow are converted" "pyarrow is not there (jobs/setup.sh --datasets)"
fi
