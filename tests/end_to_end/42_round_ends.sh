#!/usr/bin/env bash
# Rounds that end: a judge that was not trained along decides after each whether another one follows; what is not run is said and
# nowhere counted; the same bytes on any number of ranks and after kills; a policy that collapses; decks that cannot be.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deck=tests/decks/round_ends.cfg

for count in 1 2 3; do
  ranks "$count" study "$deck" --run.directory="$scratch/$count" >"$scratch/$count.log" 2>&1 ||
    fail "rounds that end on $count rank(s)" "$(tail -n 2 "$scratch/$count.log" | tr '\n' ' ')"
done
for count in 2 3; do
  check "rounds end in the same bytes on 1 and $count ranks" same_results "$scratch/1" "$scratch/$count"
done
facts() {
  python3 - "$scratch" <<'P'
import json, pathlib, sys
scratch = pathlib.Path(sys.argv[1])
run = scratch / "1"
results = json.loads((run / "report/results.json").read_text())
first, second = results["round_ends"]
# The first round learns what its stranger also likes; the second one learns from a judge that knows nothing.
assert first["outcome"] == "gained" and first["wins"]["value_low"] > 0.5 and first["ends"] is False, first
assert first["kept"] == "one" and first["not_run"] == [] and "value" in first["known_wins"], first
assert second["ends"] is True and second["kept"] == "one" and second["not_run"] == ["three"], second
assert second["outcome"] in ("no gain is shown", "lost") and second["wins"]["value_low"] <= 0.5, second
assert results["kept_round"] == "one"
own = second["own_judge"]
assert own["name"] == "self" and own["on_fixed_pairs"]["verdicts"] > 0 and "favour" in own["on_round"], own
assert "agreement" in own["on_fixed_pairs"] and "same_position_rate" in own["on_fixed_pairs"], own
# What is not run is nowhere.
assert set(results["arms"]) == {"sft", "one", "two"}, results["arms"].keys()
assert not (run / "models/three").exists() and not (run / "preferences/three").exists()
assert sorted(p.name for p in (run / "rounds").iterdir()) == ["one", "two"]
stages = {p.stem for p in (run / "stages").glob("*.json")}
assert "round-end-two" in stages and "dpo-three" not in stages, stages
said = (scratch / "1.log").read_text()
assert "kept: one; not run: three" in said and "dpo-three: is left out, as round-end-two says" in said, said[-2000:]
P
}
check "the rounds behind the last gain are not run, and results say which one is kept" facts
again() {
  ranks 2 study "$deck" --run.directory="$scratch/2" >"$scratch/again.log" 2>&1 && ! grep -q 'dpo-three: done' "$scratch/again.log" &&
    grep -q 'round-end-two: done before' "$scratch/again.log" && same_results "$scratch/1" "$scratch/2"
}
check "a run that goes on leaves them out again" again
evaluated() { ranks 1 evaluate "$deck" --run.directory="$scratch/3" >"$scratch/log" 2>&1 && same_results "$scratch/1" "$scratch/3"; }
check "the evaluation alone is of the rounds that were run" evaluated

collapsed() {
  ranks 1 study "$deck" --rounds.collapse_share=0.001 --run.directory="$scratch/collapsed" >"$scratch/log" 2>&1 &&
    grep -q 'round one over sft: collapsed to one text; .*sft is kept, 2 round(s) behind it are not run; .* of the prompts are answered by one text: "' "$scratch/log" &&
    python3 - "$scratch/collapsed/report/results.json" <<'P'
import json, sys
results = json.load(open(sys.argv[1]))
(end,) = results["round_ends"]
assert end["outcome"] == "collapsed to one text" and end["kept"] == "sft" and end["not_run"] == ["two", "three"], end
assert end["commonest_text"]["share"] > 0 and set(results["arms"]) == {"sft", "one"}, results["arms"].keys()
P
}
check "a policy that collapses to one text ends the rounds, and is said to" collapsed
bill() {
  "$rlaif" study "$deck" --dry-run --run.directory="$scratch/none" >"$scratch/plan" && grep -q '^#   round-end-two .*60 prompts, two against one by judge stranger' "$scratch/plan" &&
    grep -q '^# judge stranger, one: up to 60 labels' "$scratch/plan"
}
check "a dry run has the stranger's comparisons" bill

DECK=$deck KILLS=${KILLS:-1} bash tests/end_to_end/40_kill.sh | sed 's/ runs / runs of rounds that end /'

on_none=--run.directory=$scratch/none
expect_error "a judge that a round learns from" 2 "rounds.stop_by: judge 'short' is no stranger to arm 'one', which learns from 'short' .*no round learns from" \
  study "$deck" --rounds.stop_by=short "$on_none"
expect_error "the policy as the judge that ends rounds" 2 "rounds.stop_by: judge 'self' is the policy itself" study "$deck" --rounds.stop_by=self "$on_none"
expect_error "an unknown judge that ends rounds" 2 "rounds.stop_by: unknown judge 'strnger'" study "$deck" --rounds.stop_by=strnger "$on_none"
expect_error "an end of rounds without rounds" 2 "rounds.stop_by: .*study.rounds is empty" study inputs/smoke.cfg --rounds.stop_by=people "$on_none"
expect_error "a share of collapse that none reaches" 2 "rounds.collapse_share" study "$deck" --rounds.collapse_share=0 "$on_none"
if [[ -e $scratch/none ]]; then fail "refused decks leave nothing behind" "$scratch/none is there"; else pass "refused decks leave nothing behind"; fi
