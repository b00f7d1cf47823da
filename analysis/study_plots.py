#!/usr/bin/env python3
"""Table and plot of a study that was run as a sweep: study_plots.py algorithms|cost|labels|overoptimization FOLDER

FOLDER is that of the sweep, with report/sweep.json (rlaif sweep collect). Writes report/<kind>.txt, which it prints too, and
report/<kind>.svg. Standard library only.
"""

import json
import math
import pathlib
import re
import statistics
import sys

from charts import DASHES, escaped, short, ticks
from text_table import text_table

# Two-sided 95 % of Student's t by degrees of freedom, from 1; many: 1.96.
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b0578d", "#b58900")
STYLE = """<style>
svg { background: #ffffff; font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
text { fill: #1b1f24; font-size: 13px; } .tick { fill: #5c6570; font-size: 11px; } .title { font-weight: 600; font-size: 15px; }
.grid { stroke: #e8ebef; } .frame { stroke: #8d99a8; fill: none; }
</style>"""


def student(values):
    """(mean, low, high); one value has no interval."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, mean, mean
    t = T95[len(values) - 2] if len(values) - 2 < len(T95) else 1.96
    half = t * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


class Axis:
    """Numbers to places between two ends, linear or logarithmic."""

    def __init__(self, values, begin, end, logarithmic=False, margin=0.05):
        self.logarithmic = logarithmic
        places = [self.place(value) for value in values]
        low, high = min(places), max(places)
        room = (high - low) * margin or 0.5
        self.low, self.high, self.begin, self.end = low - room, high + room, begin, end

    def place(self, value):
        return math.log10(value) if self.logarithmic else value

    def at(self, value):
        return self.begin + (self.place(value) - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self):
        if not self.logarithmic:
            return ticks(self.low, self.high, 6)
        steps = (1, 2, 5) if self.high - self.low < 3 else (1,)
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        return [step * 10.0 ** power for power in powers for step in steps if self.low <= math.log10(step * 10.0 ** power) <= self.high]


class Series:
    """points: [(x, y, low, high, label)]; `right`: against the right axis; `line`: whether they are joined."""

    def __init__(self, name, colour, points, dash=0, right=False, line=True):
        self.name, self.colour, self.points = name, colour, sorted(points, key=lambda point: point[0])
        self.dash, self.right, self.line = DASHES[dash], right, line


def axis_lines(axis, horizontal, far, side):
    out = []
    for tick in axis.ticks():
        place = axis.at(tick)
        if horizontal:
            out.append(f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{far[0]}" y2="{far[1]}"/>'
                       f'<text class="tick" x="{place:.1f}" y="{far[1] + 16}" text-anchor="middle">{short(tick)}</text>')
        elif side == "left":
            out.append(f'<line class="grid" x1="{far[0]}" x2="{far[1]}" y1="{place:.1f}" y2="{place:.1f}"/>'
                       f'<text class="tick" x="{far[0] - 7}" y="{place + 4:.1f}" text-anchor="end">{short(tick)}</text>')
        else:
            out.append(f'<text class="tick" x="{far[1] + 7}" y="{place + 4:.1f}">{short(tick)}</text>')
    return out


def label_place(x, y, label, taken):
    """Where a point's label stands (start, baseline) without covering one that is there; `taken` holds their boxes."""
    size = 6.4 * len(label)
    places = [(x + 7, y - 6), (x + 7, y + 15), (x - 7 - size, y - 6), (x - 7 - size, y + 15)]
    places += [(x + 7, y + sign * step) for step in range(20, 120, 12) for sign in (-1, 1)]
    for start, baseline in places:
        box = (start, baseline - 11, start + size, baseline + 2)
        if not any(box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in taken):
            break
    taken.append(box)
    return start, baseline


def legend_rows(series, left, right):
    """The entries of each row of the legend, as (x, series)."""
    rows, x = [[]], left
    for one in series:
        size = 60 + 7.2 * len(one.name)
        if rows[-1] and x + size > right:
            rows.append([])
            x = left
        rows[-1].append((x, one))
        x += size
    return rows


