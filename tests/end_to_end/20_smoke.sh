#!/usr/bin/env bash
# The smoke study: the same bytes twice, on 1, 2 and 3 ranks, and everything a run is to leave behind.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

study() {  # study RANKS DIRECTORY
  ranks "$1" study inputs/smoke.cfg --run.directory="$scratch/$2"
}

check "smoke study on 2 ranks" study 2 two
check "smoke study on 2 ranks again" study 2 two-again
check "smoke study on 1 rank" study 1 one
check "smoke study on 3 ranks" study 3 three
check "two runs are the same bytes" same_results "$scratch/two" "$scratch/two-again"
check "1 and 2 ranks give the same bytes" same_results "$scratch/one" "$scratch/two"
check "3 and 2 ranks give the same bytes" same_results "$scratch/three" "$scratch/two"
check "a finished study runs nothing again" bash -c \
  "source tests/end_to_end/lib.sh; ranks 1 study inputs/smoke.cfg --run.directory='$scratch/one' 2>&1 | grep -c 'done before' | grep -qx 9"

check "results.json has the promised keys" python3 - "$scratch/two/report/results.json" <<'P'
import json, sys
r = json.load(open(sys.argv[1]))
for arm in ("rlaif", "rlhf"):
    for key in "win_rate_vs_sft ci_low ci_high helpful harmless honest clear kl cost_usd labels wall_seconds".split():
        assert isinstance(r["arms"][arm][key], (int, float)), (arm, key)
    assert isinstance(r["reward_model"][arm]["gold_accuracy"], float)
for key in "helpful harmless honest clear".split():
    assert isinstance(r["arms"]["sft"][key], float), key
for key in "win_rate ci_low ci_high".split():
    assert isinstance(r["head_to_head"]["rlaif_vs_rlhf"][key], float), key
for key in "gold_agreement annotator_agreement same_position_rate".split():
    assert isinstance(r["judge"][key], float), key
P
check "run.json holds no secrets and the deck" python3 - "$scratch/two/run.json" <<'P'
import json, sys
run = json.load(open(sys.argv[1]))
assert run["deck"]["ppo.steps"] == "8" and run["deck_hash"], run
P

check "the report is one self-contained page" bash -c \
  "python3 analysis/report.py '$scratch/two' && test -s '$scratch/two/report/report.html' && ! grep -Eq '(src|href)=\"https?:' '$scratch/two/report/report.html'"
check "dry run prints deck, stages and size" bash -c \
  "'$rlaif' study inputs/smoke.cfg --dry-run | grep -q 'reward-people' && ! test -e runs/smoke-dry"

check "each stage alone gives what the study gives" bash -c "
  source tests/end_to_end/lib.sh
  for stage in sft annotate reward ppo evaluate; do
    ranks 2 \$stage inputs/smoke.cfg --run.directory='$scratch/stages' || exit 1
  done
  same_results '$scratch/stages' '$scratch/two'"

store=$scratch/two/preferences/ai
check "preferences validate passes on a whole store" "$rlaif" preferences validate "$store"
check "preferences show" "$rlaif" preferences show "$store"
check "export, import and export again give the same file" bash -c "
  '$rlaif' preferences export '$store' '$scratch/full.jsonl' --form=full &&
  '$rlaif' preferences import '$scratch/full.jsonl' '$scratch/imported' &&
  '$rlaif' preferences export '$scratch/imported' '$scratch/again.jsonl' --form=full &&
  cmp '$scratch/full.jsonl' '$scratch/again.jsonl'"
check "the trl form has prompt, chosen and rejected" bash -c "
  '$rlaif' preferences export '$store' '$scratch/trl.jsonl' &&
  python3 -c \"import json,sys; rows=[json.loads(l) for l in open('$scratch/trl.jsonl')]; assert rows and all(set(r)=={'prompt','chosen','rejected'} for r in rows)\""
if .venv-tests/bin/python -c 'import h5py' 2>/dev/null; then
  check "h5py reads a shard by its attributes" .venv-tests/bin/python tests/end_to_end/read_shard.py "$store" "$scratch/full.jsonl"
else
  skip "h5py reads a shard by its attributes" "h5py is not installed in .venv-tests"
fi

printf '{"prompt": "Where does Carl live?"}\n{"prompt": "What is 2 plus 3?", "id": 7}\n' >"$scratch/prompts.jsonl"
generate() {  # generate RANKS OUTPUT
  ranks "$1" generate inputs/smoke.cfg --run.directory="$scratch/two" --io.input="$scratch/prompts.jsonl" \
    --io.output="$scratch/$2" --io.samples=3 --io.model=rlaif
}
check "generate on 1 and 2 ranks gives the same lines" bash -c "
  $(declare -f generate ranks run_ranks processors); rlaif='$rlaif' scratch='$scratch'
  generate 1 a.jsonl && generate 2 b.jsonl && cmp '$scratch/a.jsonl' '$scratch/b.jsonl' && [[ \$(wc -l <'$scratch/a.jsonl') == 6 ]]"
printf '{"prompt": "What is 2 plus 3?", "response_a": "2 plus 3 is 5.", "response_b": "2 plus 3 is 6."}\n' >"$scratch/pairs.jsonl"
check "judge writes a verdict for a pair" bash -c "
  '$rlaif' judge inputs/smoke.cfg --run.directory='$scratch/two' --io.input='$scratch/pairs.jsonl' --io.output='$scratch/verdicts.jsonl' &&
  python3 -c \"import json; v=json.loads(open('$scratch/verdicts.jsonl').read()); assert v['status']=='ok' and 0<=v['p_a']<=1\""
