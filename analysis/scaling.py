#!/usr/bin/env python3
"""How the stages of a study scale: measured times beside a model of the communication, and what the model predicts.

    python3 analysis/scaling.py FOLDER [--svg FILE]

FOLDER is what jobs/scaling.sh filled: info.json of `rlaif info --measure`, run directories strong-R-N, weak-R-N and saved-1-N (R
ranks, repetition N), startup.txt. Standard library only. Ends with 2 and one line where a file is missing or not what was expected.
"""

import argparse
import dataclasses
import math
import pathlib
import re
import statistics
import sys

from charts import DASHES, escaped, short
from run_data import RunError, number, read_json, read_json_lines, read_stages, section
from text_table import text_table

PREDICTED = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
STARTUP_GOAL, CHECKPOINT_GOAL = 5.0, 0.02
CHECKPOINT_SECONDS = 30.0  # the program's default

ASSUMPTIONS = """\
What the predictions assume
  From the 1-rank run come each stage's seconds and steps, from `rlaif info --measure` the rest; nothing is fitted to the runs at more ranks.
  A training step sums one gradient for each model that it trains, n bytes: 2 (P - 1) messages a rank, 2 (P - 1) / P n bytes, times
    {kappa:.2f}: the measured sum over this formula, of sizes from 64 KiB on. Nothing overlaps with it.
  Latency {latency:.2f} us and {speed:.2f} GB/s between two ranks, {where}; all links are alike and carry their full speed at once.
  What remains of a step is shared out by grains; run.grains = {grains} here, and in the predictions as many as ranks, up to the items of a
    batch: ranks beyond that wait. Work is in proportion to items: that small batches are slower an item is left out.
  Every rank updates all weights of its models: 28 bytes a weight at {memory:.1f} GB/s. Models and stores are written and read at the speed of
    files measured by one rank: {write:.2f} and {read:.2f} GB/s.
  Annotation and evaluation are shared out by blocks, a question to the counter each; answers travel to rank 0 once.
  Strong: the same study. Weak: every batch, set of prompts and of examples grows with the ranks; each rank reads the whole store of pairs."""


# --- what was measured ---------------------------------------------------------------------------
@dataclasses.dataclass
class Machine:
    latency: float
    bytes_per_second: float
    kappa: float
    memory: float  # bytes a second
    write: float
    read: float
    same_host: bool
    ranks: int

    def message(self, size):
        return self.latency + size / self.bytes_per_second

    def gradient_sum(self, size, ranks):
        if ranks < 2:
            return 0.0
        return self.kappa * (2 * (ranks - 1) * self.latency + 2 * (ranks - 1) / ranks * size / self.bytes_per_second)


def read_machine(file):
    info = read_json(file)
    links = [link for link in info.get("point_to_point") or [] if isinstance(link, dict)]
    if not links or not isinstance(info.get("gradient_sum"), dict):
        raise RunError(f"{file}: has no times between ranks: `rlaif info --measure` on two ranks and more was expected")
    slowest = min(links, key=lambda link: number(link.get("bytes_per_second")) or math.inf)
    files = section(info, "files")
    size = number(files.get("bytes")) or 1.0
    machine = Machine(
        latency=number(slowest.get("latency_seconds")) or 0.0, bytes_per_second=number(slowest.get("bytes_per_second")) or 1.0, kappa=1.0,
        memory=statistics.mean(section(info, "memory")["bytes_per_second"]), write=size / (number(files.get("write_sync_seconds")) or 1.0),
        read=size / (number(files.get("read_seconds")) or 1.0), same_host=bool(slowest.get("same_host")), ranks=int(number(info.get("ranks")) or 2))
    ratios = [seconds / machine.gradient_sum(sent, machine.ranks) for sent, seconds in info["gradient_sum"]["times"] if sent >= 65536]
    machine.kappa = statistics.median(ratios) if ratios else 1.0
    return machine


