#!/usr/bin/env bash
# Calibration: published figures of recorded verdicts again from the verdicts, judges of a deck against labels on 1 and 2
# ranks, what is written for decks to name, and input that is wrong.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data=$shared/data
calibrate() { ranks 1 calibrate "$@"; }

# --- published figures -----------------------------------------------------------------------------
if [[ -f $data/verdicts/llmbar_reference.jsonl ]]; then
  gunzip -c "$data/verdicts/llmbar.jsonl.gz" >"$scratch/llmbar.jsonl"
  check "LLMBar's recorded verdicts are read" calibrate --calibrate.recorded="$scratch/llmbar.jsonl" \
    --calibrate.pairs="$data/pairs/llmbar.jsonl" --calibrate.output="$scratch/llmbar"
  cp "$scratch/out" "$scratch/llmbar.table"
  cat >"$scratch/compare.py" <<'P'
import json, sys
reference, report = sys.argv[1:]
keys = ["n", "correct_ab", "correct_ba", "accuracy", "correct_both", "agree", "agreement", "null_ab", "null_ba",
        "first_shown_rate", "kappa_ab", "kappa_ba", "kappa_orders"]
theirs = {(r["subset"], r["judge"], r["style"]): r for r in map(json.loads, open(reference))}
ours = {(r["subset"], r["judge"], r["style"]): r for r in json.load(open(report))["runs"]}
assert len(theirs) == 293 and theirs.keys() == ours.keys(), (len(theirs), len(ours))
equal = total = 0
def hold(key, name, published, computed):
    global equal, total
    total += 1
    if isinstance(published, float) and computed is not None:
        computed = round(computed, 6)
    if published == computed and type(published) is type(computed):
        equal += 1
    else:
        print("DIFFERENT", key, name, published, computed, file=sys.stderr)
for key, row in theirs.items():
    own = ours[key]
    for name in keys:
        hold(key, name, row[name], own[name])
    # The strings that the repository itself states.
    n, stated = own["n"], row["stated"]
    percent = lambda count, of: f"{count} / {of} = {count / of * 100}%"
    for name, text in (("correct_False", percent(own["correct_ab"], n)), ("correct_True", percent(own["correct_ba"], n)),
                       ("correct_average", f"{own['accuracy'] * 100}%"), ("correct_both", percent(own["correct_both"], n)),
                       ("equal", percent(own["agree"], n))):
        hold(key, "stated " + name, stated[name], text)
print(f"{equal} of {total} figures equal")
print("Adversarial/Neighbor, published | ours: average accuracy, positional agreement, kappa against the labels (a first)")
for key, row in theirs.items():
    own = ours[key]
    if key[0] == "Adversarial/Neighbor" and key[2] in ("Vanilla", "CoT", "Metrics_Reference"):
        print(f"  {key[1]:14} {key[2]:18} {float(row['stated']['correct_average'][:-1]):5.1f}% {row['agreement']:9.6f} {row['kappa_ab']:9.6f} | "
              f"{100 * own['accuracy']:5.1f}% {own['agreement']:9.6f} {own['kappa_ab']:9.6f}")
sys.exit(equal != total)
P
  check "every figure of LLMBar's 293 runs is the published one" python3 "$scratch/compare.py" "$data/verdicts/llmbar_reference.jsonl" "$scratch/llmbar/recorded.json"
  cat "$scratch/out"
  check "so says the page of the calibration" bash -c "
    python3 analysis/calibration.py '$scratch/llmbar' --published '$data/verdicts/llmbar_reference.jsonl' >/dev/null &&
    grep -q '3809 of 3809 published figures' '$scratch/llmbar/calibration.html'"
  check "and the printed table has a line each" test "$(wc -l <"$scratch/llmbar.table")" == 294

  check "PandaLM's recorded verdicts are read" calibrate --calibrate.recorded="$data/verdicts/pandalm.jsonl" \
    --calibrate.pairs="$data/pairs/pandalm.jsonl" --calibrate.output="$scratch/pandalm"
  check "PandaLM's kappas, accuracy and macro figures are the published ones" python3 - "$data/verdicts/pandalm_reference.json" "$scratch/pandalm/recorded.json" <<'P'
import json, sys
theirs, ours = (json.load(open(path)) for path in sys.argv[1:])
pairs = [(f"kappa {name}", value, ours["people"]["cohens_kappa"][name]) for name, value in theirs["annotator_kappa"].items()]
runs = {run["judge"]: run for run in ours["runs"]}
for judge, row in theirs["judges"].items():
    pairs += [(f"{judge} n", row["n"], runs[judge]["n"]), (f"{judge} null", row["null"], runs[judge]["null_ab"])]
    for way in ("null_is_wrong", "null_is_tie"):
        pairs += [(f"{judge} {way} {name}", value, runs[judge][way][name]) for name, value in row[way].items()]
