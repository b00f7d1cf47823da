#!/usr/bin/env python3
"""analysis/scaling.py over made-up runs whose predictions are worked by hand. Prints `PASS name` or `FAIL name: why`.

    scaling_model.py SCRATCH
"""

import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 2**20


def write_run(folder, ranks, seconds):
    """A study of one judge and one arm: a model of 1 MiB, 10 steps, 8 grains, 10 and 5 blocks, 8 blocks of three policies."""
    for name in ("stages", "metrics", "report", "evaluation", "preferences/ai", *(f"models/{one}" for one in ("sft", "reward-ai", "rlaif"))):
        (folder / name).mkdir(parents=True)
    deck = {"run.grains": "8", "sft.batch": "32", "annotate.prompts": "100", "annotate.heldout_prompts": "50", "annotate.block": "10",
            "reward.batch": "32", "ppo.prompts_per_step": "64", "ppo.minibatch": "32", "ppo.epochs": "1", "evaluate.prompts": "80", "evaluate.block": "10"}
    (folder / "run.json").write_text(json.dumps({"deck": deck}))
    (folder / "report/results.json").write_text(json.dumps({"stages": [{"stage": stage} for stage in seconds]}))
    for stage, time in seconds.items():
        (folder / f"stages/{stage}.json").write_text(json.dumps({"stage": stage, "wall_seconds": time, "ranks": ranks}))
    for stage in ("sft", "reward-ai", "ppo-rlaif"):
        (folder / f"metrics/{stage}.jsonl").write_text('{"step": 1}\n' * 10)
    for name in ("sft", "reward-ai", "rlaif"):
        (folder / f"models/{name}/model.safetensors").write_bytes(bytes(MIB))
    (folder / "preferences/ai/shard-000000.h5").write_bytes(bytes(MIB))
    for name in ("sft", "sft-again", "rlaif"):
        (folder / f"evaluation/{name}.jsonl").write_text("")


def write_measurements(folder):
    """1 ms and 1 MiB/ms between ranks, sums half as dear again as the formula has it, 7 MiB/ms of memory, files at 1 MiB/ms."""
    link = {"between": [0, 1], "same_host": True, "latency_seconds": 1e-3, "bytes_per_second": 1e3 * MIB}
    of_formula = lambda size: 2e-3 + size / (1e3 * MIB)
    times = [[size, 1.5 * of_formula(size)] for size in (4, 65536, MIB, 16 * MIB)]
    info = {"ranks": 2, "point_to_point": [link], "gradient_sum": {"times": times}, "memory": {"bytes_per_second": [7e3 * MIB, 7e3 * MIB]},
            "files": {"bytes": 32 * MIB, "write_sync_seconds": 0.032, "read_seconds": 0.032, "small_write_sync_seconds": 1e-3}}
    (folder / "info.json").write_text(json.dumps(info))
    (folder / "startup.txt").write_text("10.5 12.0\n20 21\n30 32.5\n")


def rows_of(text, first):
    """The rows of a table under a line that begins so: {(first words): cells}"""
    part = text[text.index(first):].split("\n\n")[0]
    return [re.split(r"\s{2,}", line.strip()) for line in part.splitlines()]