@dataclasses.dataclass
class MeasuredRun:
    folder: pathlib.Path
    ranks: int
    stages: dict  # name -> seconds
    steps: dict  # name -> steps
    deck: dict  # key -> text

    def setting(self, key, otherwise):
        value = self.deck.get(key)
        try:
            return float(value) if value is not None else otherwise
        except ValueError:
            return otherwise

    def model_bytes(self, name):
        file = self.folder / "models" / name / "model.safetensors"
        return file.stat().st_size if file.exists() else 0

    def store_bytes(self, name):
        return sum(file.stat().st_size for file in (self.folder / "preferences" / name).glob("*.h5"))


def read_run(folder):
    markers = read_stages(folder)
    if not markers:
        raise RunError(f"{folder / 'stages'} holds no stage markers: a finished study was expected")
    listed = [row.get("stage") for row in read_json(folder / "report" / "results.json").get("stages") or []]
    seconds = {marker.get("stage"): number(marker.get("wall_seconds")) or 0.0 for marker in markers}
    ranks = max(number(marker.get("ranks")) or 1 for marker in markers)
    steps = {file.stem: len(read_json_lines(file)) for file in (folder / "metrics").glob("*.jsonl")}
    return MeasuredRun(folder, int(ranks), {name: seconds[name] for name in listed if name in seconds}, steps,
                       section(read_json(folder / "run.json"), "deck"))


def read_runs(folder, kind):
    """{ranks: [MeasuredRun]}"""
    runs = {}
    for path in sorted(folder.iterdir()):
        if match := re.fullmatch(rf"{kind}-(\d+)-(\d+)", path.name):
            runs.setdefault(int(match[1]), []).append(read_run(path))
    return runs


def medians(runs):
    return {name: statistics.median(run.stages[name] for run in runs if name in run.stages) for name in runs[0].stages}


# --- the model -----------------------------------------------------------------------------------
@dataclasses.dataclass
class StageModel:
    name: str
    seconds: float  # at 1 rank
    steps: int = 0
    sums: tuple = ()  # (bytes, how many a step)
    weights_bytes: int = 0  # of all models that a step updates, once an update
    updates: float = 1.0  # of the weights, a step
    items: int = 0  # of a batch, that grains share out
    grains: int = 0
    blocks: tuple = ()  # of each counter
    serial: float = 0.0  # seconds that no rank saves the others
    read_bytes: int = 0  # that grow with the study and are read by every rank
    sent_bytes: int = 0  # to rank 0 in the end

    @property
    def bytes_a_step(self):
        return sum(size * count for size, count in self.sums)

    def share(self, ranks, weak):
        """Of the work of one rank at one rank, what the busiest of them has."""
        if self.blocks:
            return sum(math.ceil(count * (ranks if weak else 1) / ranks) for count in self.blocks) / sum(self.blocks)
        if not self.items:
            return 1.0
        if weak:
            return 1.0
        grains = min(self.items, max(self.grains, ranks))
        return math.ceil(grains / ranks) / grains

    def predict(self, ranks, machine, weak):
        update = self.steps * self.updates * 7 * self.weights_bytes / machine.memory  # read w, g, m, v; write w, m, v
        serial = min(self.seconds, self.serial + update)
        seconds = serial + (self.seconds - serial) * self.share(ranks, weak)
        seconds += self.steps * sum(count * machine.gradient_sum(size, ranks) for size, count in self.sums)
        if self.blocks:
            seconds += sum(self.blocks) * (1 if weak else 1 / ranks) * 2 * machine.latency
        grown = ranks if weak else 1
        if ranks > 1:
            seconds += (grown - 1) * self.read_bytes / machine.read + (ranks - 1) * machine.latency + grown * self.sent_bytes / machine.bytes_per_second
        return seconds