def series_marks(one, x_axis, y_axis, taken):
    out = []
    places = [(x_axis.at(x), y_axis.at(y), y_axis.at(low), y_axis.at(high), label) for x, y, low, high, label in one.points]
    if one.line and len(places) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, *_ in places)
        out.append(f'<polyline points="{path}" fill="none" stroke="{one.colour}" stroke-width="2" stroke-dasharray="{one.dash}"/>')
    for x, y, low, high, label in places:
        if abs(low - high) > 0.5:
            out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="{one.colour}" stroke-width="1.4" opacity=".7"/>')
        if one.right:
            out.append(f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="#ffffff" stroke="{one.colour}" stroke-width="1.6"/>')
        else:
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{one.colour}"/>')
        if label:
            start, baseline = label_place(x, y, label, taken)
            out.append(f'<text class="tick" x="{start:.1f}" y="{baseline:.1f}">{escaped(label)}</text>')
    return out


def plot(title, x_label, y_label, series, log_x=False, right_label=""):
    """An SVG document. Points against the right axis have squares and a logarithmic scale."""
    series = [one for one in series if one.points]
    width, left, right, top = 860, 78, 78 if right_label else 30, 44
    keys = legend_rows(series, left, width - right)
    bottom = 64 + 22 * len(keys)
    height = 434 + bottom
    x_axis = Axis([p[0] for one in series for p in one.points], left, width - right, log_x)
    y_axis = Axis([v for one in series if not one.right for p in one.points for v in p[1:4]], height - bottom, top)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{escaped(title)}">', STYLE,
           f'<rect width="{width}" height="{height}" fill="#ffffff"/><text class="title" x="{left}" y="26">{escaped(title)}</text>']
    out += axis_lines(x_axis, True, (top, height - bottom), "")
    out += axis_lines(y_axis, False, (left, width - right), "left")
    middle = (top + height - bottom) / 2
    out.append(f'<rect class="frame" x="{left}" y="{top}" width="{width - left - right}" height="{height - top - bottom}"/>'
               f'<text x="{(left + width - right) / 2}" y="{height - bottom + 36}" text-anchor="middle">{escaped(x_label)}</text>'
               f'<text x="22" y="{middle}" text-anchor="middle" transform="rotate(-90 22 {middle})">{escaped(y_label)}</text>')
    if right_label:
        right_axis = Axis([p[1] for one in series if one.right for p in one.points], height - bottom, top, True)
        out += axis_lines(right_axis, False, (left, width - right), "right")
        x = width - 18
        out.append(f'<text x="{x}" y="{middle}" text-anchor="middle" transform="rotate(90 {x} {middle})">{escaped(right_label)}</text>')
    taken = []
    for one in series:
        out += series_marks(one, x_axis, right_axis if one.right else y_axis, taken)
    for r, entries in enumerate(keys):
        y = height - 22 * (len(keys) - r)
        for x, one in entries:
            out.append(f'<line x1="{x}" x2="{x + 30}" y1="{y}" y2="{y}" stroke="{one.colour}" stroke-width="2.4" '
                       f'stroke-dasharray="{one.dash}"/><text x="{x + 37}" y="{y + 4}">{escaped(one.name)}</text>')
    out.append("</svg>\n")
    return "\n".join(out)


def spread(metric, scale=1.0):
    """(mean, low, high) of a metric of a group."""
    mean = metric["mean"] * scale
    return mean, metric.get("low", metric["mean"]) * scale, metric.get("high", metric["mean"]) * scale


def shown(found, digits=1):
    mean, low, high = found
    return f"{mean:.{digits}f}" if low == high else f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def study_cost(collected, _):
    metrics = collected["groups"][0]["metrics"]
    judges = sorted({key.split(".")[1] for key in metrics if key.startswith("judges.") and key.endswith(".gold_agreement")})
    rows, singles, cascades = [], [], {}
    for judge in judges:
        agreement = spread(metrics[f"judges.{judge}.gold_agreement"], 100.0)
        usd = metrics[f"judges.{judge}.usd_per_1000"]["mean"]
        asked = re.fullmatch(r"(.+)-(\d+)", judge)
        rows.append((usd, [judge, f"{usd:.4f}", shown(agreement), str(collected["groups"][0]["n"])]))
        if asked:
            cascades.setdefault(asked[1].replace("-", ", then "), []).append((usd, *agreement, f"0.{int(asked[2]) // 10}"))
        else:
            singles.append((usd, *agreement, judge))
    table = text_table(["judge", "USD a 1000 labels", "agrees with gold, %", "seeds"], [row for _, row in sorted(rows)])
    series = [Series("one judge", COLOURS[0], singles)]
    series += [Series(name, COLOURS[1 + i % 4], points, 1 + i % 5) for i, (name, points) in enumerate(sorted(cascades.items()))]
    return table, plot("What a label costs against how often it is right", "simulated USD a 1,000 labels (a cascade's mark: how sure it must be not to ask on)",
                       "agrees with gold, % of pairs", series, log_x=True)


