#!/usr/bin/env bash
# Tables and plots of the studies, from results made up here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check "results are made up" python3 - "$scratch" <<'P'
import json, pathlib, sys
scratch = pathlib.Path(sys.argv[1])
def metric(mean, half=None):
    return {"mean": mean, "n": 1 if half is None else 3, **({} if half is None else {"low": mean - half, "high": mean + half})}
def write(kind, groups, cells):
    folder = scratch / kind / "report"
    folder.mkdir(parents=True)
    (folder / "sweep.json").write_text(json.dumps({"sweep": kind, "groups": groups, "cells": cells, "missing": cells[1:]}))
write("cost", [{"values": {}, "n": 3, "of": 3, "metrics": {
    "judges.small.gold_agreement": metric(0.61, 0.02), "judges.small.usd_per_1000": metric(0.005),
    "judges.large.gold_agreement": metric(0.86, 0.01), "judges.large.usd_per_1000": metric(0.22),
    "judges.small-large-70.gold_agreement": metric(0.8, 0.01), "judges.small-large-70.usd_per_1000": metric(0.1)}}], [{}])
groups = []
for labels, wins in ((100, 0.55), (1000, 0.7)):
    metrics = {}
    for arm, price in (("<rlaif>", 0.06), ("rlhf", 0.67)):
        metrics |= {f"arms.{arm}.win_rate_vs_sft": metric(wins, 0.01), f"arms.{arm}.labels": metric(labels),
                    f"arms.{arm}.cost_usd": metric(labels * price), f"reward_model.{arm}.gold_accuracy": metric(0.8)}
    groups.append({"values": {"labels": str(labels)}, "n": 3, "of": 3, "metrics": metrics})
groups.append({"values": {"labels": "10"}, "n": 0, "of": 3, "metrics": {}})
write("labels", groups, [{}, {}])
cells = []
for seed, gold in ((0, 0.5), (1, 0.7)):
    run = scratch / "overoptimization" / "cells" / f"reward-small_seed-{seed}"
    (run / "metrics").mkdir(parents=True)
    (run / "evaluation").mkdir()
    lines = [{"step": s + 1, "kl": s, "reward": s / 10, "gold": gold} for s in range(16)]
    (run / "metrics" / "ppo-rlhf.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    samples = [{"samples": [{"utility": 0.2}, {"utility": 0.4}]}, {"samples": [{"utility": 0.3}]}]  # mean 0.3, deviation 0.1
    (run / "evaluation" / "sft.jsonl").write_text("".join(json.dumps(line) + "\n" for line in samples))
    cells.append({"name": run.name, "values": {"reward": "small", "seed": str(seed)}, "metrics": {}})
write("overoptimization", [{"values": {"reward": "small"}, "n": 2, "of": 2, "metrics": {}}], cells)
P
for kind in cost labels overoptimization; do
  check "the study of $kind has a table and a plot" python3 analysis/study_plots.py "$kind" "$scratch/$kind"
  check "the plot of $kind is well-formed" python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$scratch/$kind/report/$kind.svg"
done
check "cost: a judge's dollars and agreement" grep -q '^large  *0.2200  86.0 (85.0 to 87.0)' "$scratch/cost/report/cost.txt"
check "labels: an arm's labels, dollars and wins" grep -q '^rlhf  *1000  670.00 *70.0 (69.0 to 71.0)' "$scratch/labels/report/labels.txt"
check "labels: names are escaped" bash -c "grep -q '&lt;rlaif&gt;: wins' '$scratch/labels/report/labels.svg'"
# Gold 0.5 and 0.7 are 2 and 4 deviations over SFT: mean 3, deviation sqrt(2), half-width 12.706 * sqrt(2) / sqrt(2).
check "overoptimization: gold in deviations of SFT, by hand" grep -q '^small  *3  *2.00  *0.20  *3.00 (-9.71 to 15.71)  *2$' "$scratch/overoptimization/report/overoptimization.txt"
check "a sweep without results is said" bash -c "! python3 analysis/study_plots.py cost '$scratch/none' 2>'$scratch/said' && grep -q 'rlaif sweep collect' '$scratch/said'"