def stage_models(run, seconds, machine):
    grains = int(run.setting("run.grains", 4))
    models = []
    for name, measured in seconds.items():
        model = StageModel(name, measured, steps=run.steps.get(name, 0), grains=grains)
        if name == "sft":
            model.sums, model.items = ((run.model_bytes("sft"), 1),), int(run.setting("sft.batch", 32))
        elif name.startswith("judge-model"):
            trained = name.removeprefix("judge-model").removeprefix("-") or "judge"
            model.sums, model.items = ((run.model_bytes(trained), 1),), int(run.setting("judge_model.batch", 32))
        elif name.startswith("reward-"):
            model.sums, model.items = ((run.model_bytes(name), 1),), int(run.setting("reward.batch", 32))
            model.read_bytes = run.store_bytes(name.removeprefix("reward-"))
        elif name.startswith("ppo-"):
            minibatch = run.setting("ppo.minibatch", 32)
            model.updates = run.setting("ppo.epochs", 1) * math.ceil(run.setting("ppo.prompts_per_step", 128) / minibatch)
            policy = run.model_bytes(name.removeprefix("ppo-"))
            model.sums, model.items = ((policy, 2 * model.updates),), int(minibatch)  # policy and value model
        elif name.startswith("annotate"):
            block = run.setting("annotate.block", 50)
            model.blocks = tuple(math.ceil(run.setting(key, 0) / block) for key in ("annotate.prompts", "annotate.heldout_prompts"))
        elif name == "evaluate":
            policies = len(list((run.folder / "evaluation").glob("*.jsonl")))
            model.blocks = (math.ceil(run.setting("evaluate.prompts", 500) / run.setting("evaluate.block", 25)),) * policies
            model.sent_bytes = sum(file.stat().st_size for file in (run.folder / "evaluation").glob("*.jsonl"))
        model.weights_bytes = sum(size * (2 if name.startswith("ppo-") else 1) for size, _ in model.sums)
        written = sum(size for size, _ in model.sums)
        model.serial = written / machine.write
        models.append(model)
    return models


# --- tables --------------------------------------------------------------------------------------
def bytes_text(size):
    return "-" if not size else f"{size / 2**20:.2f} MiB" if size >= 2**20 else f"{size / 1024:.1f} KiB"


def measured_table(models, strong, weak, machine):
    rows, errors = [], []
    for model in models:
        for kind, runs in (("strong", strong), ("weak", weak)):
            for ranks, seconds in sorted(runs.items()):
                if ranks == 1 or model.name not in seconds:
                    continue
                predicted, found = model.predict(ranks, machine, kind == "weak"), seconds[model.name]
                error = predicted / found - 1 if found else 0.0
                if found >= 0.5:
                    errors.append(abs(error))
                rows.append([model.name, kind, str(ranks), str(model.steps or "-"), bytes_text(model.bytes_a_step), f"{model.seconds:.2f}", f"{found:.2f}",
                             f"{model.seconds / found * (ranks if kind == 'weak' else 1) / ranks * 100:.0f} %" if found else "-", f"{predicted:.2f}", f"{error * 100:+.1f} %"])
    for kind, runs in (("strong", strong), ("weak", weak)):
        for ranks, seconds in sorted(runs.items()):
            if ranks == 1:
                continue
            found = sum(seconds.values())
            one = sum(model.seconds for model in models)
            predicted = sum(model.predict(ranks, machine, kind == "weak") for model in models)
            rows.append(["all", kind, str(ranks), "", "", f"{one:.2f}", f"{found:.2f}",
                         f"{one / found * (ranks if kind == 'weak' else 1) / ranks * 100:.0f} %", f"{predicted:.2f}", f"{(predicted / found - 1) * 100:+.1f} %"])
    head = ["stage", "scaling", "ranks", "steps", "bytes a step", "s at 1", "measured s", "efficiency", "predicted s", "error"]
    text = text_table(head, rows)
    if errors:
        text += f"\nmean absolute error of stages of half a second and longer: {statistics.mean(errors) * 100:.1f} %, greatest {max(errors) * 100:.1f} %"
    return text


