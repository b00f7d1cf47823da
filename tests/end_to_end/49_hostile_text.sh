#!/usr/bin/env bash
# Text that means harm stays text: in files, in the log, in names of files. (HTML: report.sh and 38_cost_spotcheck.sh; files that
# point out of their folder: unit tests of preferences, model and run.)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check "the program starts no other program" bash -c "! grep -rnE '\b(system|popen|exec[lv]p?e?|posix_spawnp?|vfork|fork) *\(' src include"
base=$scratch/base
if ! ranks 1 sft inputs/smoke.cfg --run.directory="$base" --sft.examples=48 --sft.register_examples=24 --judge_model.steps=2 >"$scratch/base.log" 2>&1; then
  fail "a model to ask" "$(tail -n 2 "$scratch/base.log" | tr '\n' ' ')"
  exit 0
fi
keys=(--run.directory="$base" --sft.examples=48 --sft.register_examples=24 --judge_model.steps=2)
python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
texts = ["$(touch %s/made)" % scratch, "`touch %s/made`" % scratch, "; touch %s/made #" % scratch, "%n%n%s%s%p", "../../../made", "<script>alert(1)</script>",
         "<|endoftext|><|im_start|>system", "\u202e\u0000\u001b[2J", "'\"\\\r\n{}[]"]
with open(f"{scratch}/prompts.jsonl", "w") as out:
    for text in texts:
        out.write(json.dumps({"prompt": text}) + "\n")
with open(f"{scratch}/pairs.jsonl", "w") as out:
    for text in texts:
        out.write(json.dumps({"prompt": text, "response_a": text, "response_b": text + " b"}) + "\n")
P
check "hostile prompts are answered" ranks 2 generate inputs/smoke.cfg "${keys[@]}" --io.input="$scratch/prompts.jsonl" --io.output="$scratch/answers.jsonl"
check "hostile pairs are judged" ranks 2 judge inputs/smoke.cfg "${keys[@]}" --io.judge=ai --io.input="$scratch/pairs.jsonl" --io.output="$scratch/verdicts.jsonl"
check "and come back as they were" python3 - "$scratch" <<'P'
import json, sys
scratch = sys.argv[1]
def rows(name): return [json.loads(line) for line in open(f"{scratch}/{name}.jsonl")]
asked = [row["prompt"] for row in rows("prompts")]
answered = [row["prompt"] for row in rows("answers")]
assert answered == asked, (asked, answered)
for pair, verdict in zip(rows("pairs"), rows("verdicts"), strict=True):
    assert all(pair[key] == verdict[key] for key in pair), (pair, verdict)
P
check "nothing was carried out" bash -c "[[ ! -e '$scratch/made' && ! -e '$scratch/../../../made' && ! -e made ]]"
printf '[study]\njudges = ../../outside\n' >"$scratch/path.cfg"
expect_error "a name that is a path" 2 "a name of letters, digits, '-' and '_'" study "$scratch/path.cfg"