equal = sum(published == round(computed, 6) for _, published, computed in pairs)
for name, published, computed in pairs:
    print(f"  {name:42} {published:<10} | {round(computed, 6)}")
print(f"{equal} of {len(pairs)} figures equal")
sys.exit(equal != len(pairs) or len(pairs) != 23)
P
  cat "$scratch/out"
else
  skip "published figures of recorded verdicts" "no $data/verdicts"
fi

# --- judges of a deck ------------------------------------------------------------------------------
python3 - "$scratch" <<'P'
# 120 questions of the closed world with two answers; labels by a coin that favours the right answer, people who err, and
# recorded verdicts of a judge that is right in 80 of 100 and of one that prefers what it is shown first.
import json, random, sys
scratch = sys.argv[1]
r = random.Random(3)
pairs, verdicts = [], []
for i in range(120):
    a, b = r.randint(1, 9), r.randint(1, 9)
    padding = " I am happy to help. " + "That is a sum, and sums are fun to do. " * 4
    right = f"{a} plus {b} is {a + b}." + (padding if r.random() < 0.3 else "")
    wrong = f"{a} plus {b} is {a + b + 1}." + (padding if r.random() < 0.6 else "")
    first = r.random() < 0.5
    label = "tie" if i % 15 == 0 else "a" if first else "b"
    people = [label if r.random() < 0.9 else r.choice(["a", "b", "tie"]) for _ in range(3)]
    pairs.append({"id": f"sum/{i}", "prompt": f"What is {a} plus {b}?", "response_a": right if first else wrong,
                  "response_b": wrong if first else right, "label": label, "annotators": people})
    truth = "a" if first else "b"
    for judge, rate in (("good", 0.8), ("fair", 0.6)):
        said = truth if r.random() < rate else "ab"[truth == "a"]
        for order in ("ab", "ba"):
            verdict = said if r.random() < 0.8 else ("a" if order == "ab" else "b")
            verdicts.append({"pair_id": f"sum/{i}", "judge": judge, "style": "z", "order": order,
                             "verdict": None if i == 7 and judge == "fair" else verdict})