def prediction_table(models, machine, weak):
    rows = []
    for model in models:
        if not model.items and not model.blocks:
            continue
        rows.append([model.name, f"{model.seconds:.2f}", *(f"{model.predict(ranks, machine, weak):.2f}" for ranks in PREDICTED)])
    one = sum(model.seconds for model in models)
    totals = [sum(model.predict(ranks, machine, weak) for model in models) for ranks in PREDICTED]
    rows.append(["all", f"{one:.2f}", *(f"{total:.2f}" for total in totals)])
    rows.append(["efficiency", "100 %", *(f"{one / total * (1 if weak else 1 / ranks) * 100:.0f} %" for ranks, total in zip(PREDICTED, totals))])
    return text_table(["stage", "1", *map(str, PREDICTED)], rows)


def checkpoint_table(plain, saved):
    """What saving after every step cost, and its share where the state is saved every half minute."""
    rows, worst = [], 0.0
    bare, every = medians(plain), medians(saved)
    for name, seconds in every.items():
        saves = saved[0].steps.get(name, 0)
        if not saves or name not in bare:
            continue
        cost = (seconds - bare[name]) / saves  # below 0: noise of the machine
        worst = max(worst, cost / (CHECKPOINT_SECONDS + cost))
        rows.append([name, str(saves), f"{bare[name]:.2f}", f"{seconds:.2f}", f"{cost * 1e3:.1f}", f"{max(0.0, cost) / (CHECKPOINT_SECONDS + cost) * 100:.3f} %"])
    if not rows:
        return ""
    text = text_table(["stage", "saves", "s without", "s with", "ms a save", f"share at one in {CHECKPOINT_SECONDS:.0f} s"], rows)
    verdict = "met" if worst < CHECKPOINT_GOAL else "MISSED"
    return f"\n\nCheckpoints\n{text}\ngoal, under {CHECKPOINT_GOAL * 100:.0f} % of a stage: {verdict} ({worst * 100:.3f} % at most)"


def startup_text(file):
    if not file.exists():
        return ""
    try:
        seconds = [float(end) - float(begin) for begin, end in (line.split() for line in file.read_text().splitlines())]
    except ValueError:
        raise RunError(f"{file}: two times a line were expected") from None
    if not seconds:
        raise RunError(f"{file}: holds no time")
    verdict = "met" if statistics.median(seconds) < STARTUP_GOAL else "MISSED"
    return (f"\n\nStart and end of 8 ranks: {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, {len(seconds)} times); "
            f"goal, under {STARTUP_GOAL:.0f} s: {verdict}")


# --- plot ----------------------------------------------------------------------------------------
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b0578d", "#b58900", "#3f9fd6", "#6b7480")


