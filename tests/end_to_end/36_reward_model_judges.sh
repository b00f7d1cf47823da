#!/usr/bin/env bash
# Reward models that somebody else has trained, as judges: the scores of transformers, the same bytes on any number of ranks,
# temperatures by calibration, such a judge as member of others and as a reward; judge models that learn from people's labels;
# folders and decks that cannot be, refused by name before anything starts.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
fixture=$root/tests/fixtures/reward_model

# --- one judge on pairs --------------------------------------------------------------------------
python3 - "$fixture/expected.json" "$scratch" <<'P'
# The fixture's answers against each other, and one that fits no context of 128 tokens.
import json, sys
talks = json.load(open(sys.argv[1]))["talks"]
pairs, known = [], []
for i in range(0, len(talks), 2):
    first, second = talks[i], talks[i + 1]
    prompt = first["messages"][:-1]
    assert prompt == second["messages"][:-1]
    texts = [talk["messages"][-1]["content"] for talk in (first, second)]
    scores = [talk["as_saved"]["score"] for talk in (first, second)]
    for a, b in ((0, 1), (1, 0)):
        pairs.append({"prompt": prompt[0]["content"] if len(prompt) == 1 else prompt, "response_a": texts[a], "response_b": texts[b]})
        known.append(scores[a] - scores[b])
pairs.append({"prompt": "What is the capital of France?", "response_a": "Paris.", "response_b": "Paris, " * 60})
known.append(None)
with open(sys.argv[2] + "/pairs.jsonl", "w") as file:
    file.writelines(json.dumps(pair) + "\n" for pair in pairs)
with open(sys.argv[2] + "/labelled.jsonl", "w") as file:
    for pair, difference in zip(pairs[:-1], known):
        if isinstance(pair["prompt"], str):
            file.write(json.dumps(pair | {"label": "a" if difference > 0 else "b"}) + "\n")
            file.write(json.dumps(pair | {"label": "tie"}) + "\n")
