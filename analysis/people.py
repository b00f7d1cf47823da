#!/usr/bin/env python3
"""What reward models of people's and of AI judges' labels are worth on people's choices: people.py FOLDER

FOLDER is that of jobs/people.sh, with report/calibration.json (`rlaif calibrate`). Writes report/curves.txt, which it prints too,
and report/curves.svg. Standard library only; ends with 2 and one line where something is missing.
"""

import pathlib
import sys

from run_data import RunError, rate, read_json, section
from study_plots import COLOURS, Series, plot
from text_table import text_table

NAMES = {"people": "people's labels", "learned": "a judge that learned from other people's labels", "rules": "a file of rules"}


def share(row):
    """(value, low, high) in per cent."""
    found = rate(row, "agreement")
    return None if found is None or found.low is None else tuple(100 * one for one in (found.value, found.low, found.high))


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    report = pathlib.Path(sys.argv[1]) / "report"
    judges = section(read_json(report / "calibration.json"), "judges")
    curves, rows = {name: [] for name in NAMES}, []
    for name, row in judges.items():
        found = share(row)
        if found is None:
            raise RunError(f"{report / 'calibration.json'}: judge {name}: an agreement with its interval was expected")
        source, _, count = name.rpartition("-")
        if source in curves:
            curves[source].append((int(count), *found, ""))
            rows.append((source, int(count), found))
        else:
            rows.append((name, 0, found))
    order = list(NAMES)
    rows.sort(key=lambda row: (order.index(row[0]) if row[0] in order else len(order), row[1]))
    table = text_table(["reward model of", "labels", "agrees with people, %", "95 % interval by prompt"],
                       [[NAMES.get(name, name), str(count) if count else "-", f"{value:.1f}", f"{low:.1f} to {high:.1f}"]
                        for name, count, (value, low, high) in rows])
    (report / "curves.txt").write_text(table + "\n", encoding="utf-8")
    print(table)
    series = [Series(NAMES[name], COLOURS[i], points, i) for i, (name, points) in enumerate(curves.items())]
    (report / "curves.svg").write_text(
        plot("Reward models on people's choices that nobody learned from", "labels", "agreement with people, %", series, log_x=True),
        encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunError as error:
        print(f"people: {error}", file=sys.stderr)
        sys.exit(2)