def panel(title, models, measured, machine, weak, left, width, height):
    """Seconds against ranks, both logarithmic."""
    margin_left, right, top, bottom = left + 52, left + width - 12, 40, height - 44
    counts = (1, *PREDICTED)
    lines = [(model, [(ranks, model.predict(ranks, machine, weak) if ranks > 1 else model.seconds) for ranks in counts]) for model in models]
    values = [y for _, points in lines for _, y in points if y > 0] + [seconds[model.name] for model in models for seconds in measured.values()
                                                                      if seconds.get(model.name, 0) > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = high if high > low else low + 1

    def at(ranks, seconds):
        return (margin_left + math.log2(ranks) / 10 * (right - margin_left),
                bottom - (math.log10(max(seconds, 10.0**low)) - low) / (high - low) * (bottom - top))

    out = [f'<text x="{margin_left}" y="22" class="title">{escaped(title)}</text>']
    for power in range(low, high + 1):
        _, y = at(1, 10.0**power)
        out.append(f'<line x1="{margin_left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{margin_left - 6}" y="{y + 4:.1f}" class="tick" text-anchor="end">{short(10.0**power)} s</text>')
    for ranks in counts:
        x, _ = at(ranks, 1)
        out.append(f'<text x="{x:.1f}" y="{bottom + 18}" class="tick" text-anchor="middle">{ranks}</text>')
    out.append(f'<text x="{(margin_left + right) / 2}" y="{height - 8}" class="tick" text-anchor="middle">ranks</text>')
    for index, (model, points) in enumerate(lines):
        colour, dash = COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"/>')
        for ranks, seconds in measured.items():
            if seconds.get(model.name, 0) > 0:
                x, y = at(ranks, seconds[model.name])
                out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{escaped(model.name)}: {seconds[model.name]:.2f} s measured</title></circle>')
    return "".join(out)


def plot(models, strong, weak, machine):
    shown = [model for model in models if model.items or model.blocks]
    width, height, half = 1080, 430, 540
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 60}" font-family="sans-serif">',
           "<style>.title{font-size:15px;font-weight:600;fill:#1b1f24}.tick{font-size:11px;fill:#5c6570}.grid{stroke:#e0e4e9}.key{font-size:12px;fill:#1b1f24}</style>",
           f'<rect width="{width}" height="{height + 60}" fill="#ffffff"/>',
           panel("Strong: the same study (dots measured, lines predicted)", shown, strong, machine, False, 0, half, height),
           panel("Weak: a study that grows with the ranks", shown, {1: strong[1], **weak}, machine, True, half, half, height)]
    for index, model in enumerate(shown):
        x, y = 52 + (index % 4) * 250, height + 14 + (index // 4) * 20
        out.append(f'<line x1="{x}" x2="{x + 30}" y1="{y}" y2="{y}" stroke="{COLOURS[index % len(COLOURS)]}" stroke-width="2.4" '
                   f'stroke-dasharray="{DASHES[index % len(DASHES)]}"/><text x="{x + 36}" y="{y + 4}" class="key">{escaped(model.name)}</text>')
    out.append("</svg>\n")
    return "".join(out)


def report(folder):
    """(text, svg)"""
    machine = read_machine(folder / "info.json")
    strong_runs, weak_runs, saved = (read_runs(folder, kind) for kind in ("strong", "weak", "saved"))
    if 1 not in strong_runs:
        raise RunError(f"{folder} holds no run strong-1-N: a study at 1 rank was expected")
    strong = {ranks: medians(runs) for ranks, runs in strong_runs.items()}
    weak = {ranks: medians(runs) for ranks, runs in weak_runs.items()}
    one = strong_runs[1][0]
    models = stage_models(one, strong[1], machine)
    text = "Measured and predicted\n" + measured_table(models, strong, weak, machine)
    for kind, is_weak in (("strong", False), ("weak", True)):
        text += f"\n\nPredicted seconds, {kind} scaling, by ranks\n" + prediction_table(models, machine, is_weak)
    text += "\n\n" + ASSUMPTIONS.format(
        kappa=machine.kappa, latency=machine.latency * 1e6, speed=machine.bytes_per_second * 1e-9, grains=int(one.setting("run.grains", 4)),
        where="within one node: a cluster's network is another, measure it there" if machine.same_host else "on two nodes",
        memory=machine.memory * 1e-9, write=machine.write * 1e-9, read=machine.read * 1e-9)
    if 1 in saved:
        text += checkpoint_table(strong_runs[1], saved[1])
    text += startup_text(folder / "startup.txt")
    return text, plot(models, strong, weak, machine)


def main():
    parser = argparse.ArgumentParser(description="How the stages of a study scale, measured and predicted.")
    parser.add_argument("folder", type=pathlib.Path, help="what jobs/scaling.sh filled")
    parser.add_argument("--svg", type=pathlib.Path, help="where the plot goes")
    options = parser.parse_args()
    try:
        text, svg = report(options.folder)
        if options.svg:
            options.svg.write_text(svg, encoding="utf-8")
    except RunError as error:
        print(f"scaling.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"scaling.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