def checks(folder):
    write_measurements(folder)
    one = {"tokenizer": 0.2, "sft": 10.211, "annotate": 15.0, "reward-ai": 5.0, "ppo-rlaif": 20.0, "evaluate": 24.0}
    write_run(folder / "strong-1-1", 1, one)
    write_run(folder / "strong-2-1", 2, {**one, "sft": 5.0})
    write_run(folder / "weak-2-1", 2, {**one, "sft": 12.0})
    write_run(folder / "saved-1-1", 1, {**one, "sft": 10.231})
    svg = folder / "plot.svg"
    done = subprocess.run([sys.executable, "-B", ROOT / "analysis/scaling.py", folder, "--svg", svg], capture_output=True, text=True)
    text = done.stdout
    yield "a table is printed", done.returncode == 0, done.stderr
    table = {(row[0], row[1], row[2]): row for row in rows_of(text, "Measured and predicted")[1:] if len(row) >= 9}
    # 1 ms for the model's file and 10 updates of 7 MiB at 1 ms are everybody's own: 10.2 s are shared by 2 ranks with 4 of 8 grains each.
    # 10 sums of 1.5 * (2 * 1 ms + 1 MiB at 1 MiB/ms) = 45 ms.
    sft = table.get(("sft", "strong", "2"), [])
    yield "a training step's compute, update and sum", sft[4:] == ["1.00 MiB", "10.21", "5.00", "102 %", "5.16", "+3.1 %"], sft
    weak = table.get(("sft", "weak", "2"), [])
    yield "with more work nothing is saved and the sum is added", weak[5:] == ["10.21", "12.00", "85 %", "10.26", "-14.5 %"], weak
    # Blocks: 10 and 5 on 2 ranks are 5 and 3 of 15 for the busiest; 15 questions shared, of 2 ms; one more message.
    annotate = table.get(("annotate", "strong", "2"), [])
    yield "blocks are dealt out whole", annotate[8:] == ["8.02", "-46.6 %"], annotate
    predicted = {row[0]: row[1:] for row in rows_of(text, "Predicted seconds, strong")[1:]}
    # 32 grains at most: beyond that the share stays 1/32; 8 blocks a policy: 1/8 from 8 ranks on, plus latencies and what each counter is asked.
    shares = [float(cell) for cell in predicted["evaluate"]]
    yield "no more ranks are of use than there are blocks", shares[0] == 24.0 and shares[3:5] == [3.01, 3.02], shares
    sums = lambda ranks: 10 * 1.5 * (2 * (ranks - 1) * 1e-3 + 2 * (ranks - 1) / ranks * 1e-3)
    wanted = [10.211, *(0.011 + 10.2 * max(1 / ranks, 1 / 32) + sums(ranks) + (ranks - 1) * 1e-3 for ranks in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024))]
    found = [float(cell) for cell in predicted["sft"]]
    yield "a thousand ranks wait for latencies", all(abs(a - b) < 0.006 for a, b in zip(found, wanted)) and len(found) == 11, (found, wanted)
    weak_rows = {row[0]: row[1:] for row in rows_of(text, "Predicted seconds, weak")[1:]}
    # 5 s, the sums, one more message, and 1 MiB of pairs read more by every rank.
    yield "every rank reads what the study has grown by", weak_rows["reward-ai"][1] == f"{5 + 0.045 + 0.001 + 0.001:.2f}" and float(weak_rows["reward-ai"][10]) > 5 + 1.023, weak_rows["reward-ai"]
    yield "its assumptions are stated", all(part in text for part in ("times\n    1.50:", "Latency 1000.00 us", "run.grains = 8", "within one node")), text[-900:]
    yield "what a checkpoint costs", re.search(r"sft +10 +10\.21 +10\.23 +2\.0 +0\.007 %", text) and "goal, under 2 % of a stage: met (0.007 %" in text, text[-700:]
    yield "what a start costs", "8 ranks: 1.50 s (1.00 to 2.50, 3 times); goal, under 5 s: met" in text, text[-200:]
    drawn = xml.etree.ElementTree.parse(svg).getroot()
    circles = [node for node in drawn.iter() if node.tag.endswith("circle")]
    yield "a plot with a dot for each measured point", drawn.tag.endswith("svg") and len(circles) == 2 * 2 * 5, len(circles)
    (folder / "info.json").write_text("{}")
    done = subprocess.run([sys.executable, "-B", ROOT / "analysis/scaling.py", folder], capture_output=True, text=True)
    yield "a measurement by one rank is one clear line", done.returncode == 2 and done.stderr.count("\n") == 1 and "info.json: has no times between ranks" in done.stderr, done.stderr


def main():
    folder = pathlib.Path(sys.argv[1]) / "scaling"
    folder.mkdir()
    failed = 0
    for name, holds, seen in checks(folder):
        failed += not holds
        print(f"PASS {name}" if holds else f"FAIL {name}: {' '.join(str(seen).split())[:700]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
