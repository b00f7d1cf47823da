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
arms = {"ppo": (0.7, 0.01, 0.9), "dpo": (0.64, 0.02, 0.5)}
metrics = {"head_to_head.dpo_vs_ppo.win_rate": metric(0.44, 0.03), "head_to_head.dpo_vs_sft.win_rate": metric(0.52, 0.03)}
for arm, (wins, half, kl) in arms.items():
    for name, value in (("win_rate_vs_sft", metric(wins, half)), ("kl", metric(kl, 0.1)), ("length", metric(12.0, 1.0)), ("labels", metric(4000)),
                        ("cost_usd", metric(240)), ("wall_seconds", metric(30)), ("helpful", metric(0.8, 0.1)), ("harmless", metric(0.5, 0.1)),
                        ("honest", metric(0.8, 0.1)), ("clear", metric(0.8, 0.1))):
        metrics[f"arms.{arm}.{name}"] = value
trained = []
for seed, fall in ((0, 1.0), (1, 2.0), (2, 3.0)):
    run = scratch / "algorithms" / "cells" / f"seed-{seed}" / "metrics"
    run.mkdir(parents=True)
    lines = [{"step": 1, "epoch": 1, "chosen_log_prob": -10.0, "rejected_log_prob": -20.0},
             {"step": 2, "epoch": 2, "chosen_log_prob": -10.0 - fall, "rejected_log_prob": -24.0},
             {"step": 3, "epoch": 2, "chosen_log_prob": None, "rejected_log_prob": None}]
    (run / "dpo-dpo.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / "ppo-ppo.jsonl").write_text(json.dumps({"step": 1, "kl": 0.1}) + "\n")
    trained.append({"name": f"seed-{seed}", "values": {"seed": str(seed)}, "metrics": {}})
for n, bound, wins in ((1, 0.0, 0.5), (16, 1.835, 0.75)):
    metrics |= {f"best_of_n.ai.{n}.kl_bound": metric(bound), f"best_of_n.ai.{n}.win_rate_vs_sft": metric(wins, 0.02),
                f"best_of_n.ai.{n}.utility": metric(0.6, 0.01), f"best_of_n.ai.{n}.score": metric(1.2, 0.1), f"best_of_n.ai.{n}.length": metric(12.0, 0.5)}
write("algorithms", [{"values": {}, "n": 3, "of": 3, "metrics": metrics}], trained)
write("overoptimization", [{"values": {"reward": "small"}, "n": 2, "of": 2, "metrics": {}}], cells)
P
for kind in algorithms cost labels overoptimization; do
  check "the study of $kind has a table and a plot" python3 analysis/study_plots.py "$kind" "$scratch/$kind"
  check "the plot of $kind is well-formed" python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$scratch/$kind/report/$kind.svg"
done
# Falls of 1, 2 and 3 nats: mean 2, deviation 1, half-width 4.303 / sqrt(3).
check "algorithms: chosen log-probabilities fall by what they fall, by hand" grep -q '^dpo  *64.0 (62.0 to 66.0) .* -2.00 (-4.48 to 0.48)  *-4.00  *4000  *240  *30  *3$' "$scratch/algorithms/report/algorithms.txt"
check "algorithms: the best of n beside its bound" grep -q '^reward-ai  *16  *1.8[34]  *75.0 (73.0 to 77.0)  *0.600' "$scratch/algorithms/report/algorithms.txt"
check "algorithms: an arm without pairs has none" grep -q '^ppo  *70.0 .* -  *-  *4000' "$scratch/algorithms/report/algorithms.txt"
check "algorithms: who is told apart" bash -c "grep -q '^dpo against ppo  *44.0 (41.0 to 47.0)  *worse' '$scratch/algorithms/report/algorithms.txt' && grep -q '^dpo against sft .*not told apart' '$scratch/algorithms/report/algorithms.txt'"
check "cost: a judge's dollars and agreement" grep -q '^large  *0.2200  86.0 (85.0 to 87.0)' "$scratch/cost/report/cost.txt"
check "labels: an arm's labels, dollars and wins" grep -q '^rlhf  *1000  670.00 *70.0 (69.0 to 71.0)' "$scratch/labels/report/labels.txt"
check "labels: names are escaped" bash -c "grep -q '&lt;rlaif&gt;: wins' '$scratch/labels/report/labels.svg'"
# Gold 0.5 and 0.7 are 2 and 4 deviations over SFT: mean 3, deviation sqrt(2), half-width 12.706 * sqrt(2) / sqrt(2).
check "overoptimization: gold in deviations of SFT, by hand" grep -q '^small  *3  *2.00  *0.20  *3.00 (-9.71 to 15.71)  *2$' "$scratch/overoptimization/report/overoptimization.txt"
check "a sweep without results is said" bash -c "! python3 analysis/study_plots.py cost '$scratch/none' 2>'$scratch/said' && grep -q 'rlaif sweep collect' '$scratch/said'"
