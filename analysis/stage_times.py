#!/usr/bin/env python3
"""Seconds and peak memory of each stage, side by side for the rank counts the runs were made with.

    python3 analysis/stage_times.py RUN [RUN ...]

Runs of the same rank count are repetitions; their median is printed. The ratio is the time at the fewest ranks over the
time at the most: 2.00 would be perfect at 1 and 2 ranks. Stages come in the order in which they ran.
"""

import argparse
import pathlib
import statistics
import sys

from run_data import RunError, number, read_json, read_stages
from text_table import text_table


def read_runs(folders):
    """{ranks: {stage: [(seconds, bytes)]}} and the stages in order."""
    by_ranks, order = {}, {}
    for folder in folders:
        markers = read_stages(folder)
        if not markers:
            raise RunError(f"{folder / 'stages'} holds no stage markers: a run directory of a study was expected")
        positions = stage_positions(folder, markers)
        for marker in markers:
            stage, seconds = marker.get("stage"), number(marker.get("wall_seconds"))
            if not isinstance(stage, str) or seconds is None:
                raise RunError(f"{folder}: a stage marker has no 'stage' or no 'wall_seconds'")
            ranks = number(marker.get("ranks"))
            if ranks is None:
                raise RunError(f"{folder}: the marker of stage '{stage}' has no 'ranks'")
            order.setdefault(stage, positions[stage])
            sizes = by_ranks.setdefault(int(ranks), {}).setdefault(stage, [])
            sizes.append((seconds, number(marker.get("peak_memory_bytes"))))
    return by_ranks, sorted(order, key=order.get)


def stage_positions(folder, markers):
    """Where each stage stands: by the results' list, else by the times its marker was written."""
    results = folder / "report" / "results.json"
    listed = [row.get("stage") for row in read_json(results).get("stages") or []] if results.exists() else []
    written = sorted(markers, key=lambda marker: (folder / "stages" / f"{marker.get('stage')}.json").stat().st_mtime_ns)
    names = [*listed, *(marker.get("stage") for marker in written if marker.get("stage") not in listed)]
    return {name: position for position, name in enumerate(names)}


def ratio(few, many):
    return f"{few / many:.2f}" if few is not None and many else "-"


def seconds_text(seconds):
    return "-" if seconds is None else f"{seconds:.2f}"


def build_table(by_ranks, stages):
    counts = sorted(by_ranks)

    def median(ranks, stage, index):
        values = [sample[index] for sample in by_ranks[ranks].get(stage, []) if sample[index] is not None]
        return statistics.median(values) if values else None

    times = {ranks: {stage: median(ranks, stage, 0) for stage in stages} for ranks in counts}
    totals = {ranks: sum(seconds for seconds in times[ranks].values() if seconds is not None) for ranks in counts}
    most = counts[-1]
    head = ["stage", *(f"s at {ranks}" for ranks in counts)]
    if len(counts) > 1:
        head.append("ratio")
    head += [f"share at {most}", *(f"MiB at {ranks}" for ranks in counts)]
    rows = []
    for stage in [*stages, "total"]:
        seconds = [totals[ranks] if stage == "total" else times[ranks][stage] for ranks in counts]
        row = [stage, *map(seconds_text, seconds)]
        if len(counts) > 1:
            row.append(ratio(seconds[0], seconds[-1]))
        row.append("-" if seconds[-1] is None or not totals[most] else f"{seconds[-1] / totals[most] * 100:.0f} %")
        for ranks in counts:
            sizes = [median(ranks, name, 1) for name in (stages if stage == "total" else [stage])]
            sizes = [size for size in sizes if size is not None]
            row.append(f"{max(sizes) / 2**20:.0f}" if sizes else "-")
        rows.append(row)
    return text_table(head, rows)


def main():
    parser = argparse.ArgumentParser(description="Seconds and peak memory of each stage, by number of ranks.")
    parser.add_argument("runs", nargs="+", type=pathlib.Path, help="run directories")
    options = parser.parse_args()
    try:
        print(build_table(*read_runs(options.runs)))
    except RunError as error:
        print(f"stage_times.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