def study_labels(collected, _):
    rows, series = [], []
    groups = collected["groups"]
    arms = sorted({key.split(".")[1] for group in groups for key in group["metrics"] if key.endswith(".win_rate_vs_sft")})
    for index, arm in enumerate(arms):
        wins, dollars = [], []
        for group in groups:
            metrics = group["metrics"]
            if f"arms.{arm}.win_rate_vs_sft" not in metrics:
                continue
            rate = spread(metrics[f"arms.{arm}.win_rate_vs_sft"], 100.0)
            labels, usd = metrics[f"arms.{arm}.labels"]["mean"], metrics[f"arms.{arm}.cost_usd"]["mean"]
            gold = spread(metrics[f"reward_model.{arm}.gold_accuracy"], 100.0)
            rows.append([arm, f"{labels:.0f}", f"{usd:.2f}", shown(rate), shown(gold), str(group["n"])])
            wins.append((labels, *rate, ""))
            dollars.append((labels, max(usd, 1e-6), usd, usd, ""))
        series.append(Series(f"{arm}: wins", COLOURS[index], wins))
        series.append(Series(f"{arm}: dollars (right)", COLOURS[index], dollars, 2, right=True))
    table = text_table(["arm", "labels", "USD", "gold wins over SFT, %", "reward model agrees with gold, %", "seeds"], rows)
    return table, plot("How many labels a policy needs, and what they cost", "labels that the reward model learns from",
                       "gold win rate over SFT, %", series, log_x=True, right_label="simulated USD of these labels")


def gold_of_sft(run):
    """Mean and standard deviation of gold over SFT's responses in evaluation/sft.jsonl."""
    lines = (run / "evaluation" / "sft.jsonl").read_text().splitlines()
    values = [sample["utility"] for line in lines for sample in json.loads(line)["samples"] if "utility" in sample]
    return statistics.fmean(values), statistics.stdev(values)


