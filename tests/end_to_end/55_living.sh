#!/usr/bin/env bash
# Living with runs: how far one is, while it goes on and after it was killed; two beside each other; what a model says of itself; talking
# to models; what progress looks like on a terminal and in a log.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/living.cfg
on() { printf -- '--run.directory=%s' "$scratch/$1"; }
# state RUN: the run's state, and that of its stages
state() { "$rlaif" status "$1" --json | python3 -c 'import json, sys
status = json.load(sys.stdin)
print(status["state"], *(stage["stage"] + "=" + stage["state"] for stage in status["stages"]))'; }

# --- a run under way, killed, gone on with, done ----------------------------------------------------
expect_error 'the status of what is no run' 3 'has no run.json; a run directory was expected' status "$scratch"
"$rlaif" study "$deck" "$(on a)" >"$scratch/a.log" 2>&1 &
run=$!
seen=
for _ in {1..600}; do
  seen=$(state "$scratch/a" 2>/dev/null)
  [[ $seen == *sft=done*=running* ]] && break
  kill -0 "$run" 2>/dev/null || break
  sleep 0.05
done
if [[ $seen == 'running tokenizer=done sft=done '*=running* ]]; then pass 'a run under way: what is done, and what is running'; else
  fail 'a run under way: what is done, and what is running' "$seen; $(tail -n 2 "$scratch/a.log" | tr '\n' ' ')"
fi
listing() { find "$scratch/$1" -printf '%p %s %T@\n' | sort; }
kill -KILL "$run"
wait "$run" 2>/dev/null
before=$(listing a)
seen=$(state "$scratch/a")
if [[ $seen == 'stopped tokenizer=done sft=done '*=stopped* ]]; then pass 'a run that was killed is stopped'; else fail 'a run that was killed is stopped' "$seen"; fi
"$rlaif" status "$scratch/a" >"$scratch/said"
check 'and what to do is said' grep -q 'a: living, stopped; the same command goes on with it' "$scratch/said"
if [[ $before == "$(listing a)" ]]; then pass 'looking changes nothing'; else fail 'looking changes nothing' "$(diff <(echo "$before") <(listing a) | head -3 | tr '\n' ' ')"; fi
check 'it goes on' "$rlaif" study "$deck" "$(on a)"
seen=$(state "$scratch/a")
if [[ $seen == 'done '* && $seen != *=waiting* && $seen != *=stopped* ]]; then pass 'a run that is done'; else fail 'a run that is done' "$seen"; fi
check 'and its starts are counted' bash -c "'$rlaif' status '$scratch/a' | grep -q 'stages done in .*; 2 starts'"

# --- two runs beside each other -----------------------------------------------------------------------
check 'a second run' "$rlaif" study "$deck" "$(on b)" --dpo.beta=2 --run.checkpoint_every_steps=7
expect_error 'a difference to nothing' 2 'a second run directory was expected' diff "$scratch/a"
"$rlaif" diff "$scratch/a" "$scratch/b" --json >"$scratch/diff.json"
"$rlaif" diff "$scratch/a" "$scratch/b" >"$scratch/diff.txt"
check 'keys and results that differ, worked out once more' python3 - "$scratch" <<'P'
import json, math, sys
scratch = sys.argv[1]
diff = json.load(open(f"{scratch}/diff.json"))
assert [(row["key"], row["first"], row["second"]) for row in diff["keys"]] == [("dpo.beta", "0.1", "2")], diff["keys"]
assert {row["key"] for row in diff["other_settings"]} == {"run.checkpoint_every_steps", "run.directory"}, diff["other_settings"]
rows = {(row["policy"], row["number"]): row for row in diff["results"]}
def mean(run, policy, name):
    values = [float(sample[name]) for line in open(f"{scratch}/{run}/evaluation/{policy}.jsonl")
              for sample in json.loads(line)["samples"] if name in sample]
    return sum(values) / len(values)
for policy in ("sft", "tuned"):
    for name, key in (("utility", "utility"), ("length", "tokens"), ("kl", "kl"), ("clear", "clear")):
        row = rows[policy, name]
        assert row["paired"], row
        assert math.isclose(row["first"]["value"], mean("a", policy, key), abs_tol=1e-9), row
        assert math.isclose(row["difference"]["value"], mean("b", policy, key) - mean("a", policy, key), abs_tol=1e-9), row
        assert row["told_apart"] == (not row["difference"]["low"] <= 0 <= row["difference"]["high"]), row
        assert policy == "tuned" or (row["difference"]["low"], row["difference"]["high"], row["told_apart"]) == (0, 0, False), row
assert rows["sft", "win_rate"]["second"]["value"] == 0.5 and not rows["sft", "win_rate"]["told_apart"]
assert rows["tuned", "kl"]["told_apart"] and rows["tuned", "kl"]["difference"]["value"] < 0, rows["tuned", "kl"]
P
check 'and said' bash -c "grep -q '^  dpo.beta: 0.1 -> 2$' '$scratch/diff.txt' && grep -q '^tuned  *kl .* told apart$' '$scratch/diff.txt' && grep -q '^sft  *utility .* not told apart$' '$scratch/diff.txt'"
cp -r "$scratch/a" "$scratch/c"
sed -i '1d' "$scratch/c/evaluation/tuned.jsonl"
check 'other held-out prompts are not paired' bash -c "'$rlaif' diff '$scratch/a' '$scratch/c' | grep -q '^tuned  *length .* not told apart, not the same prompts'"

# --- what a model says of itself --------------------------------------------------------------------
card=$scratch/a/models/tuned/README.md
check 'a model card has data, judge, method and figures' bash -c "for line in '^- dpo$' '^| method | dpo: direct preference' '^| judge | .people., annotators' '^| labels | ' '^| licence of the base | none |' '^| utility | ' '^beta = 0.1$'; do grep -q \"\$line\" '$card' || { echo \"no line \$line\"; exit 1; }; done"
cp "$card" "$scratch/card"
check 'nothing is run again because of it' bash -c "'$rlaif' study '$deck' '$(on a)' 2>&1 | tee '$scratch/again' | grep -q 'evaluate: done before' && ! grep -q 'damaged\|run again' '$scratch/again' && cmp '$card' '$scratch/card'"

# --- talking to models ------------------------------------------------------------------------------
models=$scratch/a/models
printf '{"prompt": "What is 2 plus 3?"}\n' >"$scratch/prompts.jsonl"
"$rlaif" generate "$deck" "$(on a)" --io.model=tuned --io.input="$scratch/prompts.jsonl" --io.output="$scratch/answers.jsonl" --io.temperature=0 --io.max_new_tokens=12 >/dev/null 2>&1
check 'a model answers what is piped in, as rlaif generate has it' bash -c "printf 'What is 2 plus 3?\n\nWhat is 2 plus 3?\n' | '$rlaif' chat '$models/tuned' --temperature 0 --tokens 12 >'$scratch/said' && python3 - '$scratch' <<'P'
import json, sys
scratch = sys.argv[1]
wanted, said = json.loads(open(scratch + '/answers.jsonl').readline()), open(scratch + '/said').read()
answer = wanted['response'] + ('' if wanted['ended'] else ' [...]') + '\n'
assert said == answer + '(a new conversation)\n' + answer, (said, answer)
P"
printf 'What is 2 plus 3?\na\n\nWhat is the capital of France?\nb\n\nHello\nt\n\nHello\ns\n' >"$scratch/turns"
check 'two models, blind, with votes' bash -c "'$rlaif' chat '$models/sft' '$models/tuned' --votes '$scratch/votes.jsonl' --tokens 8 <'$scratch/turns' >'$scratch/said' && grep -q '^3 votes, 1 skipped$' '$scratch/said' && grep -q '  ties: 1' '$scratch/said'"
check 'votes are labelled pairs that name who wrote what' python3 - "$scratch" <<'P'
import json, re, sys
scratch = sys.argv[1]
votes = [json.loads(line) for line in open(f"{scratch}/votes.jsonl")]
assert [vote["label"] for vote in votes] == ["a", "b", "tie"], votes
assert all({vote["model_a"], vote["model_b"]} == {f"{scratch}/a/models/sft", f"{scratch}/a/models/tuned"} for vote in votes)
wins = {}
for vote in votes[:2]:
    wins[vote["model_" + vote["label"]]] = wins.get(vote["model_" + vote["label"]], 0) + 1
said = open(f"{scratch}/said").read()
assert "A: " in said and votes[0]["response_a"] in said and votes[1]["response_b"] in said
told = {model: int(count) for model, count in re.findall(r"^  (\S+): preferred (\d) times$", said, re.MULTILINE)}
assert {model: count for model, count in told.items() if count} == wins, (told, wins)
P
check 'and are read as records' bash -c "'$rlaif' convert '$scratch/votes.jsonl' '$scratch/pairs.jsonl' --to preference >'$scratch/said' || '$rlaif' convert '$scratch/votes.jsonl' '$scratch/pairs.jsonl' --to pairs >'$scratch/said'; grep -q 'pairs.jsonl: [23] ' '$scratch/said'"
expect_error 'a run directory is no model' 2 'is a run directory; one of its models/ was expected: .*tuned' chat "$scratch/a"
expect_error 'a folder without a model' 3 'holds no model; a folder with config.json or adapter_config.json was expected' chat "$scratch"
expect_error 'a vote of one model' 2 'a second folder was expected' chat "$models/tuned" --votes "$scratch/v.jsonl"
check 'a line that is no vote is refused in a pipe' bash -c "printf 'Hello\nmaybe\n' | '$rlaif' chat '$models/sft' '$models/tuned' --tokens 4 >/dev/null 2>'$scratch/said'; [[ \$? == 2 ]] && grep -q \"^rlaif: rlaif chat: 'maybe' stands where a vote was expected\" '$scratch/said'"

# --- progress ---------------------------------------------------------------------------------------
check 'one live line a stage on a terminal, plain lines elsewhere' python3 tests/end_to_end/live_progress.py "$rlaif" "$deck" "$scratch/t" "$scratch/u"
