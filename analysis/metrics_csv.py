#!/usr/bin/env python3
"""Metrics of runs as CSV, a line a number: for spreadsheets, R, pandas and whatever else draws curves.

    python3 analysis/metrics_csv.py RUN [RUN ...] [--stage NAME ...] [--name NAME ...] [--output FILE.csv]

Columns: run, stage, step, name, value. A step's nested numbers have their path as a name ("reward.mean"); true and false are 1 and 0;
texts and numbers that are not finite are left out, and counted on standard error. Works while a run goes on. Standard library only; ends
with 2 and one line where something is missing.
"""

import argparse
import csv
import pathlib
import sys

from run_data import RunError, number, read_json_lines


def flat(value, name=""):
    """(path, number) of everything below a value; None in place of what is no finite number."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from flat(below, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from flat(below, f"{name}.{index}")
    else:
        yield name, float(value) if isinstance(value, bool) else number(value)


def rows_of(run, stages):
    files = sorted((run / "metrics").glob("*.jsonl"))
    if not files:
        raise RunError(f"{run / 'metrics'} has no metrics: a run directory with a stage that trains was expected")
    unknown = sorted(set(stages) - {file.stem for file in files})
    if unknown:
        raise RunError(f"{run}: no stage '{unknown[0]}' has metrics; there are {', '.join(file.stem for file in files)}")
    for file in files:
        if stages and file.stem not in stages:
            continue
        for line, row in enumerate(read_json_lines(file)):
            step = row.pop("step", line)
            for name, value in flat(row):
                yield str(run), file.stem, step, name, value


def write(rows, names, file):
    """How many values were left out."""
    writer, left_out = csv.writer(file, lineterminator="\n"), 0
    writer.writerow(("run", "stage", "step", "name", "value"))
    for *where, name, value in rows:
        if names and name not in names:
            continue
        if value is None:
            left_out += 1
        else:
            writer.writerow((*where, name, f"{value:.17g}"))
    return left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN", help="a run directory")
    parser.add_argument("--stage", action="append", default=[], help="this stage alone; as often as needed")
    parser.add_argument("--name", action="append", default=[], help="this number alone; as often as needed")
    parser.add_argument("--output", type=pathlib.Path, help="a file in place of standard output")
    options = parser.parse_args()
    rows = [row for run in options.runs for row in rows_of(run, options.stage)]
    if options.output:
        with options.output.open("w", encoding="utf-8", newline="") as file:
            left_out = write(rows, options.name, file)
    else:
        left_out = write(rows, options.name, sys.stdout)
    if left_out:
        print(f"metrics_csv: {left_out} values that are no finite numbers were left out", file=sys.stderr)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RunError, OSError) as error:
        print(f"metrics_csv: {error}", file=sys.stderr)
        sys.exit(2)
