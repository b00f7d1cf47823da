#!/usr/bin/env bash
# What ends a response is the same to every part of the program and to whoever loads what it saved: the chat template's end of
# a turn and every end that the model's two configurations name. Rows of the vocabulary without a token are never drawn.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deck=$scratch/deck.cfg
cat >"$deck" <<D
[study]
judges = rules
arms = rlaif
judge_models =
[run]
grains = 2
[task]
train_prompts = $scratch/prompts.jsonl
heldout_prompts = $scratch/prompts.jsonl
rules = $root/inputs/rules_brief.json
[judge]
min_agreement = 0
[judge.rules]
kind = rules
rules = $root/inputs/rules_brief.json
[sft]
examples = 0
register_examples = 0
[annotate]
prompts = 8
heldout_prompts = 4
completions = 3
block = 4
max_new_tokens = 12
[reward]
epochs = 1
batch = 4
[ppo]
steps = 2
prompts_per_step = 8
minibatch = 4
value_only_steps = 0
missing_end_penalty = -1
max_new_tokens = 12
learning_rate = 1e-6
[evaluate]
prompts = 4
samples = 4
block = 2
max_new_tokens = 12
resamples = 50
[arm.rlaif]
judge = rules
D
printf '{"prompt": "Say %s."}\n' one two three four >"$scratch/prompts.jsonl"

model() {  # model NAME SPEC: a folder of that name
  printf '%s\n' "$2" >"$scratch/$1.json"
  python3 tests/end_to_end/chain_model.py "$scratch/$1" "$scratch/$1.json"
}
says() {  # says NAME TEXT: the model's greedy answer is the text, ended
  rm -f "$scratch/$1.jsonl"
  "$rlaif" sft "$deck" --model.folder="$scratch/$1" --run.directory="$scratch/run-$1" &&
    "$rlaif" generate "$deck" --model.folder="$scratch/$1" --run.directory="$scratch/run-$1" --io.input="$scratch/prompts.jsonl" \
      --io.output="$scratch/$1.jsonl" --io.temperature=0 --io.max_new_tokens=12 &&
    python3 - "$scratch/$1.jsonl" "$2" <<'P'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 4 and all(l["response"] == sys.argv[2] and l["ended"] for l in lines), lines[0]
P
}

hi='"next": {"\n": "H", "H": "i", "i": "END", "END": "H"}'
both='["<|im_end|>", "<|endoftext|>"]'
model template "{${hi//END/<|im_end|>}, \"config\": {\"eos_token_id\": \"<|endoftext|>\"}}"
check "the template's end of a turn ends a response that no configuration names" says template Hi
model second "{${hi//END/<|endoftext|>}, \"config\": {\"eos_token_id\": $both}}"
check "the second end of config.json ends a response" says second Hi
model generation "{${hi//END/<|endoftext|>}, \"config\": {\"eos_token_id\": \"<|im_end|>\"}, \"generation_config\": {\"eos_token_id\": $both}}"
check "an end of generation_config.json alone ends a response" says generation Hi
model padded '{"next": {"\n": "H", "H": "i", "i": 300}, "rows": 320, "strength": 40, "config": {"eos_token_id": "<|im_end|>"}}'
never() {
  "$rlaif" sft "$deck" --model.folder="$scratch/padded" --run.directory="$scratch/run-padded" &&
    "$rlaif" generate "$deck" --model.folder="$scratch/padded" --run.directory="$scratch/run-padded" --io.input="$scratch/prompts.jsonl" \
      --io.output="$scratch/padded.jsonl" --io.temperature=0 --io.max_new_tokens=3 &&
    python3 - "$scratch/padded.jsonl" <<'P'
import json, sys
for line in open(sys.argv[1]):
    answer = json.loads(line)["response"]
    # Row 300 has by far the greatest logit after "Hi"; a token that can be decoded stands there instead.
    assert answer.startswith("Hi") and len(answer) > 2, answer
P
}
check "a row of the vocabulary without a token is never drawn" never

# --- one network, three ways to name its ends: PPO, annotation and evaluation end alike
for form in turn text list; do
  case $form in
    turn) ids='"<|im_end|>"' ;;
    text) ids='"<|endoftext|>"' ;;
    list) ids='["<|endoftext|>", "<|im_end|>"]' ;;
  esac
  model "$form" "{${hi//END/<|im_end|>}, \"strength\": 9, \"config\": {\"eos_token_id\": $ids}}"
done
for form in turn text list; do
  check "a study with $form as the configured end" ranks 2 study "$deck" --model.folder="$scratch/$form" --run.directory="$scratch/study-$form"
done
check "PPO ends as often as evaluation, whichever end is configured" python3 - "$scratch" <<'P'
import json, pathlib, sys
shares = {}
for form in ("turn", "text", "list"):
    run = pathlib.Path(sys.argv[1], "study-" + form)
    steps = [json.loads(line)["ended"] for line in open(run / "metrics/ppo-rlaif.jsonl")]
    samples = [s["ended"] for line in open(run / "evaluation/sft.jsonl") for s in json.loads(line)["samples"]]
    shares[form] = (sum(steps) / len(steps), sum(samples) / len(samples))
    assert all(share > 0.7 for share in shares[form]), shares
assert shares["turn"] == shares["text"] == shares["list"], shares
P

# --- the network ends by another token than the one that the template writes
model other "{${hi//END/<|endoftext|>}, \"otherwise\": \"<|endoftext|>\", \"strength\": 9, \"config\": {\"eos_token_id\": $both}}"
check "a study of a network that ends by its second end" ranks 2 study "$deck" --model.folder="$scratch/other" --run.directory="$scratch/study-other"
check "PPO takes the end that was drawn as the last action" python3 - "$scratch/study-other" <<'P'
import json, sys
steps = [json.loads(line) for line in open(sys.argv[1] + "/metrics/ppo-rlaif.jsonl")]
assert all(step["ended"] > 0.7 for step in steps), steps
# Before the first update the policy is the one that drew: its ratio differs from 1 by rounding alone.
assert steps[0]["ratio_max_deviation"] < 1e-3, steps[0]
P

# --- what is saved
check "saved files name the ends that generation stops at, the turn's first" python3 - "$scratch" <<'P'
import json, pathlib, sys
for form, ends in (("turn", 258), ("text", [258, 256]), ("list", [258, 256])):
    for name in ("rlaif",):
        folder = pathlib.Path(sys.argv[1], "study-" + form, "models", name)
        read = lambda file: json.loads((folder / file).read_text())
        assert read("config.json")["eos_token_id"] == ends, (form, read("config.json"))
        assert read("generation_config.json")["eos_token_id"] == ends, (form, read("generation_config.json"))
        tokenizer = read("tokenizer_config.json")
        assert tokenizer["eos_token"] == "<|im_end|>" and tokenizer["pad_token"] == "<|endoftext|>", tokenizer
        assert (folder / "chat_template.jinja").exists()
P
again() {
  rm -rf "$scratch/twice" && cp -r "$scratch/study-list/models/rlaif" "$scratch/twice" && says twice Hi
}
check "a saved policy that is loaded again ends where it did" again