json.dump(known, open(sys.argv[2] + "/known.json", "w"))
P
deck=$scratch/judge.cfg
cat >"$deck" <<P
[study]
judges = rm
arms =
judge_models =
[judge.rm]
kind = reward_model
folder = $fixture
price = local-judge
P
judged() { ranks "$1" judge "$deck" --run.directory="$scratch/run" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/$2.jsonl" "${@:3}"; }
for count in 1 2 3; do check "a reward model judges pairs on $count rank(s)" judged "$count" "said.$count"; done
for count in 2 3; do check "with the same bytes on 1 and $count ranks" cmp "$scratch/said.1.jsonl" "$scratch/said.$count.jsonl"; done
check "at another temperature too" judged 1 cool --judge.rm.temperature=4
preferences() {
  python3 - "$scratch" <<'P'
import json, math, sys
known = json.load(open(sys.argv[1] + "/known.json"))
for name, temperature in (("said.1", 1.0), ("cool", 4.0)):
    rows = [json.loads(line) for line in open(f"{sys.argv[1]}/{name}.jsonl")]
    assert len(rows) == len(known) == 7
    for row, difference in zip(rows, known):
        if difference is None:
            assert row["status"] == "truncated" and row["p_a"] is None and row["cost_usd"] == 0, row
            continue
        assert row["status"] == "ok" and row["p_a_by_order"] == [row["p_a"]] * 2, row
        assert math.isclose(row["p_a"], 1 / (1 + math.exp(-difference / temperature)), abs_tol=1e-5), (row, difference)
P
}
check "P(first) is the sigmoid of the difference of the scores that transformers computes" preferences

# --- its temperature by calibration --------------------------------------------------------------
check "calibration finds its temperature" ranks 2 calibrate "$deck" --run.directory="$scratch/run" --calibrate.pairs="$scratch/labelled.jsonl" \
  --calibrate.output="$scratch/fitted" --calibrate.resamples=50 --calibrate.folds=0
check "which the judge then goes by" judged 1 fitted --judge.rm.calibration="$scratch/fitted/fitted.json"
check "and calibrating once more finds the same" ranks 1 calibrate "$deck" --run.directory="$scratch/run" --calibrate.pairs="$scratch/labelled.jsonl" \
  --calibrate.output="$scratch/again" --calibrate.resamples=50 --calibrate.folds=0 --judge.rm.calibration="$scratch/fitted/fitted.json"
temperature() {
  cmp "$scratch/fitted/fitted.json" "$scratch/again/fitted.json" && python3 - "$scratch" <<'P'
import json, math, sys
fitted = json.load(open(sys.argv[1] + "/fitted/fitted.json"))["judges"]["rm"]["temperature"]
assert fitted > 1.01, fitted  # half of the labels are ties
known = json.load(open(sys.argv[1] + "/known.json"))
for line, difference in zip(open(sys.argv[1] + "/fitted.jsonl"), known):
    p = json.loads(line)["p_a"]
    assert (p is None) == (difference is None)
    if p is not None: assert math.isclose(math.log(p / (1 - p)) * fitted, difference, rel_tol=1e-3, abs_tol=1e-4), (p, difference, fitted)
P
}
check "it divides the difference of the scores" temperature

# --- in a study: member of an ensemble, reward, data --------------------------------------------------
study=tests/decks/reward_judge.cfg
for count in 1 2 3; do
  ranks "$count" study "$study" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "a reward model as judge and reward on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "a reward model as judge and reward ends in the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done
facts() {
  python3 - "$scratch/1" <<'P'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
results = json.loads((run / "report/results.json").read_text())
rows = lambda stage: [json.loads(line) for line in (run / f"metrics/{stage}.jsonl").read_text().splitlines()]
for stage, most in (("grpo-scored", 15), ("reinforce-once", 6), ("online_dpo-online", 10), ("ppo-classic", 24)):
    assert all(0 < row["labels"] <= most for row in rows(stage)), (stage, rows(stage))
picked = [json.loads(line) for block in sorted((run / "data/picked").glob("block-*.jsonl")) for line in block.read_text().splitlines()]
assert 0 < len(picked) <= 12 and all("score" in line for line in picked), picked[:2]
rm = results["judges"]["rm"]
assert rm["same_position_rate"] == 0 and rm["statuses"]["ok"] > 0 and "expected_calibration_error" in rm, rm
panel = results["judges"]["panel"]
assert panel["asked"]["rm"] == panel["asked"]["brief"] > 0 and "rm" in json.dumps(panel["members"]), panel
P
}
check "responses are scored one by one and counted; no position wins" facts
own_reward() {
  # A reward model of this program, by its folder and as one of the run, gives the same verdicts.
  local run=$scratch/smoke command
  cat >"$scratch/own.cfg" <<P
include = $root/inputs/smoke.cfg
[study]
judges = ai
members = rm
arms = rlaif
[reward]
lora_rank = $1
[judge.rm]
kind = reward_model
model = reward-ai
price = local-judge
P
  rm -rf "$run"
  for command in sft annotate reward; do
    ranks 2 "$command" "$scratch/own.cfg" --run.directory="$run" >"$scratch/log" 2>&1 || return 1
  done
  ranks 1 judge "$scratch/own.cfg" --io.judge=rm --run.directory="$run" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/own.jsonl" &&
    ranks 2 judge "$deck" --judge.rm.folder="$run/models/reward-ai" --run.directory="$scratch/other" --io.input="$scratch/pairs.jsonl" \
      --io.output="$scratch/others.jsonl" && cmp "$scratch/own.jsonl" "$scratch/others.jsonl" && grep -q '"ok"' "$scratch/own.jsonl"
}
check "a reward model of a run judges, there and elsewhere" own_reward 0
check "also one that is an adapter" own_reward 4
canaries() {
  ranks 1 judge "$deck" --judge.canary_rate=0.5 --run.directory="$scratch/run" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/mixed.jsonl" >"$scratch/log" 2>&1 &&
    cmp "$scratch/mixed.jsonl" "$scratch/said.1.jsonl" && grep -qi canar "$scratch/log"
}
check "canaries are mixed in and change no verdict" canaries
bill() {
  "$rlaif" study "$study" --dry-run --run.directory="$scratch/none" >"$scratch/plan" &&
    [[ $(sed -n '/^#   annotate  /,/^#   reward  /p' "$scratch/plan" | grep -c '^#     judge rm: weights') == 1 ]] && grep -q '^#     judge rm: activations' "$scratch/plan" &&
    grep -q '^# judge rm, scored: up to 45 labels' "$scratch/plan" && grep -q '^# judge rm, online: up to 30 labels' "$scratch/plan"
}
check "a dry run counts its memory and what it is asked" bill

# --- a judge model that learns from people ---------------------------------------------------------
python3 - "$scratch" <<'P'
# Sums, right or wrong by one, labelled by three people each of whom errs once in ten; other sums are held out.
import json, random, sys
r = random.Random(5)
for name, sums in (("people", [(a, b) for a in range(1, 9) for b in range(1, 9) if (a + b) % 4]), ("heldout", [(a, b) for a in range(1, 9) for b in range(1, 9) if not (a + b) % 4])):
    with open(f"{sys.argv[1]}/{name}.jsonl", "w") as file:
        for a, b in sums:
            right, wrong = f"{a} plus {b} is {a + b}.", "I will not say."
            first = r.random() < 0.5
            truth = "a" if first else "b"
            votes = [truth if r.random() < 0.9 else "ab"[truth == "a"] for _ in range(3)]
            label = max("ab", key=votes.count)
            file.write(json.dumps({"prompt": f"What is {a} plus {b}?", "response_a": right if first else wrong, "response_b": wrong if first else right,
                                   "label": label, "annotators": votes}) + "\n")
P
people=$scratch/people.cfg
cat >"$people" <<P
include = $root/inputs/smoke.cfg
[study]
judges = ai
arms =
[judge_model]
pairs = people.jsonl
principles = $root/inputs/principles.txt
context_weight = 0
steps = 60
P
for count in 1 2 3; do
  check "a judge model learns from people's labels on $count rank(s)" ranks "$count" sft "$people" --run.directory="$scratch/people.$count"
done
for count in 2 3; do
  check "with the same bytes on 1 and $count ranks" diff -r "$scratch/people.1/models/judge" "$scratch/people.$count/models/judge"
done
check "and agrees with people on pairs that it has not seen" ranks 1 calibrate "$people" --run.directory="$scratch/people.1" \
  --calibrate.pairs="$scratch/heldout.jsonl" --calibrate.output="$scratch/heldout" --calibrate.folds=0 --calibrate.resamples=100
cat "$scratch/out"
learned() {
  python3 - "$scratch" <<'P'
import json, sys
marker = json.load(open(sys.argv[1] + "/people.1/stages/judge-model.json"))
facts = marker.get("facts", marker)
assert facts["pairs"] == 48 and facts["pairs_too_long"] == 0 and 0 < facts["soft_labels"] < 48, facts
agreement = json.load(open(sys.argv[1] + "/heldout/calibration.json"))["judges"]["ai"]["agreement"]
assert agreement["value"] > 0.8, agreement
P
}
check "whose votes it has read" learned

if [[ -f $shared/data/pairs/pandalm.jsonl ]]; then
  python3 - "$shared/data/pairs/pandalm.jsonl" "$scratch" <<'P'
# Short pairs of PandaLM, a fifth of the prompts held out.
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
rows = [row for row in rows if len(row["prompt"] + row["response_a"] + row["response_b"]) < 600]
prompts = list(dict.fromkeys(row["prompt"] for row in rows))
heldout = set(prompts[::5])
for name, kept in (("panda.train", False), ("panda.heldout", True)):
    with open(f"{sys.argv[2]}/{name}.jsonl", "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows if (row["prompt"] in heldout) == kept)
P
  panda() {
    ranks 2 sft "$people" --run.directory="$scratch/panda" --judge_model.pairs="$scratch/panda.train.jsonl" --judge_network.max_positions=768 &&
      ranks 2 calibrate "$people" --run.directory="$scratch/panda" --judge_model.pairs="$scratch/panda.train.jsonl" --judge_network.max_positions=768 \
        --calibrate.pairs="$scratch/panda.heldout.jsonl" --calibrate.output="$scratch/panda.fit" --calibrate.folds=0 --calibrate.resamples=200
  }
  check "a small judge learns from PandaLM's people and is held against others of their labels" panda
  cat "$scratch/out"
else
  skip "a judge model of recorded labels" "no $shared/data/pairs/pandalm.jsonl"
fi

# --- what cannot be ----------------------------------------------------------------------------------
spoil() {
  rm -rf "${scratch:?}/$1"
  cp -r "$fixture" "$scratch/$1"
}
python3 - "$fixture" "$scratch" <<'P'
# Folders with a score of two outputs, with none, with a bias.
import json, pathlib, shutil, struct, sys
fixture, scratch = map(pathlib.Path, sys.argv[1:])
raw = (fixture / "model.safetensors").read_bytes()
size, = struct.unpack("<Q", raw[:8])
header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
def write(name, change):
    folder = scratch / name
    shutil.copytree(fixture, folder)
    tensors = {k: (v, data[slice(*v["data_offsets"])]) for k, v in header.items() if k != "__metadata__"}
    change(tensors)
    at, written = 0, {}
    for key, (entry, bytes_) in tensors.items():
        written[key] = entry | {"data_offsets": [at, at + len(bytes_)]}
        at += len(bytes_)
    text = json.dumps(written).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(b for _, b in tensors.values()))
score = "score.weight"
write("two", lambda t: t.update({score: (t[score][0] | {"shape": [2, 16]}, t[score][1] * 2)}))
write("headless", lambda t: t.pop(score))
write("biased", lambda t: t.update({"score.bias": ({"dtype": "F32", "shape": [1]}, b"\0" * 4)}))
P
spoil causal && sed -i 's/LlamaForSequenceClassification/LlamaForCausalLM/' "$scratch/causal/config.json"
spoil mute && rm "$scratch/mute/tokenizer.json"
spoil plain && rm "$scratch/plain/chat_template.jinja"
bad() { expect_error "$1" 3 "$2" judge "$deck" --run.directory="$scratch/bad" --io.input="$scratch/pairs.jsonl" --io.output="$scratch/bad.jsonl" "${@:3}"; }
bad "a classifier of two labels" 'score.weight": has 2 outputs; a reward model has one' --judge.rm.folder="$scratch/two"
bad "a folder without a score head" 'holds no score head' --judge.rm.folder="$scratch/headless"
bad "a score with a bias" 'score.bias": .*no bias was expected' --judge.rm.folder="$scratch/biased"
bad "a causal model" 'expected LlamaForSequenceClassification, found' --judge.rm.folder="$scratch/causal"
bad "a reward model without a tokenizer" 'mute/tokenizer.json: no such file' --judge.rm.folder="$scratch/mute"
bad "a reward model without a chat template" 'has no chat template.*judge.rm.chat_format' --judge.rm.folder="$scratch/plain"
expect_error "a folder that is not there" 2 'judge.rm.folder: no such file or folder' judge "$deck" --judge.rm.folder="$scratch/nowhere"
expect_error "a folder and a model" 2 "judge.rm.model: nothing was expected beside judge.rm.folder, found 'reward-ai'" judge "$deck" --judge.rm.model=reward-ai
expect_error "neither" 2 'judge.rm.folder: the folder of a reward model was expected' judge "$deck" --judge.rm.folder=
expect_error "a temperature below 0" 2 'judge.rm.temperature' judge "$deck" --judge.rm.temperature=-1
expect_error "a reward by a judge that scores no response" 2 "grpo.reward = judge_score: judge 'ai' of arm 'scored' compares responses" \
  study "$study" --arm.scored.judge=ai --run.directory="$scratch/bad"
expect_error "a judge that learns from people by reasons" 2 "judge_model.verdict_first_template: .* asks for reasons first" \
  sft "$people" --judge_model.verdict_first_template="$root/inputs/judge_rationale_first.txt" --run.directory="$scratch/bad"
expect_error "a place for principles and none" 2 'judge_model.principles: a file of principles was expected' sft "$people" --judge_model.principles= --run.directory="$scratch/bad"
expect_error "principles without pairs" 2 'judge_model.principles: nothing was expected without judge_model.pairs' sft "$people" --judge_model.pairs= --run.directory="$scratch/bad"
expect_error "a reward model of a later stage" 2 "judge.rm.model: stage annotate asks this judge, but no stage before it makes 'reward-ai'" \
  study "$scratch/own.cfg" --study.judges="ai rm" --study.members= --run.directory="$scratch/bad"
printf '{"prompt": "?", "response_a": "x", "response_b": "y", "label": "c"}\n' >"$scratch/wrong.jsonl"
expect_error "a label that is none" 3 'wrong.jsonl:1: key .label. is ".*"; expected "a", "b" or "tie"' sft "$people" --judge_model.pairs="$scratch/wrong.jsonl" --run.directory="$scratch/bad"
python3 -c "import json; print(json.dumps({'prompt': '?' * 3000, 'response_a': 'x', 'response_b': 'y', 'label': 'a'}))" >"$scratch/long.jsonl"
expect_error "pairs that fit no context" 3 'long.jsonl: holds no pair that fits' sft "$people" --judge_model.pairs="$scratch/long.jsonl" --run.directory="$scratch/bad2"