for name, rows in (("pairs", pairs), ("verdicts", verdicts)):
    with open(f"{scratch}/{name}.jsonl", "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
P
deck=$scratch/judges.cfg
cat >"$deck" <<P
[study]
judges = brief good fair levels two panel
arms =
judge_models =
[judge.brief]
kind = rules
price = example-small-hosted-judge
length_correction = true
calibration = fitted/fitted.json
[judge.good]
kind = replay
verdicts = verdicts.jsonl
recorded_judge = good
recorded_style = z
[judge.fair]
kind = replay
verdicts = verdicts.jsonl
recorded_judge = fair
recorded_style = z
[judge.two]
kind = cascade
members = fair good
calibration = fitted/fitted.json
[judge.levels]
kind = hierarchy
members = brief good
gate = 0.9
[judge.panel]
kind = ensemble
members = brief good fair
vote = weighted
calibration = fitted/fitted.json
P
run() { ranks "$1" calibrate "$deck" --calibrate.pairs="$scratch/pairs.jsonl" --calibrate.output="$scratch/$2" --calibrate.resamples=300 "${@:3}"; }
check "judges that calibration files are still to be written for, on 1 rank" run 1 fitted
cp "$scratch/out" "$scratch/table.1"
check "and on 2 ranks" run 2 two
cp "$scratch/out" "$scratch/table.2"
check "give the same files" diff -r "$scratch/fitted" "$scratch/two"
cat "$scratch/table.1"
check "a calibration that is held against no other pairs" run 1 again-none --calibrate.folds=0
check "the report says what was recorded, and the fits are those of the labels" python3 - "$scratch" <<'P'
import json, math, sys
scratch = sys.argv[1]
pairs = [json.loads(line) for line in open(f"{scratch}/pairs.jsonl")]
verdicts = [json.loads(line) for line in open(f"{scratch}/verdicts.jsonl")]
report, fitted = json.load(open(f"{scratch}/fitted/calibration.json")), json.load(open(f"{scratch}/fitted/fitted.json"))
value = {"a": 1.0, "b": 0.0, "tie": 0.5, None: None}
label = {pair["id"]: value[pair["label"]] for pair in pairs}
side = lambda p: (p > 0.5) - (p < 0.5)
def same(p, q): return 0.5 if 0.5 in (p, q) else float((p > 0.5) == (q > 0.5))
p = {}
for judge in ("good", "fair"):
    said = {}
    for v in verdicts:
        if v["judge"] == judge: said.setdefault(v["pair_id"], {})[v["order"]] = value[v["verdict"]]
    answered = {k: v for k, v in said.items() if None not in v.values()}
    p[judge] = {k: (v["ab"] + v["ba"]) / 2 for k, v in answered.items()}
    row = report["judges"][judge]
    assert row["answered"] == len(answered) and row["statuses"]["ok"] == len(answered), row["statuses"]
    decided = [same(p[judge][k], label[k]) for k in answered if label[k] != 0.5]
    assert math.isclose(row["agreement"]["value"], sum(decided) / len(decided)), row["agreement"]
    assert row["agreement"]["low"] < row["agreement"]["value"] < row["agreement"]["high"]
    assert math.isclose(row["consistency"]["value"], sum(v["ab"] == v["ba"] for v in answered.values()) / len(answered))
    assert math.isclose(row["first_shown"]["value"], sum((v["ab"] == 1) + (v["ba"] == 0) for v in answered.values()) / 2 / len(answered))
    assert fitted["judges"][judge]["pairs"] == len(answered)
    # The temperature's likelihood is stationary: the derivative by 1 / T is zero.
    odds = {k: math.log(q / (1 - q)) for k, q in ((k, min(max(q, 1e-6), 1 - 1e-6)) for k, q in p[judge].items())}
    t = fitted["judges"][judge]["temperature"]
    slope = sum((label[k] - 1 / (1 + math.exp(-x / t))) * x for k, x in odds.items())
    assert abs(slope) < 1e-3 * sum(abs(x) for x in odds.values()), (t, slope)
    cells = [[1, 1], [1, 1]]
    for k, q in p[judge].items():
        if label[k] != 0.5 and q != 0.5: cells[label[k] < 0.5][q < 0.5] += 1
    for t_, row_ in enumerate(cells):
        for s, count in enumerate(row_):
            assert math.isclose(fitted["judges"][judge]["confusion"][t_][s], count / sum(row_)), cells
both = [k for k in p["good"] if k in p["fair"] and label[k] != 0.5]
wrong = {j: [1 - same(p[j][k], label[k]) for k in both] for j in p}
mean = lambda v: sum(v) / len(v)
cov = lambda x, y: mean([a * b for a, b in zip(x, y)]) - mean(x) * mean(y)
names = report["across"]["judges"]
i, j = names.index("good"), names.index("fair")
assert math.isclose(report["across"]["error_correlation"][i][j], cov(wrong["good"], wrong["fair"]) / math.sqrt(cov(wrong["good"], wrong["good"]) * cov(wrong["fair"], wrong["fair"])))
# The cascade keeps its share of the dear judge's agreement at the smallest share asked of all points that do.
step, = report["cascades"]["two"]
dear = mean([same(p["good"][k], label[k]) for k in p["good"] if label[k] != 0.5])
reach = [point for point in step["curve"] if point["agreement"] >= 0.98 * dear - 1e-12]
assert step["judge"] == "fair" and step["chosen"]["share_asked"] == min(point["share_asked"] for point in reach), step["chosen"]
assert fitted["thresholds"]["two"] == [step["chosen"]["threshold"]]
assert set(fitted["judges"]) == {"brief", "good", "fair", "two", "levels", "panel"}
assert report["people"]["people"] == 3 and report["people"]["pairs"] == 120
assert report["judges"]["panel"]["agreement"]["value"] >= report["judges"]["fair"]["agreement"]["value"]
print("agreement", {name: round(row["agreement"]["value"], 3) for name, row in report["judges"].items()})
P
check "what was fitted is held against pairs it has not seen" run 1 held --calibrate.folds=1000
check "as leaving out one prompt after the other by hand does" python3 - "$scratch" <<'P'
import json, math, sys
scratch = sys.argv[1]
pairs = [json.loads(line) for line in open(f"{scratch}/pairs.jsonl")]
report, ten, one = (json.load(open(f"{scratch}/{run}/calibration.json")) for run in ("held", "fitted", "again-none"))
value = {"a": 1.0, "b": 0.0, "tie": 0.5}
said = {}
for v in map(json.loads, open(f"{scratch}/verdicts.jsonl")):
    said.setdefault((v["judge"], v["pair_id"]), []).append(v["verdict"])
p = {key: None if None in both else sum(value[v] for v in both) / 2 for key, both in said.items()}
def right(q, pair): return 0.0 if q is None else 0.5 if q == 0.5 else float((q > 0.5) == (pair["label"] == "a"))
rows = [(pair["prompt"], p["fair", pair["id"]], right(p["fair", pair["id"]], pair), right(p["good", pair["id"]], pair))
        for pair in pairs if pair["label"] != "tie"]
# The cheap judge is sure, even or silent: a threshold asks about the silent, the even too, or all.
level = lambda q: 0 if q is None else 1 if q == 0.5 else 2
def chosen(rows):
    least = 0.98 * sum(dear for *_, dear in rows) / len(rows)
    points = []
    for asked in sorted({max(1, level(q)) for _, q, _, _ in rows} | {3}):
        points.append((sum(dear if level(q) < asked else cheap for _, q, cheap, dear in rows) / len(rows), sum(level(q) < asked for _, q, *_ in rows), asked))
    reach = [point for point in points if point[0] >= least - 1e-12]
    return min(reach, key=lambda point: point[1])[2] if reach else min(points, key=lambda point: (-point[0], point[1]))[2]
total = last = 0.0
for prompt in {row[0] for row in rows}:
    asked = chosen([row for row in rows if row[0] != prompt])
    for _, q, cheap, dear in (row for row in rows if row[0] == prompt):
        total, last = total + (dear if level(q) < asked else cheap), last + dear
held = report["held_out"]
assert held["folds"] == len({pair["prompt"] for pair in pairs}), held["folds"]
two = held["cascades"]["two"]
assert math.isclose(two["agreement"]["value"], total / len(rows)), (two, total / len(rows))
assert math.isclose(two["of_last_agreement"]["value"], total / last) and two["of_last_agreement"]["low"] <= total / last <= two["of_last_agreement"]["high"]
for one_report in (report, ten):  # a temperature moves no side, weights do
    for name in ("good", "fair"):
        assert one_report["held_out"]["judges"][name]["agreement"]["value"] == one_report["judges"][name]["agreement"]["value"], name
        assert one_report["held_out"]["judges"][name]["calibration_error"]["value"] > one_report["judges"][name]["calibration_error_after"], name
assert ten["held_out"]["folds"] == 10 and ten["held_out"]["judges"]["panel"]["agreement"]["value"] < ten["judges"]["panel"]["agreement"]["value"]
assert one["held_out"] is None
P
python3 analysis/calibration.py "$scratch/fitted" >/dev/null
check "the page of a calibration" bash -c "grep -q 'On pairs it was not fitted to' '$scratch/fitted/calibration.html' && grep -q 'The cascade two: agreement against cost' '$scratch/fitted/calibration.html' && [[ \$(grep -o 'aria-label=\"Reliability of' '$scratch/fitted/calibration.html' | wc -l) == 6 ]]"
sed -e 's/"id": "[^"]*", //' "$scratch/pairs.jsonl" >"$scratch/plain.jsonl"
check "a deck goes by the file" bash -c "
  '$rlaif' judge '$deck' --io.judge=panel --io.input='$scratch/plain.jsonl' --io.output='$scratch/said' --judge.panel.least_members=1 &&
  test \$(grep -c '\"status\":\"ok\"' '$scratch/said') == 120"
check "and can be calibrated again" run 1 again --calibrate.judges="two brief"
check "to the same thresholds" python3 - "$scratch" <<'P'
import json, sys
one, two = (json.load(open(f"{sys.argv[1]}/{run}/fitted.json")) for run in ("fitted", "again"))
assert one["thresholds"] == two["thresholds"] and set(two["judges"]) == {"two", "fair", "good", "brief"}
assert one["judges"]["brief"]["length_slope"] == two["judges"]["brief"]["length_slope"] != 0
P
printf '{"prompt": "What is 2 plus 3?", "response_a": "2 plus 3 is 5.", "response_b": "2 plus 3 is 6.", "label": "a"}\n' >"$scratch/one.jsonl"
printf '[study]\njudges = people\narms =\njudge_models =\n' >"$scratch/people.cfg"
check "people of a deck on one pair" ranks 1 calibrate "$scratch/people.cfg" --calibrate.pairs="$scratch/one.jsonl" --calibrate.output="$scratch/people"
check "one pair is reported without intervals that are none" grep -q '"answered": 1' "$scratch/people/calibration.json"

# --- probes and writers ----------------------------------------------------------------------------
cat >"$scratch/probes.jsonl" <<'P'
{"id": "p0", "kind": "padding", "prompt": "What is 2 plus 3?", "good": "2 plus 3 is 5.", "bad": "Sure! I am happy to help. 2 plus 3 is 5, and I hope that this helps you. Is there anything else that I can do for you? Please ask."}
{"id": "p1", "kind": "padding", "prompt": "What is 4 plus 4?", "good": "4 plus 4 is 8.", "bad": "4 plus 4 is 8. 4 plus 4 is 8. 4 plus 4 is 8. 4 plus 4 is 8."}
{"id": "p2", "kind": "falsehood", "prompt": "What is 4 plus 4?", "good": "4 plus 4 is 8.", "bad": "4 plus 4 is 9."}
P
sed -e 's/"label"/"model_a": "one", "model_b": "good", "label"/' "$scratch/pairs.jsonl" >"$scratch/written.jsonl"
check "probes and writers are reported" ranks 2 calibrate "$deck" --calibrate.pairs="$scratch/written.jsonl" --calibrate.probes="$scratch/probes.jsonl" \
  --calibrate.judges="brief good" --calibrate.output="$scratch/probed" --calibrate.resamples=50 --judge.brief.length_correction=false
check "rules are not fooled by padding, but see no falsehood" python3 - "$scratch/probed/calibration.json" <<'P'
import json, sys
report = json.load(open(sys.argv[1]))
kinds = report["probes"]["brief"]
assert kinds["padding"]["fooled"]["value"] == 0 and kinds["falsehood"]["fooled"]["value"] == 0.5 and kinds["all"]["probes"] == 3, kinds
assert report["probes"]["good"]["all"]["answered"] == 0 and report["probes"]["good"]["all"]["fooled"]["value"] is None
own = report["self_preference"]
rates = {judge: row["good"]["value"] for judge, row in own["win_rates"].items()}
assert own["writers"] == ["good", "one"] and abs(own["excess"]["good"]["value"] - (rates["good"] - rates["brief"])) < 1e-9, own
P

# --- wrong input -----------------------------------------------------------------------------------
wrong() {  # wrong NAME CODE PATTERN PAIRS [ARGUMENTS]
  expect_error "$1" "$2" "$3" calibrate "$deck" --calibrate.pairs="$4" --calibrate.output="$scratch/wrong" "${@:5}"
}
sed '3s/"label": "[a-z]*"/"label": "A"/' "$scratch/pairs.jsonl" >"$scratch/bad.jsonl"
wrong "a label that is none" 3 "bad.jsonl:3: key 'label' is \"A\"; expected \"a\", \"b\" or \"tie\"" "$scratch/bad.jsonl"
sed '5s/"label": "[a-z]*"/"mark": 1/' "$scratch/pairs.jsonl" >"$scratch/bad.jsonl"
wrong "a pair without label" 3 "bad.jsonl:5: key 'label' is missing" "$scratch/bad.jsonl"
: >"$scratch/empty.jsonl"
wrong "an empty file" 3 "empty.jsonl: holds no pair" "$scratch/empty.jsonl"
wrong "a file that is not there" 3 "none.jsonl" "$scratch/none.jsonl"
wrong "an unknown judge" 2 "no judge named 'bref'" "$scratch/pairs.jsonl" --calibrate.judges=bref
wrong "a judge twice" 2 "calibrate.judges: 'good' stands twice" "$scratch/pairs.jsonl" --calibrate.judges="good good"
wrong "a judge without a verdict" 3 "judge 'good' answered none of the 1 pairs: 1 missing" "$scratch/one.jsonl" --calibrate.judges=good
wrong "a fold that is all there is" 2 "calibrate.folds: 0 or at least 2" "$scratch/pairs.jsonl" --calibrate.folds=1
wrong "a target that is no share" 2 "calibrate.target: '1.5' was given, a number above 0 up to 1 was expected" "$scratch/pairs.jsonl" --calibrate.target=1.5
wrong "rules that are not there" 2 "judge.brief.rules: no such file" "$scratch/pairs.jsonl" --judge.brief.rules=none.json
expect_error "nowhere to write" 2 "calibrate.output: a folder" calibrate "$deck" --calibrate.pairs="$scratch/pairs.jsonl"
expect_error "no pairs named" 2 "calibrate.pairs: a file" calibrate "$deck" --calibrate.output="$scratch/wrong"
expect_error "recorded verdicts on other pairs" 3 "verdicts.jsonl: holds no verdict on one of the pairs" calibrate --calibrate.recorded="$scratch/verdicts.jsonl" --calibrate.pairs="$scratch/one.jsonl"
sed 's/"bad"/"worse"/' "$scratch/probes.jsonl" >"$scratch/bad.jsonl"
wrong "a probe without a bad response" 3 "bad.jsonl:1: key 'bad' is missing" "$scratch/pairs.jsonl" --calibrate.probes="$scratch/bad.jsonl"
check "nothing was written" test ! -e "$scratch/wrong"