def training_curve(run, windows):
    """[(KL, proxy, gold)] by windows of steps of the run's only policy, in SFT's standard deviations. The reward model's scores are
    such already, with mean 0 over the responses that it learned from."""
    mean, deviation = gold_of_sft(run)
    metrics, = sorted((run / "metrics").glob("ppo-*.jsonl"))
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    size = max(1, len(lines) // windows)
    parts = [lines[begin:begin + size] for begin in range(0, len(lines) - size + 1, size)]
    return [(statistics.fmean(line["kl"] for line in part), statistics.fmean(line["reward"] for line in part),
             (statistics.fmean(line["gold"] for line in part) - mean) / deviation) for part in parts]


def study_overoptimization(collected, folder, windows=16):
    rows, series = [], []
    for index, group in enumerate(collected["groups"]):
        name = ", ".join(group["values"].values())
        runs = [folder / "cells" / cell["name"] for cell in collected["cells"]
                if "metrics" in cell and all(cell["values"][axis] == label for axis, label in group["values"].items())]
        curves = [training_curve(run, windows) for run in runs]
        proxy, gold = [], []
        for place, window in enumerate(zip(*curves)):
            kl = statistics.fmean(point[0] for point in window)
            said, right = student([point[1] for point in window]), student([point[2] for point in window])
            proxy.append((kl, *said, ""))
            gold.append((kl, *right, ""))
            rows.append([name, str(place + 1), f"{kl:.2f}", shown(said, 2), shown(right, 2), str(len(window))])
        series.append(Series(f"{name}: proxy", COLOURS[index], proxy, 2))
        series.append(Series(f"{name}: gold", COLOURS[index], gold))
    table = text_table(["reward model", "window", "KL, nats", "proxy, SD", "gold, SD", "seeds"], rows)
    return table, plot("A policy trained on and on against its reward model", "KL from SFT, nats a response (means over windows of steps)",
                       "reward, standard deviations of SFT's responses", series)


def log_probs_moved(run, arm):
    """How far the log-probability of a preferred and of a rejected answer moved, nats an answer: mean of the last epoch less that
    of the first step. None where the arm was not trained on pairs."""
    for file in sorted((run / "metrics").glob(f"*-{arm}.jsonl")):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        if not lines or "chosen_log_prob" not in lines[0] or "epoch" not in lines[0]:
            continue
        moved = []
        for key in ("chosen_log_prob", "rejected_log_prob"):
            last = [line[key] for line in lines if line["epoch"] == lines[-1]["epoch"] and line[key] is not None]
            moved.append(statistics.fmean(last) - lines[0][key])
        return moved
    return None


def head_to_head_rows(metrics, seeds):
    """A row for each two arms whose policies met, and whether the interval tells them apart."""
    rows = []
    for key in sorted(metrics):
        if not key.startswith("head_to_head.") or not key.endswith(".win_rate"):
            continue
        rate = spread(metrics[key], 100.0)
        verdict = "not told apart" if seeds < 2 or rate[1] <= 50.0 <= rate[2] else "better" if rate[0] > 50.0 else "worse"
        rows.append([key.split(".")[1].replace("_vs_", " against "), shown(rate), verdict])
    return rows


def best_of_n_curves(metrics):
    """[(labels, points)] of the best of n of sft by each reward model, gold wins over the bound of its KL, and a table of them."""
    found = {}
    for key in metrics:
        parts = key.split(".")
        if parts[0] == "best_of_n" and parts[-1] == "kl_bound":
            found.setdefault(parts[1], []).append(int(parts[2]))
    curves, rows = [], []
    for labels, counts in sorted(found.items()):
        points = []
        for n in sorted(counts):
            of = lambda name, scale=1.0: spread(metrics[f"best_of_n.{labels}.{n}.{name}"], scale)
            points.append((of("kl_bound")[0], *of("win_rate_vs_sft", 100.0), str(n)))
            rows.append([f"reward-{labels}", str(n), f"{of('kl_bound')[0]:.2f}", shown(of("win_rate_vs_sft", 100.0)), shown(of("utility"), 3),
                         shown(of("score"), 2), shown(of("length"))])
        curves.append((labels, points))
    if not rows:
        return [], ""
    return curves, "\n\n" + text_table(["best of n by", "n", "KL, at most", "gold wins over SFT, %", "gold utility", "score, SD", "tokens"], rows)


def study_algorithms(collected, folder):
    group = collected["groups"][0]
    metrics, seeds = group["metrics"], group["n"]
    runs = [folder / "cells" / cell["name"] for cell in collected["cells"] if "metrics" in cell]
    arms = sorted({key.split(".")[1] for key in metrics if key.startswith("arms.") and key.endswith(".win_rate_vs_sft")})
    marks = [mark for mark in ("helpful", "harmless", "honest", "clear") if f"arms.{arms[0]}.{mark}" in metrics]
    rows, series = [], []
    for index, arm in enumerate(arms):
        of = lambda name, scale=1.0: spread(metrics[f"arms.{arm}.{name}"], scale)
        moved = [pair for pair in (log_probs_moved(run, arm) for run in runs) if pair]
        nats = [shown(student(side), 2) for side in zip(*moved)] if moved else ["-", "-"]
        rows.append([arm, shown(of("win_rate_vs_sft", 100.0)), shown(of("kl"), 2), shown(of("length")),
                     *[shown(of(mark, 100.0), 0) for mark in marks], *nats, f"{of('labels')[0]:.0f}", f"{of('cost_usd')[0]:.0f}",
                     f"{of('wall_seconds')[0]:.0f}", str(seeds)])
        series.append(Series(arm, COLOURS[index % len(COLOURS)], [(of("kl")[0], *of("win_rate_vs_sft", 100.0), arm)], line=False))
    curves, best = best_of_n_curves(metrics)
    series += [Series(f"best of n by {labels}", COLOURS[-1 - index], points, 2) for index, (labels, points) in enumerate(curves)]
    table = text_table(["arm", "gold wins over SFT, %", "KL, nats", "tokens", *[f"{mark}, %" for mark in marks], "chosen log p moved",
                        "rejected log p moved", "labels", "USD", "seconds", "seeds"], rows)
    pairs = text_table(["policies", "gold wins of the first, %", "by the interval"], head_to_head_rows(metrics, seeds))
    return table + best + "\n\n" + pairs, plot("Gold against KL by algorithm, on the same labels", "KL from SFT, nats a response",
                                        "gold win rate over SFT, %", series)


STUDIES = {"algorithms": study_algorithms, "cost": study_cost, "labels": study_labels, "overoptimization": study_overoptimization}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in STUDIES:
        sys.exit(__doc__)
    kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    file = folder / "report" / "sweep.json"
    if not file.exists():
        sys.exit(f"study_plots: {file} is not there: rlaif sweep collect DECK")
    collected = json.loads(file.read_text())
    if not any(group["n"] for group in collected["groups"]):
        sys.exit(f"study_plots: no cell of {folder} is done")
    collected["groups"] = [group for group in collected["groups"] if group["n"]]
    table, svg = STUDIES[kind](collected, folder)
    report = folder / "report"
    note = f"means over seeds, in brackets 95 % by Student's t; {len(collected['missing'])} of {len(collected['cells'])} cells are missing\n"
    text = table + "\n\n" + note
    (report / f"{kind}.txt").write_text(text)
    (report / f"{kind}.svg").write_text(svg)
    print(text + f"{report / kind}.txt, {report / kind}.svg")


if __name__ == "__main__":
    main()
